/* SPDX-License-Identifier: Apache-2.0 */
#include "proto/body.h"

#include <stdio.h>
#include <string.h>

#include "common/crc.h"
#include "common/err.h"
#include "tests/unit/proto/samples.h"
#include "tests/unit/suite.h"

enum { SPACE = 96 * 1024, GOLDEN_LEN = 219 };
#define GOLDEN_CRC 0xA4911869u

static struct sample in[RECORD_SAMPLES_MAX], out[RECORD_SAMPLES_MAX];
static uint8_t body[SPACE];

/* Encode n of `in`, decode into `out`: true when nothing changed. */
static bool survives(size_t n)
{
    int len = body_encode(in, n, body, sizeof(body));

    if (len <= 0)
        return false;
    struct record r = envelope_of(in, n, body, (size_t)len);

    if (body_decode(&r, out) != BMS_ERR_OK)
        return false;
    for (size_t i = 0; i < n; i++)
        if (!sample_is_equal(&in[i], &out[i]))
            return false;
    return true;
}

static void test_plausible_packs_of_every_size_survive(void)
{
    static const uint8_t cells[] = { 0, 1, 4, 16, 47, 48, 96, 159, 160 };

    for (size_t c = 0; c < sizeof(cells); c++) {
        for (size_t n = 1; n <= RECORD_SAMPLES_MAX; n++) {
            plausible_samples(in, n, cells[c], (uint8_t)(cells[c] / 4), 1 + (uint32_t)n);
            CU_ASSERT_TRUE(survives(n));
        }
    }
}

static void test_any_values_at_all_survive(void)
{
    for (uint32_t seed = 1; seed <= 300; seed++) {
        size_t n = 1 + seed % RECORD_SAMPLES_MAX;

        any_samples(in, n, (uint8_t)(seed * 7 % (PACK_CELLS_MAX + 1)), (uint8_t)(seed % (PACK_TEMPS_MAX + 1)), seed);
        CU_ASSERT_TRUE(survives(n));
    }
}

static void test_reasons_of_missing_values_survive(void)
{
    plausible_samples(in, 10, 48, 12, 5);
    in[4].cell_mV[7] = cell_invalid(VALIDITY_OPEN);
    in[5].cell_mV[7] = cell_invalid(VALIDITY_STALE);
    in[0].temp_ddegC[3] = temp_invalid(VALIDITY_NOT_FITTED);
    in[9].scalar[SAMPLE_insulation_kohm] = scalar_invalid(VALIDITY_NEVER);
    CU_ASSERT_TRUE(survives(10));
    CU_ASSERT_EQUAL(cell_validity(out[4].cell_mV[7]), VALIDITY_OPEN);
    CU_ASSERT_EQUAL(temp_validity(out[0].temp_ddegC[3]), VALIDITY_NOT_FITTED);
    CU_ASSERT_EQUAL(scalar_validity(out[9].scalar[SAMPLE_insulation_kohm]), VALIDITY_NEVER);
}

static void test_samples_that_do_not_follow_are_refused(void)
{
    plausible_samples(in, 3, 16, 4, 9);
    CU_ASSERT_EQUAL(body_encode(in, 0, body, sizeof(body)), BMS_ERR_RANGE);
    in[2].no++;
    CU_ASSERT_EQUAL(body_encode(in, 3, body, sizeof(body)), BMS_ERR_RANGE);
    in[2].no--;
    in[1].boot++;
    CU_ASSERT_EQUAL(body_encode(in, 3, body, sizeof(body)), BMS_ERR_RANGE);
    in[1].boot--;
    in[2].utc_ms = in[1].utc_ms + (1u << 30);
    CU_ASSERT_EQUAL(body_encode(in, 3, body, sizeof(body)), BMS_ERR_RANGE);
    in[2].utc_ms--;
    CU_ASSERT(body_encode(in, 3, body, sizeof(body)) > 0);
    in[2].utc_ms = in[1].utc_ms - (1u << 30) + 1; /* the clock was set back */
    CU_ASSERT_TRUE(survives(3));
}

static void test_too_small_a_buffer_is_an_error_not_a_write(void)
{
    plausible_samples(in, 10, 48, 12, 3);
    int len = body_encode(in, 10, body, sizeof(body));

    for (int size = 0; size < len; size++) {
        body[size] = 0xA5;
        CU_ASSERT_EQUAL(body_encode(in, 10, body, (size_t)size), BMS_ERR_NOSPACE);
        CU_ASSERT_EQUAL(body[size], 0xA5);
    }
}

static void test_every_truncation_is_found(void)
{
    plausible_samples(in, 10, 48, 12, 3);
    int len = body_encode(in, 10, body, sizeof(body));

    for (int n = 0; n < len; n++) {
        struct record r = envelope_of(in, 10, body, (size_t)n);

        CU_ASSERT_NOT_EQUAL(body_decode(&r, out), BMS_ERR_OK);
    }
    struct record more = envelope_of(in, 10, body, (size_t)len + 1);

    body[len] = 0;
    CU_ASSERT_EQUAL(body_decode(&more, out), BMS_ERR_CORRUPT);
}

