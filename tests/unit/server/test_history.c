/* SPDX-License-Identifier: Apache-2.0 */
#include "server/history/history.h"

#include "common/err.h"
#include "tests/unit/suite.h"

#include <stdio.h>
#include <string.h>

#define T0 1800000000000ll /* a multiple of every width used here */

static void one_sample(struct sample *s, int64_t at_ms, uint16_t cell_mV)
{
    memset(s, 0, sizeof *s);
    s->utc_ms = (uint64_t)at_ms;
    s->cells = 4;
    s->temps = 2;
    for (int i = 0; i < 4; i++)
        s->cell_mV[i] = (uint16_t)(cell_mV + i);
    s->temp_ddegC[0] = -120;
    s->temp_ddegC[1] = -80;
    s->scalar[SAMPLE_pack_current_mA] = -12400;
}

/* A history over `seconds` from T0 with buckets of 10 s. */
static void start(struct history *h, const char *series, int64_t seconds)
{
    char bad[HISTORY_NAME_SIZE];

    CU_ASSERT_EQUAL_FATAL(history_parse(series, h, bad), 0);
    CU_ASSERT_EQUAL_FATAL(history_init(h, T0, T0 + seconds * 1000, seconds / 10), 0);
    CU_ASSERT_EQUAL_FATAL(h->step_ms, 10000);
}

static void test_series_are_known_by_name(void)
{
    static const struct {
        const char *list;
        int err;
        size_t count;
    } rows[] = {
        { "pack_current_mA", 0, 1 },
        { "cell_1_mV,cell_160_mV,temp_1_ddegC,temp_64_ddegC", 0, 4 },
        { "cell_min_mV,cell_max_mV,cell_mean_mV,temp_max_ddegC", 0, 4 },
        { "soc_permyriad,soc_permyriad", 0, 1 },
        { "cell_1_mV,cell_2_mV,cell_3_mV,cell_4_mV,cell_5_mV,cell_6_mV,cell_7_mV,cell_8_mV", 0, 8 },
        { "cell_1_mV,cell_2_mV,cell_3_mV,cell_4_mV,cell_5_mV,cell_6_mV,cell_7_mV,cell_8_mV,cell_9_mV", BMS_ERR_RANGE, 0 },
        { "", BMS_ERR_RANGE, 0 },
        { "pack_current_mA,", BMS_ERR_RANGE, 0 },
        { "cell_0_mV", BMS_ERR_RANGE, 0 },
        { "cell_161_mV", BMS_ERR_RANGE, 0 },
        { "cell_01_mV", BMS_ERR_RANGE, 0 },
        { "cell_99999999999999999999_mV", BMS_ERR_RANGE, 0 },
        { "temp_65_ddegC", BMS_ERR_RANGE, 0 },
        { "cell_1_mV2", BMS_ERR_RANGE, 0 },
        { "csu_current_mA", BMS_ERR_RANGE, 0 }, /* on CAN only */
        { "a_name_that_is_longer_than_any_name_there_is", BMS_ERR_RANGE, 0 },
        { "'; DROP TABLE record; --", BMS_ERR_RANGE, 0 },
    };

    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct history h;
        char bad[HISTORY_NAME_SIZE];
        int err = history_parse(rows[i].list, &h, bad);

        CU_ASSERT_EQUAL(err, rows[i].err);
        if (err == 0)
            CU_ASSERT_EQUAL(h.series_count, rows[i].count);
    }
}

static void test_spike_of_one_second_stays_visible(void)
{
    struct history h;
    struct sample s;

    start(&h, "cell_2_mV,cell_max_mV", 600);
    for (int t = 0; t < 600; t++) {
        one_sample(&s, T0 + t * 1000, t == 305 ? 4200 : 3300);
        history_add_sample(&h, &s);
    }
    CU_ASSERT_EQUAL(h.bucket[30].max, 4201);
    CU_ASSERT_EQUAL(h.bucket[30].min, 3301);
    CU_ASSERT_EQUAL(h.bucket[30].count, 10);
    CU_ASSERT_EQUAL(h.bucket[h.buckets + 30].max, 4203);
    CU_ASSERT_EQUAL(h.bucket[29].max, 3301);
    CU_ASSERT_EQUAL(h.bucket[31].max, 3301);
    history_deinit(&h);
}

