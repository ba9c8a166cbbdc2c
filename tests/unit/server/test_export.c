/* SPDX-License-Identifier: Apache-2.0 */
#include "server/history/export.h"

#include <stdio.h>
#include <string.h>

#include "common/err.h"
#include "tests/unit/suite.h"

#define T0 1800000000000ll /* 2027-01-15T08:00:00Z */

static struct export e;
static struct text out;
static char bad[HISTORY_NAME_SIZE];

static void start(const char *series, enum export_format format, int64_t step_ms)
{
    CU_ASSERT_EQUAL_FATAL(export_choose(&e, series, 0, 0, bad), 0);
    export_begin(&e, format, T0, T0 + 60000, step_ms);
    out.len = 0;
    export_head(&e, &out);
}

static void take(int64_t at_ms, uint16_t mV, int32_t mA)
{
    struct sample s = { .utc_ms = (uint64_t)at_ms, .boot = 7, .no = 12, .cells = 2 };

    s.cell_mV[0] = mV;
    s.cell_mV[1] = cell_invalid(VALIDITY_OPEN);
    s.scalar[SAMPLE_pack_current_mA] = mA;
    export_sample(&e, &s, &out);
}

static bool says(const char *text)
{
    bool same = out.len == strlen(text) && memcmp(out.buf, text, out.len) == 0;

    if (!same)
        printf("\n%.*s", (int)out.len, out.buf);
    return same;
}

static void test_every_sample_is_a_line(void)
{
    start("cell_1_mV,cell_2_mV,pack_current_mA", EXPORT_CSV, 0);
    take(T0, 3700, -12400);
    take(T0 + 1001, 3701, scalar_invalid(VALIDITY_STALE));
    export_end(&e, &out);
    CU_ASSERT(says("utc_ms,time,boot,no,cell_1_mV,cell_2_mV,pack_current_mA\r\n"
                   "1800000000000,2027-01-15T08:00:00.000Z,7,12,3700,,-12400\r\n"
                   "1800000001001,2027-01-15T08:00:01.001Z,7,12,3701,,\r\n"));
}

static void test_json_lines_say_null_for_what_is_not_there(void)
{
    start("cell_1_mV,cell_2_mV", EXPORT_NDJSON, 0);
    take(T0 + 5, 3700, 0);
    CU_ASSERT(says(
        "{\"utc_ms\":1800000000005,\"time\":\"2027-01-15T08:00:00.005Z\",\"boot\":7,\"no\":12,\"cell_1_mV\":3700,\"cell_2_mV\":null}\n"));
}

static void test_a_step_keeps_the_extremes(void)
{
    start("cell_1_mV,cell_2_mV", EXPORT_CSV, 10000);
    take(T0, 3700, 0);
    take(T0 + 9999, 4200, 0);
    take(T0 + 10000, 3600, 0);
    export_end(&e, &out);
    CU_ASSERT(says("utc_ms,time,samples,cell_1_mV_min,cell_1_mV_mean,cell_1_mV_max,cell_2_mV_min,cell_2_mV_mean,cell_2_mV_max\r\n"
                   "1800000000000,2027-01-15T08:00:00.000Z,2,3700,3950,4200,,,\r\n"
                   "1800000010000,2027-01-15T08:00:10.000Z,1,3600,3600,3600,,,\r\n"));
}

static void test_the_span_ends_exactly(void)
{
    start("cell_1_mV", EXPORT_NDJSON, 0);
    take(T0 - 1, 1, 0);
    take(T0 + 60000, 1, 0);
    CU_ASSERT_EQUAL(out.len, 0);
    take(T0, 1, 0);
    take(T0 + 59999, 1, 0);
    CU_ASSERT(out.len > 0);
}

static void test_a_clock_set_back_loses_no_sample(void)
{
    start("cell_1_mV", EXPORT_NDJSON, 10000);
    take(T0 + 10000, 3600, 0);
    take(T0, 3500, 0);
    export_end(&e, &out);
    CU_ASSERT(
        says("{\"utc_ms\":1800000010000,\"time\":\"2027-01-15T08:00:10.000Z\",\"samples\":2,\"cell_1_mV_min\":3500,\"cell_1_mV_mean\":3550,"
             "\"cell_1_mV_max\":3600}\n"));
}

static void test_without_a_list_everything_is_there(void)
{
    CU_ASSERT_EQUAL(export_choose(&e, NULL, 160, 64, bad), 0);
    CU_ASSERT_EQUAL(e.count, EXPORT_SERIES_MAX);
    CU_ASSERT_EQUAL(export_choose(&e, NULL, 4, 0, bad), 0);
    CU_ASSERT_EQUAL(e.count, SAMPLE_SCALARS + 4);
}

static void test_a_name_that_is_none_is_named(void)
{
    CU_ASSERT_EQUAL(export_choose(&e, "cell_1_mV,what", 4, 0, bad), BMS_ERR_RANGE);
    CU_ASSERT_STRING_EQUAL(bad, "what");
    CU_ASSERT_EQUAL(export_choose(&e, "", 4, 0, bad), BMS_ERR_RANGE);
    CU_ASSERT_EQUAL(export_choose(&e, "cell_161_mV", 4, 0, bad), BMS_ERR_RANGE);
}

static void test_numbers_at_their_ends(void)
{
    start("pack_current_mA,param_running_hash", EXPORT_NDJSON, 0);
    struct sample s = { .utc_ms = T0, .boot = UINT32_MAX, .no = UINT32_MAX };

    s.scalar[SAMPLE_pack_current_mA] = INT32_MAX;
    s.scalar[SAMPLE_param_running_hash] = -1;
    export_sample(&e, &s, &out);
    CU_ASSERT(says("{\"utc_ms\":1800000000000,\"time\":\"2027-01-15T08:00:00.000Z\",\"boot\":4294967295,\"no\":4294967295,"
                   "\"pack_current_mA\":2147483647,\"param_running_hash\":4294967295}\n"));
}

int main(void)
{
    static CU_TestInfo tests[] = {
        { "every sample is a line [FL-5]", test_every_sample_is_a_line },
        { "JSON lines say null for what is not there [FL-5]", test_json_lines_say_null_for_what_is_not_there },
        { "a step keeps the extremes [FL-5]", test_a_step_keeps_the_extremes },
        { "the span ends exactly [FL-5]", test_the_span_ends_exactly },
        { "a clock set back loses no sample [FL-5]", test_a_clock_set_back_loses_no_sample },
        { "without a list everything is there [FL-5]", test_without_a_list_everything_is_there },
        { "a name that is none is named", test_a_name_that_is_none_is_named },
        { "numbers at their ends", test_numbers_at_their_ends },
        CU_TEST_INFO_NULL,
    };
    int failed = suite_run("export", tests);

    text_free(&out);
    return failed;
}
