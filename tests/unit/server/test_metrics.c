/* SPDX-License-Identifier: Apache-2.0 */
#include "server/metrics.h"
#include "tests/unit/suite.h"

#include <stdbool.h>
#include <string.h>

static char text[METRICS_TEXT_MAX];

static void print(void)
{
    CU_ASSERT_TRUE_FATAL(metrics_text(text, sizeof text, "all", "1.2.3") < sizeof text);
}

static bool has(const char *line)
{
    return strstr(text, line) != NULL;
}

static void test_counters_count_and_gauges_stand(void)
{
    metrics_add(METRIC_RECORDS, 3);
    metrics_add(METRIC_RECORDS, 4);
    metrics_set(METRIC_RING_RECORDS, 9);
    metrics_set(METRIC_RING_RECORDS, 5);
    print();
    CU_ASSERT_TRUE(has("\ncellwarden_records_total 7\n"));
    CU_ASSERT_TRUE(has("\ncellwarden_ring_records 5\n"));
    CU_ASSERT_TRUE(has("cellwarden_build_info{version=\"1.2.3\",roles=\"all\"} 1\n"));
}

static void test_a_histogram_is_cumulative_and_its_limits_are_inside(void)
{
    metrics_observe(METRIC_COMMIT_MS, 1);
    metrics_observe(METRIC_COMMIT_MS, 2);
    metrics_observe(METRIC_COMMIT_MS, 3);
    metrics_observe(METRIC_COMMIT_MS, 10001);
    print();
    CU_ASSERT_TRUE(has("cellwarden_commit_ms_bucket{le=\"1\"} 1\n"));
    CU_ASSERT_TRUE(has("cellwarden_commit_ms_bucket{le=\"2\"} 2\n"));
    CU_ASSERT_TRUE(has("cellwarden_commit_ms_bucket{le=\"5\"} 3\n"));
    CU_ASSERT_TRUE(has("cellwarden_commit_ms_bucket{le=\"10000\"} 3\n"));
    CU_ASSERT_TRUE(has("cellwarden_commit_ms_bucket{le=\"+Inf\"} 4\n"));
    CU_ASSERT_TRUE(has("cellwarden_commit_ms_sum 10007\n"));
    CU_ASSERT_TRUE(has("cellwarden_commit_ms_count 4\n"));
    CU_ASSERT_EQUAL(metrics_get(METRIC_COMMIT_MS), 4);
}

static void test_each_name_has_one_help_and_one_type(void)
{
    size_t helps = 0;

    print();
    for (const char *p = text; (p = strstr(p, "# TYPE cellwarden_poison_records_total ")) != NULL; p++)
        helps++;
    CU_ASSERT_EQUAL(helps, 1);
    CU_ASSERT_TRUE(has("cellwarden_poison_records_total{reason=\"clock_past\"} 0\n"));
}

static void test_a_short_buffer_is_not_overrun(void)
{
    char small[64];

    small[63] = 'z';
    CU_ASSERT_TRUE(metrics_text(small, 63, "all", "1") > 63);
    CU_ASSERT_EQUAL(small[62], '\0');
    CU_ASSERT_EQUAL(small[63], 'z');
}

int main(void)
{
    static CU_TestInfo tests[] = {
        { "counters count and gauges stand", test_counters_count_and_gauges_stand },
        { "a histogram is cumulative and its limits are inside", test_a_histogram_is_cumulative_and_its_limits_are_inside },
        { "each name has one help and one type", test_each_name_has_one_help_and_one_type },
        { "a short buffer is not overrun", test_a_short_buffer_is_not_overrun },
        CU_TEST_INFO_NULL,
    };
    return suite_run("metrics", tests);
}
