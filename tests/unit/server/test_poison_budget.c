/* SPDX-License-Identifier: Apache-2.0 */
#include "server/ingest/poison_budget.h"
#include "tests/unit/suite.h"

#include <stdio.h>
#include <string.h>

static struct poison_budget budget;

static int taken(const char *device, int tries, int64_t now_ms)
{
    int n = 0;

    for (int i = 0; i < tries; i++)
        n += poison_budget_take(&budget, device, now_ms);
    return n;
}

static void test_a_burst_and_then_so_many_a_second(void)
{
    memset(&budget, 0, sizeof budget);
    CU_ASSERT_EQUAL(taken("demo.a", 1000, 5000), BUDGET_BURST);
    CU_ASSERT_EQUAL(taken("demo.a", 1000, 5000 + 1000 / BUDGET_PER_S - 1), 0);
    CU_ASSERT_EQUAL(taken("demo.a", 1000, 5000 + 1000 / BUDGET_PER_S), 1);
    CU_ASSERT_EQUAL(taken("demo.a", 1000, 6000 + 1000 / BUDGET_PER_S), BUDGET_PER_S);
}

static void test_it_never_holds_more_than_the_burst(void)
{
    memset(&budget, 0, sizeof budget);
    CU_ASSERT_EQUAL(taken("demo.a", 10, 5000), 10);
    CU_ASSERT_EQUAL(taken("demo.a", 1000, INT64_C(86400000) * 365), BUDGET_BURST);
}

static void test_one_device_takes_nothing_from_another(void)
{
    memset(&budget, 0, sizeof budget);
    CU_ASSERT_EQUAL(taken("demo.a", 1000, 5000), BUDGET_BURST);
    CU_ASSERT_EQUAL(taken("demo.b", 1000, 5000), BUDGET_BURST);
    CU_ASSERT_EQUAL(taken("", 1000, 5000), BUDGET_BURST);
    CU_ASSERT_EQUAL(taken("demo.a", 1000, 5000), 0);
}

static void test_more_devices_than_slots_have_a_budget_too(void)
{
    char device[32];

    memset(&budget, 0, sizeof budget);
    for (int i = 0; i < 3 * BUDGET_SLOTS; i++) {
        snprintf(device, sizeof device, "demo.bus-%d", i);
        CU_ASSERT_EQUAL(taken(device, 2, 5000 + i * 20), 2); /* as slowly as all of them may */
    }
}

static void test_all_together_have_a_budget(void)
{
    char device[32];
    int n = 0;

    memset(&budget, 0, sizeof budget);
    for (int i = 0; i < BUDGET_ALL_BURST; i++) {
        snprintf(device, sizeof device, "demo.bus-%d", i);
        n += taken(device, 2, 5000);
    }
    CU_ASSERT_EQUAL(n, BUDGET_ALL_BURST);
    CU_ASSERT_EQUAL(taken("demo.another", 1, 5000 + 1000 / BUDGET_ALL_PER_S - 1), 0);
    CU_ASSERT_EQUAL(taken("demo.another", 1, 5000 + 1000 / BUDGET_ALL_PER_S), 1);
}

int main(void)
{
    static CU_TestInfo tests[] = {
        { "a burst, and then so many a second", test_a_burst_and_then_so_many_a_second },
        { "it never holds more than the burst", test_it_never_holds_more_than_the_burst },
        { "one device takes nothing from another", test_one_device_takes_nothing_from_another },
        { "more devices than slots have a budget too", test_more_devices_than_slots_have_a_budget_too },
        { "all together have a budget", test_all_together_have_a_budget },
        CU_TEST_INFO_NULL,
    };
    return suite_run("poison_budget", tests);
}