/* Every kind of series; what a record adds is what its samples add. */
static void test_record_adds_what_its_samples_add(void)
{
    static const char *const lists[] = { "pack_current_mA,soc_permyriad", "cell_2_mV", "cell_5_mV,cell_mean_mV",
                                         "temp_2_ddegC,temp_min_ddegC,temp_max_ddegC,cell_min_mV,cell_max_mV,pack_current_mA" };
    static struct sample s[RECORD_SAMPLES_MAX];
    static struct columns room;
    static uint8_t body[RECORD_BODY_MAX], sealed[RECORD_MAX];

    for (int i = 0; i < RECORD_SAMPLES_MAX; i++) {
        one_sample(&s[i], T0 + i * 1000, (uint16_t)(3300 + i * 7 % 13));
        s[i].no = (uint32_t)i + 1;
    }
    s[7].cell_mV[1] = cell_invalid(VALIDITY_OPEN);
    s[9].scalar[SAMPLE_pack_current_mA] = scalar_invalid(VALIDITY_STALE);
    int len = body_encode(s, RECORD_SAMPLES_MAX, body, sizeof body);
    struct record r = { .device = "demo.bus",
                        .seq = 1,
                        .first_no = 1,
                        .count = RECORD_SAMPLES_MAX,
                        .cells = 4,
                        .temps = 2,
                        .first_utc_ms = s[0].utc_ms,
                        .last_utc_ms = s[RECORD_SAMPLES_MAX - 1].utc_ms,
                        .body = body,
                        .body_len = (size_t)len };
    int size = record_seal(&r, sealed, sizeof sealed);

    for (size_t l = 0; l < sizeof lists / sizeof lists[0]; l++) {
        struct history one, other;

        start(&one, lists[l], 60);
        start(&other, lists[l], 60);
        for (int i = 0; i < RECORD_SAMPLES_MAX; i++)
            history_add_sample(&one, &s[i]);
        memset(&room, 0xA5, sizeof room);
        history_add_record(&other, sealed, (size_t)size, &room);
        CU_ASSERT_EQUAL(memcmp(one.bucket, other.bucket, one.buckets * one.series_count * sizeof *one.bucket), 0);
        history_add_record(&other, sealed, (size_t)size - 1, &room); /* damaged: adds nothing */
        CU_ASSERT_EQUAL(memcmp(one.bucket, other.bucket, one.buckets * one.series_count * sizeof *one.bucket), 0);
        history_deinit(&one);
        history_deinit(&other);
    }
}

static void test_gap_is_count_0_and_null(void)
{
    struct history h;
    struct sample s;
    struct jsonw j;
    static const char want[] =
        "{\"from\":1800000000000,\"to\":1800000030000,\"step_ms\":10000,"
        "\"t\":[1800000000000,1800000010000,1800000020000],\"series\":{\"pack_current_mA\":{\"unit\":\"mA\","
        "\"min\":[-12400,null,-12400],\"mean\":[-12400,null,-12400],\"max\":[-12400,null,-12400],\"count\":[2,0,1]}}}";

    start(&h, "pack_current_mA", 30);
    one_sample(&s, T0, 3300);
    history_add_sample(&h, &s);
    one_sample(&s, T0 + 9999, 3300);
    history_add_sample(&h, &s);
    one_sample(&s, T0 + 20000, 3300);
    history_add_sample(&h, &s);
    jsonw_init(&j, 4096);
    history_render(&h, &j);
    CU_ASSERT_EQUAL(j.len, strlen(want));
    CU_ASSERT_NSTRING_EQUAL(j.buf, want, j.len);
    jsonw_deinit(&j);
    history_deinit(&h);
}

