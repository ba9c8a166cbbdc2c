/* SPDX-License-Identifier: Apache-2.0 */
#include "server/api/auth_limit.h"
#include "server/api/auth_role.h"
#include "tests/unit/suite.h"

#include <stdio.h>

static void test_fifth_failure_passes_and_the_sixth_waits(void)
{
    static struct auth_limit limit;

    auth_limit_init(&limit);
    for (unsigned i = 0; i < AUTH_LIMIT_FAILURES; i++)
        CU_ASSERT_EQUAL(auth_limit_take(&limit, "u:admin", 1000 + i), 0);
    CU_ASSERT_EQUAL(auth_limit_take(&limit, "u:admin", 1010), 60);
    CU_ASSERT_EQUAL(auth_limit_take(&limit, "u:other", 1010), 0);
    CU_ASSERT_EQUAL(auth_limit_take(&limit, "u:admin", 1000 + AUTH_LIMIT_WINDOW_MS - 1), 1);
    CU_ASSERT_EQUAL(auth_limit_take(&limit, "u:admin", 1000 + AUTH_LIMIT_WINDOW_MS), 0); /* the first is a minute old */
    CU_ASSERT_EQUAL(auth_limit_take(&limit, "u:admin", 1000 + AUTH_LIMIT_WINDOW_MS), 1); /* the second is not */
}

static void test_success_forgives(void)
{
    static struct auth_limit limit;

    auth_limit_init(&limit);
    for (int i = 0; i < 4; i++)
        auth_limit_take(&limit, "u:admin", 1);
    CU_ASSERT_EQUAL(auth_limit_take(&limit, "u:admin", 2), 0);
    auth_limit_forgive(&limit, "u:admin", 0);
    CU_ASSERT_EQUAL(auth_limit_take(&limit, "u:admin", 3), 0);
    CU_ASSERT_NOT_EQUAL(auth_limit_take(&limit, "u:admin", 3), 0);
    auth_limit_forgive(&limit, "u:admin", 1);
    for (int i = 0; i < AUTH_LIMIT_FAILURES; i++)
        CU_ASSERT_EQUAL(auth_limit_take(&limit, "u:admin", 4), 0);
    auth_limit_forgive(&limit, "u:unheard-of", 1); /* does nothing */
}

static void test_full_table_lets_the_quietest_go(void)
{
    static struct auth_limit limit;
    char key[32];

    auth_limit_init(&limit);
    for (unsigned i = 0; i < AUTH_LIMIT_FAILURES; i++)
        auth_limit_take(&limit, "a:attacker", 5000);
    for (unsigned i = 0; i < AUTH_LIMIT_KEYS - 1; i++) {
        snprintf(key, sizeof key, "a:%u", i);
        auth_limit_take(&limit, key, i + 1); /* all quieter than the attacker */
    }
    CU_ASSERT_EQUAL(auth_limit_take(&limit, "a:newcomer", 5001), 0);
    CU_ASSERT_NOT_EQUAL(auth_limit_take(&limit, "a:attacker", 5002), 0);
}

static void test_roles_are_ordered(void)
{
    CU_ASSERT_EQUAL(auth_role_access("viewer"), ACCESS_VIEWER);
    CU_ASSERT_EQUAL(auth_role_access("admin"), ACCESS_ADMIN);
    CU_ASSERT_EQUAL(auth_role_access("root"), ACCESS_PUBLIC);
    CU_ASSERT_EQUAL(auth_role_access("public"), ACCESS_PUBLIC);
    CU_ASSERT(ACCESS_PUBLIC < ACCESS_VIEWER && ACCESS_VIEWER < ACCESS_OPERATOR && ACCESS_OPERATOR < ACCESS_ENGINEER &&
              ACCESS_ENGINEER < ACCESS_ADMIN);
    CU_ASSERT_STRING_EQUAL(auth_role_word(ACCESS_ENGINEER), "engineer");
}

static void test_tenant_sees_its_own_vehicles_only(void)
{
    CU_ASSERT_TRUE(auth_tenant_sees("demo", "demo.bus-1"));
    CU_ASSERT_TRUE(auth_tenant_sees("*", "demo.bus-1"));
    CU_ASSERT_FALSE(auth_tenant_sees("dem", "demo.bus-1"));
    CU_ASSERT_FALSE(auth_tenant_sees("demo2", "demo.bus-1"));
    CU_ASSERT_FALSE(auth_tenant_sees("demo", "demo"));
    CU_ASSERT_FALSE(auth_tenant_sees("", ".bus-1"));
    CU_ASSERT_FALSE(auth_tenant_sees("", "demo.bus-1"));
}

int main(void)
{
    static CU_TestInfo tests[] = {
        { "the fifth failure passes and the sixth waits", test_fifth_failure_passes_and_the_sixth_waits },
        { "success forgives", test_success_forgives },
        { "a full table lets the quietest go", test_full_table_lets_the_quietest_go },
        { "roles are ordered", test_roles_are_ordered },
        { "a tenant sees its own vehicles only", test_tenant_sees_its_own_vehicles_only },
        CU_TEST_INFO_NULL,
    };
    return suite_run("auth", tests);
}
