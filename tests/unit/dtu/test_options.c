/* SPDX-License-Identifier: Apache-2.0 */
/* test_options.c -- the command line of cellwarden-dtu: what is right is taken, what is wrong is named. */
#include <stdlib.h>
#include <string.h>

#include <CUnit/Basic.h>

#include "common/err.h"
#include "dtu/app/options.h"

static struct options o;
static char why[256];

#define NEEDED                                                                                                                             \
    "--name", "a.b", "--hub", "h", "--journal", "j", "--broker", "localhost:8883", "--server-name", "s", "--ca", "c", "--cert", "d",       \
        "--key", "k"

static int parse(int n, const char *const args[])
{
    char *argv[40] = { (char *)(uintptr_t) "cellwarden-dtu" };

    for (int i = 0; i < n; i++)
        argv[i + 1] = (char *)(uintptr_t)args[i];
    why[0] = '\0';
    return options_read(&o, n + 1, argv, why, sizeof(why));
}

#define PARSE(...) parse((int)(sizeof((const char *[]) { __VA_ARGS__ }) / sizeof(char *)), (const char *[]) { __VA_ARGS__ })

static void test_defaults(void)
{
    CU_ASSERT_EQUAL(PARSE(NEEDED), BMS_ERR_OK);
    CU_ASSERT(strcmp(o.name, "a.b") == 0 && strcmp(o.host, "localhost") == 0 && o.port == 8883);
    CU_ASSERT(o.batch == 10 && o.journal_kB == 32768 && !o.lwip && !o.help);
}

static void test_values(void)
{
    CU_ASSERT_EQUAL(PARSE(NEEDED, "--batch=60", "--journal-kB", "256", "--stream", "lwip", "--broker", "[::1]:1"), BMS_ERR_OK);
    CU_ASSERT(o.batch == 60 && o.journal_kB == 256 && o.lwip && o.port == 1 && strcmp(o.host, "[::1]") == 0);
    CU_ASSERT(PARSE("--help", "--nonsense") == BMS_ERR_OK && o.help);
}

static void test_environment(void)
{
    setenv("CELLWARDEN_BATCH", "7", 1);
    setenv("CELLWARDEN_JOURNAL_KB", "512", 1);
    CU_ASSERT(PARSE(NEEDED) == BMS_ERR_OK && o.batch == 7 && o.journal_kB == 512);
    CU_ASSERT(PARSE(NEEDED, "--batch", "8") == BMS_ERR_OK && o.batch == 8); /* the command line wins */
    setenv("CELLWARDEN_BATCH", "x", 1);
    CU_ASSERT(PARSE(NEEDED) == BMS_ERR_RANGE && strstr(why, "--batch") != NULL);
    unsetenv("CELLWARDEN_BATCH");
    unsetenv("CELLWARDEN_JOURNAL_KB");
}

static void test_wrong(void)
{
    static const struct {
        const char *option, *value, *named;
    } rows[] = {
        { "--batch", "0", "--batch" },
        { "--batch", "61", "--batch" },
        { "--batch", "1e1", "--batch" },
        { "--batch", "-1", "--batch" },
        { "--batch", "", "--batch" },
        { "--journal-kB", "255", "--journal-kB" },
        { "--journal-kB", "262145", "--journal-kB" },
        { "--journal-kB", "99999999999999999999", "--journal-kB" },
        { "--stream", "quic", "--stream" },
        { "--broker", "localhost", "--broker" },
        { "--broker", ":1", "--broker" },
        { "--broker", "h:0", "--broker" },
        { "--broker", "h:65536", "--broker" },
        { "--broker", "h:1x", "--broker" },
        { "--hub", "", "--hub" },
        { "--speed", "1", "--speed" },
    };

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        CU_ASSERT_EQUAL(PARSE(NEEDED, rows[i].option, rows[i].value), BMS_ERR_RANGE);
        CU_ASSERT(strstr(why, rows[i].named) != NULL);
    }
    CU_ASSERT(PARSE(NEEDED, "--batch") == BMS_ERR_RANGE && strstr(why, "needs a value") != NULL);
    CU_ASSERT(PARSE("--name", "a.b") == BMS_ERR_RANGE && strstr(why, "missing") != NULL);
}

int main(void)
{
    CU_initialize_registry();
    CU_pSuite s = CU_add_suite("options", NULL, NULL);

    CU_add_test(s, "what is needed is enough", test_defaults);
    CU_add_test(s, "values may follow or be joined with =", test_values);
    CU_add_test(s, "the environment stands in, the command line wins", test_environment);
    CU_add_test(s, "a wrong option or value is refused by its name", test_wrong);
    CU_basic_set_mode(CU_BRM_VERBOSE);
    CU_basic_run_tests();
    unsigned failed = CU_get_number_of_failures();

    CU_cleanup_registry();
    return failed ? 1 : 0;
}
