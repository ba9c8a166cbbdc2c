/* SPDX-License-Identifier: Apache-2.0 */
#include "server/history/rollup.h"

#include <string.h>

#include "common/err.h"
#include "tests/unit/suite.h"

#define HOUR (1800000000000ll / ROLLUP_HOUR_MS * ROLLUP_HOUR_MS)

static struct rollup r;
static uint8_t bytes[ROLLUP_BYTES_MAX + 1];
static struct rollup_slot got[ROLLUP_QUANTITIES][ROLLUP_MINUTES];

static struct sample sample_at(int64_t at_ms, uint16_t lowest_mV)
{
    struct sample s = { .utc_ms = (uint64_t)at_ms, .cells = 3, .temps = 2 };

    for (int i = 0; i < SAMPLE_SCALARS; i++)
        s.scalar[i] = scalar_invalid(VALIDITY_NOT_FITTED);
    for (int i = 0; i < 3; i++)
        s.cell_mV[i] = (uint16_t)(lowest_mV + 10 * i);
    s.temp_ddegC[0] = -150;
    s.temp_ddegC[1] = 200;
    s.scalar[SAMPLE_pack_current_mA] = -5000;
    return s;
}

static void test_minutes_keep_their_extremes(void)
{
    rollup_begin(&r, HOUR);
    for (int t = 0; t < 3600; t++) {
        struct sample s = sample_at(HOUR + t * 1000, t == 605 ? 2500 : 3300);

        rollup_add(&r, &s);
    }
    CU_ASSERT_EQUAL(r.samples, 3600);
    CU_ASSERT(r.slot[ROLLUP_cell_min_mV][10].min == 2500 && r.slot[ROLLUP_cell_min_mV][10].max == 3300);
    CU_ASSERT(r.slot[ROLLUP_cell_min_mV][9].min == 3300 && r.slot[ROLLUP_cell_min_mV][11].min == 3300);
    CU_ASSERT(r.slot[ROLLUP_cell_max_mV][0].max == 3320 && r.slot[ROLLUP_cell_mean_mV][0].max == 3310);
    CU_ASSERT(r.slot[ROLLUP_temp_min_ddegC][59].min == -150 && r.slot[ROLLUP_temp_max_ddegC][59].max == 200);
    CU_ASSERT_EQUAL(r.slot[ROLLUP_soc_permyriad][0].count, 0); /* never valid */
    CU_ASSERT_EQUAL(rollup_whole(&r, ROLLUP_cell_min_mV).count, 3600);
    CU_ASSERT_EQUAL(rollup_whole(&r, ROLLUP_cell_min_mV).min, 2500);
}

static void test_only_samples_of_the_hour_count(void)
{
    static const struct {
        int64_t at_ms;
        uint32_t samples;
    } rows[] = { { HOUR - 1, 0 }, { HOUR, 1 }, { HOUR + ROLLUP_HOUR_MS - 1, 1 }, { HOUR + ROLLUP_HOUR_MS, 0 } };

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct sample s = sample_at(rows[i].at_ms, 3300);

        rollup_begin(&r, HOUR);
        rollup_add(&r, &s);
        CU_ASSERT_EQUAL(r.samples, rows[i].samples);
    }
}

static void test_values_that_are_not_valid_do_not_take_part(void)
{
    struct sample s = sample_at(HOUR, 3300);

    s.cell_mV[0] = cell_invalid(VALIDITY_OPEN);
    s.temp_ddegC[0] = temp_invalid(VALIDITY_OPEN);
    rollup_begin(&r, HOUR);
    rollup_add(&r, &s);
    CU_ASSERT_EQUAL(r.slot[ROLLUP_cell_min_mV][0].min, 3310);
    CU_ASSERT_EQUAL(r.slot[ROLLUP_temp_min_ddegC][0].min, 200);
    s.cells = s.temps = 0;
    rollup_begin(&r, HOUR);
    rollup_add(&r, &s);
    CU_ASSERT(r.samples == 1 && r.slot[ROLLUP_cell_min_mV][0].count == 0 && r.slot[ROLLUP_temp_max_ddegC][0].count == 0);
}

