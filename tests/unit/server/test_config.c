/* SPDX-License-Identifier: Apache-2.0 */
#include "common/err.h"
#include "server/config.h"
#include "tests/unit/suite.h"

#include <stdlib.h>
#include <string.h>

static char *empty(const char *name)
{
    (void)name;
    return NULL;
}

static char *environment(const char *name)
{
    static char batch[] = "70", roles[] = "api";

    if (strcmp(name, "CELLWARDEN_BATCH_MS") == 0)
        return batch;
    return strcmp(name, "CELLWARDEN_ROLES") == 0 ? roles : NULL;
}

#define MUST "--database", "dbname=x", "--ca", "a", "--cert", "b", "--key", "c"

static int load(struct config *cfg, const char *const *args, char *(*env)(const char *), char *why)
{
    char *argv[40];
    int argc = 0;

    argv[argc++] = (char *)(uintptr_t) "server";
    while (args[argc - 1]) {
        argv[argc] = (char *)(uintptr_t)args[argc - 1];
        argc++;
    }
    return config_load(cfg, argc, argv, env, why, 200);
}

static void test_defaults_fill_what_is_not_given(void)
{
    const char *args[] = { MUST, NULL };
    struct config cfg;
    char why[200];

    CU_ASSERT_EQUAL_FATAL(load(&cfg, args, empty, why), 0);
    CU_ASSERT_EQUAL(cfg.batch_ms, 20);
    CU_ASSERT_EQUAL(cfg.batch_records, 4096);
    CU_ASSERT_EQUAL(cfg.retention_days, 400);
    CU_ASSERT_EQUAL(cfg.alarm_days, 3650);
    CU_ASSERT_STRING_EQUAL(cfg.database, "dbname=x");
    CU_ASSERT_EQUAL(cfg.role, ROLE_ALL);
}

static void test_a_flag_wins_over_the_environment_and_that_over_the_default(void)
{
    const char *with_flag[] = { MUST, "--batch-ms=80", NULL };
    const char *without[] = { MUST, NULL };
    struct config cfg;
    char why[200];

    CU_ASSERT_EQUAL(load(&cfg, with_flag, environment, why), 0);
    CU_ASSERT_EQUAL(cfg.batch_ms, 80);
    CU_ASSERT_EQUAL(cfg.role, ROLE_API);
    CU_ASSERT_EQUAL(load(&cfg, without, environment, why), 0);
    CU_ASSERT_EQUAL(cfg.batch_ms, 70);
}

static void test_what_is_wrong_is_named(void)
{
    static const struct {
        const char *flag, *value, *says;
    } rows[] = {
        { "--batch-ms", "0", "--batch-ms" },
        { "--batch-ms", "10001", "--batch-ms" },
        { "--batch-ms", "5x", "--batch-ms" },
        { "--batch-ms", "", "--batch-ms" },
        { "--alarm-days", "0", "--alarm-days" },
        { "--alarm-days", "36501", "--alarm-days" },
        { "--retention-days", "-1", "--retention-days" },
        { "--roles", "both", "--roles" },
        { "--poison-days", "0", "--poison-days" },
        { "--jobs-period-s", "86401", "--jobs-period-s" },
        { "--log-level", "loud", "--log-level" },
        { "--no-such", "1", "--no-such" },
        { "--batch-ms", NULL, "needs a value" },
    };
    struct config cfg;
    char why[200];

    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        const char *args[] = { MUST, rows[i].flag, rows[i].value, NULL };

        CU_ASSERT_EQUAL(load(&cfg, args, empty, why), BMS_ERR_RANGE);
        CU_ASSERT_PTR_NOT_NULL(strstr(why, rows[i].says));
    }
}

static void test_jobs_are_a_role_of_their_own_and_part_of_all(void)
{
    const char *alone[] = { MUST, "--roles", "jobs", NULL };
    struct config cfg;
    char why[200];

    CU_ASSERT_EQUAL(load(&cfg, alone, empty, why), 0);
    CU_ASSERT_EQUAL(cfg.role, ROLE_JOBS);
    CU_ASSERT_EQUAL(cfg.poison_days, 30);
    CU_ASSERT_EQUAL(cfg.poison_per_device, 1000);
    CU_ASSERT_EQUAL(cfg.jobs_period_s, 600);
    CU_ASSERT_TRUE(ROLE_ALL & ROLE_JOBS);
}

static void test_limits_are_taken_exactly(void)
{
    const char *low[] = { MUST, "--batch-ms", "1", NULL };
    const char *high[] = { MUST, "--batch-ms", "10000", NULL };
    struct config cfg;
    char why[200];

    CU_ASSERT_EQUAL(load(&cfg, low, empty, why), 0);
    CU_ASSERT_EQUAL(load(&cfg, high, empty, why), 0);
}

static void test_a_missing_option_is_named_with_its_environment_name(void)
{
    const char *args[] = { "--database", "dbname=x", "--ca", "a", "--cert", "b", NULL };
    struct config cfg;
    char why[200];

    CU_ASSERT_EQUAL(load(&cfg, args, empty, why), BMS_ERR_RANGE);
    CU_ASSERT_PTR_NOT_NULL(strstr(why, "--key (or CELLWARDEN_KEY)"));
}

static void test_help_is_asked_for(void)
{
    const char *args[] = { "--help", NULL };
    struct config cfg;
    char why[200];

    CU_ASSERT_EQUAL(load(&cfg, args, empty, why), 1);
}

int main(void)
{
    static CU_TestInfo tests[] = {
        { "defaults fill what is not given", test_defaults_fill_what_is_not_given },
        { "a flag wins over the environment, and that over the default", test_a_flag_wins_over_the_environment_and_that_over_the_default },
        { "what is wrong is named", test_what_is_wrong_is_named },
        { "jobs are a role of their own and part of all", test_jobs_are_a_role_of_their_own_and_part_of_all },
        { "limits are taken exactly", test_limits_are_taken_exactly },
        { "a missing option is named with its environment name", test_a_missing_option_is_named_with_its_environment_name },
        { "help is asked for", test_help_is_asked_for },
        CU_TEST_INFO_NULL,
    };
    return suite_run("config", tests);
}