static void test_values_that_are_not_valid_are_no_values(void)
{
    struct history h;
    struct sample s;

    start(&h, "cell_1_mV,cell_min_mV,temp_1_ddegC,pack_current_mA,cell_9_mV", 10);
    one_sample(&s, T0, 3300);
    s.cell_mV[0] = cell_invalid(VALIDITY_OPEN);
    s.temp_ddegC[0] = temp_invalid(VALIDITY_NOT_FITTED);
    s.scalar[SAMPLE_pack_current_mA] = scalar_invalid(VALIDITY_STALE);
    history_add_sample(&h, &s);
    CU_ASSERT_EQUAL(h.bucket[0].count, 0);
    CU_ASSERT_EQUAL(h.bucket[1].count, 1);
    CU_ASSERT_EQUAL(h.bucket[1].min, 3301); /* the lowest of those that are there */
    CU_ASSERT_EQUAL(h.bucket[2].count, 0);
    CU_ASSERT_EQUAL(h.bucket[3].count, 0);
    CU_ASSERT_EQUAL(h.bucket[4].count, 0); /* the pack has 4 cells */
    history_deinit(&h);
}

static void test_span_ends_exactly(void)
{
    struct history h;

    start(&h, "cell_1_mV", 20);
    history_add(&h, 0, T0 - 1, 1, 1, 1, 1);
    history_add(&h, 0, T0 + 20000, 1, 1, 1, 1);
    CU_ASSERT(h.bucket[0].count == 0 && h.bucket[1].count == 0);
    history_add(&h, 0, T0, 1, 1, 1, 1);
    history_add(&h, 0, T0 + 19999, 1, 1, 1, 1);
    CU_ASSERT(h.bucket[0].count == 1 && h.bucket[1].count == 1);
    history_deinit(&h);
}

static void test_buckets_do_not_move_with_the_span(void)
{
    struct history a, b;
    char bad[HISTORY_NAME_SIZE];

    history_parse("cell_1_mV", &a, bad);
    history_parse("cell_1_mV", &b, bad);
    CU_ASSERT_EQUAL(history_init(&a, T0 + 1, T0 + 3600001, 360), 0);
    CU_ASSERT_EQUAL(history_init(&b, T0 + 4321, T0 + 3604321, 360), 0);
    CU_ASSERT_EQUAL(a.step_ms, b.step_ms);
    CU_ASSERT_EQUAL(a.from_ms % a.step_ms, 0);
    CU_ASSERT_EQUAL(a.from_ms, b.from_ms);
    history_deinit(&a);
    history_deinit(&b);
}

static void test_bad_spans_are_refused(void)
{
    struct history h;
    char bad[HISTORY_NAME_SIZE];

    history_parse("cell_1_mV", &h, bad);
    CU_ASSERT_EQUAL(history_init(&h, T0, T0, 100), BMS_ERR_RANGE);
    CU_ASSERT_EQUAL(history_init(&h, T0 + 1, T0, 100), BMS_ERR_RANGE);
    CU_ASSERT_EQUAL(history_init(&h, -1, T0, 100), BMS_ERR_RANGE);
    CU_ASSERT_EQUAL(history_init(&h, T0, T0 + 1, 0), BMS_ERR_RANGE);
    CU_ASSERT_EQUAL(history_init(&h, T0, T0 + 1, HISTORY_PX_MAX + 1), BMS_ERR_RANGE);
    CU_ASSERT_EQUAL(history_init(&h, T0, T0 + HISTORY_SPAN_MAX_MS + 1, 100), BMS_ERR_RANGE);
    CU_ASSERT_EQUAL(history_init(&h, T0, T0 + HISTORY_SPAN_MAX_MS, HISTORY_PX_MAX), 0);
    CU_ASSERT(h.buckets <= HISTORY_PX_MAX + 1);
    history_deinit(&h);
    CU_ASSERT_EQUAL(history_init(&h, T0, T0 + 1000, 1000), 0); /* never narrower than the least width */
    CU_ASSERT_EQUAL(h.step_ms, HISTORY_STEP_MIN_MS);
    history_deinit(&h);
}

