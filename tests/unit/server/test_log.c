/* SPDX-License-Identifier: Apache-2.0 */
#include "server/log.h"
#include "tests/unit/suite.h"

#include <string.h>

static void test_a_line_has_level_time_area_message_and_values(void)
{
    char line[200];
    size_t n = log_format(line, sizeof line, LOG_INFO, 1700000000123, "ingest", "committed", "records=4 ms=7");

    CU_ASSERT_STRING_EQUAL(line, "info 2023-11-14T22:13:20.123Z ingest committed records=4 ms=7\n");
    CU_ASSERT_EQUAL(n, strlen(line));
    log_format(line, sizeof line, LOG_ERROR, 0, "a", "b", "");
    CU_ASSERT_STRING_EQUAL(line, "error 1970-01-01T00:00:00.000Z a b\n");
}

static void test_values_cannot_start_a_line_of_their_own(void)
{
    char line[200];

    log_format(line, sizeof line, LOG_WARN, 0, "a", "b", "x='1\nerror forged\r\033[2J\177'");
    CU_ASSERT_PTR_EQUAL(strchr(line, '\n'), line + strlen(line) - 1);
    CU_ASSERT_PTR_NULL(strchr(line, '\r'));
    CU_ASSERT_PTR_NULL(strchr(line, '\033'));
    CU_ASSERT_PTR_NULL(strchr(line, '\177'));
}

static void test_a_long_line_is_cut_and_still_ends(void)
{
    char values[400], line[100];

    memset(values, 'x', sizeof values - 1);
    values[sizeof values - 1] = '\0';
    CU_ASSERT_EQUAL(log_format(line, sizeof line, LOG_INFO, 0, "a", "b", values), 99);
    CU_ASSERT_EQUAL(line[98], '\n');
    CU_ASSERT_EQUAL(line[99], '\0');
}

static void test_levels_have_words(void)
{
    enum log_level level = LOG_INFO;

    CU_ASSERT_TRUE(log_level_of("debug", &level));
    CU_ASSERT_EQUAL(level, LOG_DEBUG);
    CU_ASSERT_FALSE(log_level_of("DEBUG", &level));
    CU_ASSERT_EQUAL(level, LOG_DEBUG);
}

int main(void)
{
    static CU_TestInfo tests[] = {
        { "a line has level, time, area, message and values", test_a_line_has_level_time_area_message_and_values },
        { "values cannot start a line of their own", test_values_cannot_start_a_line_of_their_own },
        { "a long line is cut and still ends", test_a_long_line_is_cut_and_still_ends },
        { "levels have words", test_levels_have_words },
        CU_TEST_INFO_NULL,
    };
    return suite_run("log", tests);
}
