/* SPDX-License-Identifier: Apache-2.0 */
#include "server/api/auth_password.h"

#include "tests/unit/suite.h"

#include <stdio.h>
#include <string.h>

static void test_each_rule_refuses_at_its_limit_and_not_before(void)
{
    static const struct {
        const char *name, *password, *says; /* says: part of the answer, NULL = taken */
    } rows[] = {
        { "vera", "", "at least 12" },
        { "vera", "kd93-rqpa7s", "at least 12" }, /* 11 */
        { "vera", "kd93-rqpa7sx", NULL },         /* 12 */
        { "vera", "aaaaaaaaaaaaaaaa", "repeat" },
        { "vera", "azazazazazaz", "repeat" },      /* many turns, two characters */
        { "vera", "azbyazbyazby", "repeat" },      /* four characters */
        { "vera", "azbycazbycaz", NULL },          /* five */
        { "vera", "abcdefghijklmnop", "repeat" },  /* no turn at all */
        { "vera", "1234567890123456", "repeat" },  /* two turns */
        { "vera", "abcabcabcabcabc", "repeat" },   /* four turns, three characters */
        { "vera", "abcdxfghpjklsmno", NULL },      /* six */
        { "vera", "PassWord1234", "tried first" }, /* whatever the case */
        { "vera", "correcthorsebatterystaple", "tried first" },
        { "vera", "Vera-kd93-rqpa7", "name" }, /* 11 besides the name */
        { "vera", "Vera-kd93-rqpa7s", NULL },  /* 12 */
        { "kd93-rqpa7sx", "kd93-rqpa7sx", "name" },
        { "", "kd93-rqpa7sx", NULL },
        { "vera", "p\xC3\xA4ssw\xC3\xB6rter-\xC3\xBC", NULL }, /* any language's letters */
    };

    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        const char *problem = auth_password_problem(rows[i].name, rows[i].password);

        CU_ASSERT_EQUAL(problem == NULL, rows[i].says == NULL);
        CU_ASSERT(problem == NULL || rows[i].says == NULL || strstr(problem, rows[i].says) != NULL);
    }
}

static void test_longest_password_is_taken_and_one_more_is_not(void)
{
    char password[AUTH_PASSWORD_MAX + 2];

    for (size_t i = 0; i < sizeof password; i++)
        password[i] = "kd93-rqpa7sx"[i % 12];
    password[AUTH_PASSWORD_MAX + 1] = '\0';
    CU_ASSERT_STRING_EQUAL(auth_password_problem("vera", password), "may have at most 256 bytes");
    password[AUTH_PASSWORD_MAX] = '\0';
    CU_ASSERT_PTR_NULL(auth_password_problem("vera", password));
}

static void test_hash_is_argon2id_salted_and_verifies(void)
{
    char one[crypto_pwhash_STRBYTES], two[crypto_pwhash_STRBYTES];

    CU_ASSERT_FATAL(sodium_init() >= 0);
    CU_ASSERT_EQUAL(auth_password_hash("kd93-rqpa7sx", one), 0);
    CU_ASSERT_EQUAL(auth_password_hash("kd93-rqpa7sx", two), 0);
    CU_ASSERT_EQUAL(strncmp(one, "$argon2id$", 10), 0);
    CU_ASSERT_NOT_EQUAL(strcmp(one, two), 0);
    CU_ASSERT_EQUAL(crypto_pwhash_str_verify(one, "kd93-rqpa7sx", 12), 0);
    CU_ASSERT_NOT_EQUAL(crypto_pwhash_str_verify(one, "kd93-rqpa7sy", 12), 0);
}

int main(void)
{
    static CU_TestInfo tests[] = {
        { "each rule refuses at its limit and not before", test_each_rule_refuses_at_its_limit_and_not_before },
        { "the longest password is taken and one more is not", test_longest_password_is_taken_and_one_more_is_not },
        { "the hash is Argon2id, salted, and verifies", test_hash_is_argon2id_salted_and_verifies },
        CU_TEST_INFO_NULL,
    };
    return suite_run("auth_password", tests);
}
