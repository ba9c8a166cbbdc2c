/* SPDX-License-Identifier: Apache-2.0 */
#include "server/store/store_late.h"

#include "server/history/rollup.h"
#include "server/history/rollup_pass.h"
#include "tests/unit/server/make_record.h"
#include "tests/unit/suite.h"

#include <string.h>

#define HOUR ((int64_t)ROLLUP_HOUR_MS)
#define DAY  (24 * HOUR)
#define NOON (INT64_C(1767268800000)) /* 2026-01-01 12:00:00 UTC */

/* Hours noted for one record with a sample at NOON + at[i] ms, seen at now_ms. */
static size_t hours_of(const int64_t *at, size_t count, int64_t now_ms)
{
    static struct sample samples[RECORD_SAMPLES_MAX];
    static uint8_t bytes[RECORD_MAX];
    struct store_late late = { .too_many = false };

    for (size_t i = 0; i < count; i++)
        samples[i] = make_sample(1, (uint32_t)(i + 1), (uint64_t)(NOON + at[i]), 4, 1);
    size_t size = make_record("demo.a", 1, 1, samples, count, bytes);

    store_late_begin(&late);
    store_late_add(&late, "demo.a", NOON + at[0], NOON + at[count - 1], bytes, size, now_ms);
    CU_ASSERT_FALSE(late.too_many);
    store_late_free(&late);
    return late.hours.rows;
}

static void test_a_record_notes_the_hours_that_hold_its_samples(void)
{
    static const struct {
        int64_t at[4];
        size_t count, hours;
    } rows[] = {
        { { 0, 1000, 2000, HOUR - 1 }, 4, 1 },            /* within an hour */
        { { HOUR - 1, HOUR }, 2, 2 },                     /* over its end */
        { { 0, HOUR, 2 * HOUR, 3 * HOUR }, 4, 4 },        /* one in each */
        { { 0, 2 * HOUR }, 2, 2 },                        /* none in the middle one */
        { { 0, 12 * DAY }, 2, 2 },                        /* parked for twelve days: not 289 */
        { { 0, 12 * DAY, 24 * DAY, 24 * DAY + 1 }, 4, 3 } /* two in the last one */
    };

    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
        CU_ASSERT_EQUAL(hours_of(rows[i].at, rows[i].count, NOON + 400 * DAY), rows[i].hours);
}

static void test_the_longest_record_notes_no_more_hours_than_it_has_samples(void)
{
    int64_t at[RECORD_SAMPLES_MAX];

    for (int i = 0; i < RECORD_SAMPLES_MAX; i++)
        at[i] = i * (400 * DAY / (RECORD_SAMPLES_MAX - 1));
    CU_ASSERT_EQUAL(hours_of(at, RECORD_SAMPLES_MAX, NOON + 401 * DAY), RECORD_SAMPLES_MAX);
}

static void test_an_hour_that_is_not_over_yet_is_not_noted(void)
{
    static const int64_t at[] = { 0, 30 * HOUR, 31 * HOUR };
    int64_t over = NOON + 31 * HOUR + HOUR + ROLLUP_LATE_MS;

    CU_ASSERT_EQUAL(hours_of(at, 3, over), 3);
    CU_ASSERT_EQUAL(hours_of(at, 3, over - 1), 2);
    CU_ASSERT_EQUAL(hours_of(at, 1, NOON + HOUR + ROLLUP_LATE_MS), 1);
    CU_ASSERT_EQUAL(hours_of(at, 1, NOON + HOUR + ROLLUP_LATE_MS - 1), 0);
}

int main(void)
{
    static CU_TestInfo tests[] = {
        { "a record notes the hours that hold its samples", test_a_record_notes_the_hours_that_hold_its_samples },
        { "the longest record notes no more hours than it has samples", test_the_longest_record_notes_no_more_hours_than_it_has_samples },
        { "an hour that is not over yet is not noted", test_an_hour_that_is_not_over_yet_is_not_noted },
        CU_TEST_INFO_NULL,
    };
    return suite_run("store_late", tests);
}