static void test_mean_weighs_by_count_and_rounds_half_away_from_zero(void)
{
    struct history h;
    struct jsonw j;

    start(&h, "pack_current_mA", 20);
    history_add(&h, 0, T0, -10, -3, 0, 1);
    history_add(&h, 0, T0, -10, -4, 0, 1); /* -3.5 */
    history_add(&h, 0, T0 + 10000, 0, 100, 200, 9);
    history_add(&h, 0, T0 + 10000, 0, 0, 200, 1); /* 90 */
    jsonw_init(&j, 4096);
    history_render(&h, &j);
    jsonw_int(&j, 0);
    j.buf[j.len - 1] = '\0';
    CU_ASSERT_PTR_NOT_NULL(strstr(j.buf, "\"mean\":[-4,90]"));
    jsonw_deinit(&j);
    history_deinit(&h);
}

static void test_wide_buckets_are_whole_minutes_or_hours(void)
{
    static const struct {
        int64_t span_s, px, step_ms;
    } rows[] = {
        { 60000, 1000, 60000 },     { 60001, 1000, 120000 },        { 86400, 1440, 60000 },         { 86400, 1000, 120000 },
        { 3600000, 1000, 3600000 }, { 3600001, 1000, 2 * 3600000 }, { 366 * 86400, 8784, 3600000 }, { 59000, 1000, 59000 },
        { 59999, 1000, 59999 },     { 86400, 10000, 8640 },
    };

    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct history h;
        char bad[HISTORY_NAME_SIZE];

        CU_ASSERT_EQUAL_FATAL(history_parse("soc_permyriad", &h, bad), 0);
        CU_ASSERT_EQUAL_FATAL(history_init(&h, T0, T0 + rows[i].span_s * 1000, rows[i].px), 0);
        CU_ASSERT_EQUAL(h.step_ms, rows[i].step_ms);
        history_deinit(&h);
    }
}

static void test_what_is_filled_already_is_not_taken_again(void)
{
    struct history h;

    start(&h, "pack_current_mA", 60);
    h.take_from_ms = T0 + 10000;
    history_add(&h, 0, T0 + 9999, 1, 1, 1, 1);
    CU_ASSERT_EQUAL(h.bucket[0].count, 0);
    history_add(&h, 0, T0 + 10000, 1, 1, 1, 1);
    CU_ASSERT_EQUAL(h.bucket[1].count, 1);
    history_deinit(&h);
}

int main(void)
{
    static CU_TestInfo tests[] = {
        { "series are known by name", test_series_are_known_by_name },
        { "a spike of one second stays visible [FL-5]", test_spike_of_one_second_stays_visible },
        { "a record adds what its samples add [FL-5]", test_record_adds_what_its_samples_add },
        { "a gap is count 0 and null [FL-5]", test_gap_is_count_0_and_null },
        { "values that are not valid are no values", test_values_that_are_not_valid_are_no_values },
        { "the span ends exactly", test_span_ends_exactly },
        { "buckets do not move with the span", test_buckets_do_not_move_with_the_span },
        { "bad spans are refused", test_bad_spans_are_refused },
        { "the mean weighs by count and rounds half away from zero", test_mean_weighs_by_count_and_rounds_half_away_from_zero },
        { "wide buckets are whole minutes or hours [FL-5]", test_wide_buckets_are_whole_minutes_or_hours },
        { "what is filled already is not taken again [FL-5]", test_what_is_filled_already_is_not_taken_again },
        CU_TEST_INFO_NULL,
    };
    return suite_run("history", tests);
}