static bool columns_agree(const struct columns *c, size_t n, enum body_part last)
{
    bool same = c->count == n;

    for (uint32_t i = 0; i < n && same; i++) {
        same = c->utc_ms[i] == in[i].utc_ms;
        for (unsigned k = 0; k < SAMPLE_SCALARS; k++)
            same = same && c->scalar[k][i] == in[i].scalar[k];
        for (unsigned k = 0; k < in[0].cells && last >= BODY_CELLS; k++)
            same = same && c->cell_mV[i][k] == in[i].cell_mV[k];
        for (unsigned k = 0; k < in[0].temps && last >= BODY_TEMPS; k++)
            same = same && c->temp_ddegC[i][k] == in[i].temp_ddegC[k];
    }
    return same;
}

static void test_reading_until_a_part_gives_the_same_values(void)
{
    static struct columns c;

    for (uint32_t seed = 1; seed <= 60; seed++) {
        any_samples(in, seed, (uint8_t)(seed * 7 % (PACK_CELLS_MAX + 1)), (uint8_t)(seed % (PACK_TEMPS_MAX + 1)), seed);
        int len = body_encode(in, seed, body, sizeof(body));
        struct record r = envelope_of(in, seed, body, (size_t)len);

        for (int last = BODY_SCALARS; last <= BODY_TEMPS; last++) {
            memset(&c, 0xA5, sizeof(c));
            CU_ASSERT_EQUAL(body_columns_until(&r, (enum body_part)last, &c), BMS_ERR_OK);
            CU_ASSERT_TRUE(columns_agree(&c, seed, (enum body_part)last));
        }
        r.last_utc_ms++;
        CU_ASSERT_EQUAL(body_columns_until(&r, BODY_SCALARS, &c), BMS_ERR_CORRUPT);
    }
}

static void test_reading_until_a_part_stops_behind_it(void)
{
    static struct columns c;

    plausible_samples(in, 10, 48, 12, 3);
    int len = body_encode(in, 10, body, sizeof(body));
    struct record r = envelope_of(in, 10, body, (size_t)len - 1); /* the last byte belongs to the alarms */

    CU_ASSERT_EQUAL(body_columns_until(&r, BODY_TEMPS, &c), BMS_ERR_OK);
    r.body_len = 40; /* in the middle of the scalars or cells */
    CU_ASSERT_EQUAL(body_columns_until(&r, BODY_CELLS, &c), BMS_ERR_CORRUPT);
    r.body_len = 1;
    CU_ASSERT_EQUAL(body_columns_until(&r, BODY_SCALARS, &c), BMS_ERR_TRUNCATED);
    r.body_len = (size_t)len;
    body[0] = 1;
    CU_ASSERT_EQUAL(body_columns_until(&r, BODY_SCALARS, &c), BMS_ERR_SCHEMA);
}

static void test_unknown_layout_is_named(void)
{
    plausible_samples(in, 1, 4, 0, 3);
    int len = body_encode(in, 1, body, sizeof(body));
    struct record r = envelope_of(in, 1, body, (size_t)len);

    body[0] = 1; /* what never left the laboratory */
    CU_ASSERT_EQUAL(body_decode(&r, out), BMS_ERR_SCHEMA);
}

static void test_damage_never_leaves_the_arrays(void)
{
    static struct columns partly;
    uint32_t seed = 77;

    plausible_samples(in, 20, 96, 24, 3);
    int len = body_encode(in, 20, body, sizeof(body));

    for (int round = 0; round < 20000; round++) {
        uint32_t at = any_u32(&seed) % (uint32_t)len;
        uint8_t was = body[at];
        struct record r = envelope_of(in, 20, body, (size_t)len);

        body[at] = (uint8_t)any_u32(&seed);
        (void)body_decode(&r, out); /* the sanitizers judge */
        (void)body_columns_until(&r, (enum body_part)(round % 3), &partly);
        body[at] = was;
    }
    CU_PASS("no crash");
}

static void test_a_value_costs_about_half_a_byte(void)
{
    plausible_samples(in, 10, 96, 24, 3);
    int len = body_encode(in, 10, body, sizeof(body));

    printf("\n    96 cells, 24 probes, 10 samples: %.3f bytes a cell and sample ", (double)len / (10 * (96 + 24)));
    CU_ASSERT(len < 6 * (96 + 24));
}

static int length_of(size_t n)
{
    return body_encode(in, n, body, sizeof(body));
}

static void test_a_scalar_that_is_not_there_costs_one_bit(void)
{
    plausible_samples(in, 10, 0, 0, 3);
    for (size_t i = 0; i < 10; i++)
        for (unsigned k = 0; k < SAMPLE_SCALARS; k++)
            in[i].scalar[k] = scalar_invalid(VALIDITY_NOT_FITTED);
    CU_ASSERT(length_of(10) <= 2 + 3 + 6 + 2 + (SAMPLE_SCALARS + 7) / 8);
    CU_ASSERT_TRUE(survives(10));
}

