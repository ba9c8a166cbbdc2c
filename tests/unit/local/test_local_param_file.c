/* SPDX-License-Identifier: Apache-2.0 */
/* test_param_file.c -- parameters as a .json file: out and in again, and everything that can be wrong with one. */
#include "local/app/param_file.h"

#include <stdlib.h>
#include <string.h>

#include "common/err.h"
#include "tests/unit/suite.h"

static struct board_params params;
static struct command cmd;
static char said[4096];

static void defaults(void)
{
    for (int p = 0; p < PARAMS; p++)
        params.running[p] = params.stored[p] = param_rows[p].dflt[CHEMISTRY_NMC];
}

static int read_text(const char *text)
{
    FILE *say = fmemopen(said, sizeof(said), "w");
    int err = param_file_read(text, strlen(text), &params, &cmd, say);

    fclose(say);
    return err;
}

/* The exported document with `from` replaced by `to`; free() it. */
static char *exported(const char *from, const char *to)
{
    struct jsonw doc;

    jsonw_init(&doc, PARAM_FILE_MAX);
    param_file_write(&doc, &params, "local.board", "test", 1700000000000);
    char *text = calloc(1, doc.len + 256), *at;

    memcpy(text, doc.buf, doc.len);
    jsonw_deinit(&doc);
    at = from[0] ? strstr(text, from) : NULL;
    CU_ASSERT(from[0] == '\0' || at != NULL);
    if (at) {
        memmove(at + strlen(to), at + strlen(from), strlen(at + strlen(from)) + 1);
        memcpy(at, to, strlen(to));
    }
    return text;
}

static int read_changed(const char *from, const char *to)
{
    char *text = exported(from, to);
    int err = read_text(text);

    free(text);
    return err;
}

static void test_there_and_back(void)
{
    defaults();
    CU_ASSERT_EQUAL(read_changed("", ""), 0);
    CU_ASSERT_EQUAL(cmd.writes, 0);
    CU_ASSERT_STRING_EQUAL(said, "");
    CU_ASSERT_EQUAL(read_changed("\"balance_start_mV\":50", "\"balance_start_mV\":57"), 0);
    CU_ASSERT(cmd.writes == 1 && cmd.write[0].id == param_rows[PARAM_balance_start_mV].id && cmd.write[0].value == 57);
}

static void test_wrong_files(void)
{
    defaults();
    CU_ASSERT_EQUAL(read_changed("cellwarden-parameters", "something-else"), BMS_ERR_RANGE);
    CU_ASSERT_EQUAL(read_changed("\"chemistry\":\"nmc\"", "\"chemistry\":\"lfp\""), BMS_ERR_RANGE);
    CU_ASSERT_PTR_NOT_NULL(strstr(said, "another pack"));
    CU_ASSERT_EQUAL(read_changed("\"table\":\"", "\"table\":\"0"), BMS_ERR_RANGE);
    CU_ASSERT_PTR_NOT_NULL(strstr(said, "another table"));
    CU_ASSERT_EQUAL(read_changed("\"balance_start_mV\":50", "\"balance_start_mV\":29"), BMS_ERR_RANGE);
    CU_ASSERT_PTR_NOT_NULL(strstr(said, "balance_start_mV: must be a whole number from 30 to 800"));
    CU_ASSERT_EQUAL(read_changed("\"balance_start_mV\":50", "\"balance_start_mV\":50.5"), BMS_ERR_RANGE);
    CU_ASSERT_EQUAL(read_changed("\"balance_start_mV\":50", "\"balance_start_mV\":\"50\""), BMS_ERR_RANGE);
    CU_ASSERT_EQUAL(read_changed("\"values\":{", "\"valuables\":{"), BMS_ERR_RANGE);
    CU_ASSERT_EQUAL(read_text("{\"format\":"), BMS_ERR_RANGE);
    CU_ASSERT_EQUAL(read_text(""), BMS_ERR_RANGE);
    CU_ASSERT_EQUAL(read_text("[]"), BMS_ERR_RANGE);
}

static void test_notes(void)
{
    defaults();
    CU_ASSERT_EQUAL(read_changed("\"balance_start_mV\":50", "\"ballast\":50"), 0);
    CU_ASSERT(cmd.writes == 0 && strstr(said, "ballast is not known") && strstr(said, "balance_start_mV is not in the file"));
}

int main(void)
{
    CU_TestInfo tests[] = {
        { "export then import is no difference; a changed value becomes one write [UC-4]", test_there_and_back },
        { "a file of another kind, table or pack, and a value that is none, are refused by name [UC-4]", test_wrong_files },
        { "unknown and missing names are said and change nothing [UC-4]", test_notes },
        CU_TEST_INFO_NULL,
    };

    return suite_run("param_file", tests);
}