static void fill_with_anything(uint32_t seed)
{
    uint32_t x = seed;

    rollup_begin(&r, HOUR);
    for (int q = 0; q < ROLLUP_QUANTITIES; q++) {
        for (int i = 0; i < ROLLUP_MINUTES; i++) {
            struct rollup_slot *s = &r.slot[q][i];
            int32_t v[3];

            for (int k = 0; k < 3; k++) {
                x = x * 1664525u + 1013904223u;
                v[k] = (int32_t)(seed % 2 ? x : x >> 20);
            }
            if (x % 5 == 0)
                continue;
            s->min = v[0] < v[1] ? v[0] : v[1];
            s->max = v[0] < v[1] ? v[1] : v[0];
            s->count = 1 + x % 600;
            s->sum = ((int64_t)s->min + s->max) / 2 * s->count;
        }
    }
}

static void test_any_hour_survives_packing(void)
{
    for (uint32_t seed = 1; seed <= 200; seed++) {
        fill_with_anything(seed);
        size_t n = rollup_pack_minutes(&r, bytes);

        CU_ASSERT_FATAL(n > 0 && n <= ROLLUP_BYTES_MAX);
        CU_ASSERT_EQUAL(rollup_unpack(bytes, n, ROLLUP_MINUTES, got[0]), 0);
        for (int q = 0; q < ROLLUP_QUANTITIES; q++) {
            for (int i = 0; i < ROLLUP_MINUTES; i++) {
                const struct rollup_slot *a = &r.slot[q][i], *b = &got[q][i];

                CU_ASSERT(a->count == b->count && a->min == b->min && a->max == b->max);
                CU_ASSERT(a->count == 0 || rollup_mean(a) == rollup_mean(b));
            }
        }
        struct rollup_slot whole[ROLLUP_QUANTITIES];

        n = rollup_pack_hour(&r, bytes);
        CU_ASSERT_EQUAL(rollup_unpack(bytes, n, 1, whole), 0);
        CU_ASSERT_EQUAL(whole[0].count, rollup_whole(&r, (enum rollup_quantity)0).count);
    }
}

static void test_bytes_that_are_wrong_are_refused(void)
{
    fill_with_anything(2);
    size_t n = rollup_pack_minutes(&r, bytes);

    CU_ASSERT_EQUAL(rollup_unpack(bytes, n, 1, got[0]), BMS_ERR_SCHEMA);
    bytes[n] = 0;
    CU_ASSERT_EQUAL(rollup_unpack(bytes, n + 1, ROLLUP_MINUTES, got[0]), BMS_ERR_CORRUPT);
    for (size_t cut = 0; cut < n; cut++)
        CU_ASSERT_NOT_EQUAL(rollup_unpack(bytes, cut, ROLLUP_MINUTES, got[0]), 0);
    bytes[0]++;
    CU_ASSERT_EQUAL(rollup_unpack(bytes, n, ROLLUP_MINUTES, got[0]), BMS_ERR_SCHEMA);
}

static void test_quantities_of_a_newer_writer_are_skipped(void)
{
    fill_with_anything(4);
    size_t n = rollup_pack_hour(&r, bytes);
    struct rollup_slot whole[ROLLUP_QUANTITIES];

    bytes[1]++;
    bytes[n++] = 0; /* one more, empty */
    CU_ASSERT_EQUAL(rollup_unpack(bytes, n, 1, whole), 0);
    CU_ASSERT_EQUAL(whole[0].count, rollup_whole(&r, (enum rollup_quantity)0).count);
}

int main(void)
{
    static CU_TestInfo tests[] = {
        { "minutes keep their extremes [FL-5]", test_minutes_keep_their_extremes },
        { "only samples of the hour count [FL-5]", test_only_samples_of_the_hour_count },
        { "values that are not valid do not take part [FL-5]", test_values_that_are_not_valid_do_not_take_part },
        { "any hour survives packing [FL-5]", test_any_hour_survives_packing },
        { "bytes that are wrong are refused [FL-5]", test_bytes_that_are_wrong_are_refused },
        { "quantities of a newer writer are skipped [FL-5]", test_quantities_of_a_newer_writer_are_skipped },
        CU_TEST_INFO_NULL,
    };

    return suite_run("rollup", tests);
}