static void test_steps_of_a_coarse_sensor_cost_no_bits(void)
{
    uint32_t seed = 5;

    plausible_samples(in, 60, 4, 0, 3);
    for (size_t i = 0; i < 60; i++)
        in[i].scalar[SAMPLE_pack_current_mA] = (int32_t)(any_u32(&seed) % 8);
    int fine = length_of(60);

    for (size_t i = 0; i < 60; i++)
        in[i].scalar[SAMPLE_pack_current_mA] *= 100;
    CU_ASSERT(length_of(60) <= fine + 4);
    CU_ASSERT_TRUE(survives(60));
}

static void test_extreme_scalars_survive(void)
{
    static const int32_t ends[] = { INT32_MIN, INT32_MAX, 0, -1, 1, INT32_MIN + 1, INT32_MAX - 1 };
    const size_t n = sizeof(ends) / sizeof(ends[0]);

    for (size_t turn = 0; turn < n; turn++) {
        plausible_samples(in, n, 4, 0, 3);
        for (size_t i = 0; i < n; i++)
            in[i].scalar[turn] = ends[(i + turn) % n];
        CU_ASSERT_TRUE(survives(n));
    }
}

static void test_a_cell_that_is_missing_for_a_while_costs_itself_only(void)
{
    plausible_samples(in, 60, 96, 0, 3);
    int whole = length_of(60);

    for (size_t i = 20; i < 40; i++)
        in[i].cell_mV[50] = cell_invalid(VALIDITY_OPEN);
    int missing = length_of(60);

    printf("\n    %d bytes, with one cell missing for 20 samples %d ", whole, missing);
    CU_ASSERT(missing < whole + 60);
    CU_ASSERT_TRUE(survives(60));
}

static void test_the_ends_of_a_cells_range_in_turn_survive(void)
{
    plausible_samples(in, 60, 160, 64, 3);
    for (size_t i = 0; i < 60; i++) {
        for (size_t c = 0; c < 160; c++)
            in[i].cell_mV[c] = (i + c / 3) % 2 ? UINT16_MAX : 0;
        for (size_t t = 0; t < 64; t++)
            in[i].temp_ddegC[t] = (i * t) % 3 ? INT16_MIN : INT16_MAX;
    }
    CU_ASSERT_TRUE(survives(60));
}

/* The bytes of layout 2 never change: this is the golden vector of record-body.md. */
static void test_golden_vector_of_layout_2(void)
{
    plausible_samples(in, 10, 48, 12, 1);
    in[3].alarms = 1;
    in[3].alarm[0] = (struct sample_alarm) { .alarm = 2, .level = ALARM_MAJOR, .number = 47, .value = 4251 };
    in[3].balancing[2] = 0x8001;
    int len = body_encode(in, 10, body, sizeof(body));

    printf("\n    length %d crc32c %08X ", len, len > 0 ? (unsigned)crc32c(0, body, (size_t)len) : 0u);
    CU_ASSERT_EQUAL(len, GOLDEN_LEN);
    CU_ASSERT_EQUAL(crc32c(0, body, (size_t)len), GOLDEN_CRC);
    CU_ASSERT_TRUE(survives(10));
}

int main(void)
{
    static CU_TestInfo tests[] = {
        { "plausible packs of every size survive [PK-2] [FL-1]", test_plausible_packs_of_every_size_survive },
        { "any values at all survive [FL-1]", test_any_values_at_all_survive },
        { "reasons of missing values survive", test_reasons_of_missing_values_survive },
        { "samples that do not follow are refused", test_samples_that_do_not_follow_are_refused },
        { "too small a buffer is an error, not a write", test_too_small_a_buffer_is_an_error_not_a_write },
        { "every truncation is found", test_every_truncation_is_found },
        { "an unknown layout is named", test_unknown_layout_is_named },
        { "reading until a part gives the same values", test_reading_until_a_part_gives_the_same_values },
        { "reading until a part stops behind it", test_reading_until_a_part_stops_behind_it },
        { "damage never leaves the arrays", test_damage_never_leaves_the_arrays },
        { "a value costs about half a byte", test_a_value_costs_about_half_a_byte },
        { "a scalar that is not there costs one bit", test_a_scalar_that_is_not_there_costs_one_bit },
        { "steps of a coarse sensor cost no bits", test_steps_of_a_coarse_sensor_cost_no_bits },
        { "extreme scalars survive", test_extreme_scalars_survive },
        { "a cell that is missing for a while costs itself only", test_a_cell_that_is_missing_for_a_while_costs_itself_only },
        { "the ends of a cell's range in turn survive", test_the_ends_of_a_cells_range_in_turn_survive },
        { "golden vector of layout 2", test_golden_vector_of_layout_2 },
        CU_TEST_INFO_NULL,
    };
    return suite_run("body", tests);
}
