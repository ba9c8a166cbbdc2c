/* SPDX-License-Identifier: Apache-2.0 */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "common/err.h"
#include "firmware/core/estimation/soc.h"
#include "proto/validity.h"
#include "tests/unit/suite.h"

enum { CELLS = 4, HOUR_MS = 3600000, MINUTE_MS = 60000 };

static struct soc s;
static struct soc_in in;
static int32_t params[PARAMS];
static uint16_t cell_mV[CELLS];
static struct truth { /* a pack of 60 Ah whose cells are as the profile has them */
    struct cell_model cell[CELLS];
    float soc[CELLS];
} truth;

static void measure(void)
{
    float current_A = (float)in.current_mA / (float)params[PARAM_capacity_mAh]; /* a cell of 1 Ah */

    for (int i = 0; i < CELLS; i++) {
        struct cell_view v = cell_model_view(&truth.cell[i], current_A, 25.0f, truth.soc[i]);

        cell_mV[i] = (uint16_t)lroundf(fmaxf(v.ocv_V - v.drop_V, 0.0f) * 1000.0f);
    }
}

static void board(enum chemistry chemistry)
{
    for (int i = 0; i < PARAMS; i++)
        params[i] = param_rows[i].dflt[chemistry];
    params[PARAM_capacity_mAh] = 60000;
    soc_init(&s, params);
    in = (struct soc_in) { .dt_ms = 10, .cell_mV = cell_mV, .cells = CELLS, .complete = true, .temp_ddegC = 250, .params = params };
}

static void start(enum chemistry chemistry, float soc)
{
    board(chemistry);
    for (int i = 0; i < CELLS; i++) {
        cell_model_init(&truth.cell[i], s.mean.model.p);
        truth.soc[i] = soc;
    }
    measure();
}

/* The pack alone goes on, in steps of 0.1 s. */
static void live(int64_t ms)
{
    float current_A = (float)in.current_mA / (float)params[PARAM_capacity_mAh];

    for (int64_t t = 0; t < ms; t += 100)
        for (int i = 0; i < CELLS; i++) {
            truth.soc[i] -= current_A * 0.1f / 3600.0f;
            cell_model_step(&truth.cell[i], 0.1f, current_A, 25.0f, truth.soc[i]);
        }
    measure();
}

/* Pack and board. */
static void run(int64_t ms)
{
    in.dt_ms = 100;
    for (int64_t t = 0; t < ms; t += 100) {
        live(100);
        soc_step(&s, &in);
    }
}

static void look(void)
{
    in.dt_ms = 10;
    soc_step(&s, &in);
}

static int off(float soc) /* permyriad away from the truth */
{
    return abs(soc_permyriad(&s) - (int)lroundf(soc * 10000.0f));
}

static void test_not_known_before_the_first_measurement(void)
{
    start(CHEMISTRY_NMC, 0.5f);
    in.complete = false;
    for (int k = 0; k < 100; k++)
        look();
    CU_ASSERT_EQUAL(scalar_validity(soc_permyriad(&s)), VALIDITY_NEVER);
    CU_ASSERT_EQUAL(scalar_validity(soc_band_permyriad(&s)), VALIDITY_NEVER);
    CU_ASSERT_EQUAL(scalar_validity(soc_cell_min_permyriad(&s)), VALIDITY_NEVER);
    CU_ASSERT_EQUAL(scalar_validity(soc_left_mAh(&s)), VALIDITY_NEVER);
    CU_ASSERT_EQUAL(scalar_validity(soc_left_Wh(&s)), VALIDITY_NEVER);
    CU_ASSERT_EQUAL(scalar_validity(soc_time_to_empty_min(&s)), VALIDITY_NEVER);
    in.complete = true;
    look();
    CU_ASSERT(off(0.5f) <= 5);
    CU_ASSERT(abs(soc_left_mAh(&s) - 30000) <= 30);
}

static void test_curve_goes_there_and_back(void)
{
    for (int c = 0; c < CHEMISTRIES; c++) {
        int32_t last = -1;

        for (int32_t p = 0; p <= 10000; p += 10) {
            int32_t mV = soc_ocv_mV((enum chemistry)c, p);
            int32_t back = soc_of_ocv((enum chemistry)c, mV);

            CU_ASSERT(mV >= last);
            CU_ASSERT(abs(soc_ocv_mV((enum chemistry)c, back) - mV) <= 1);
            last = mV;
        }
        CU_ASSERT_EQUAL(soc_of_ocv((enum chemistry)c, soc_ocv_mV((enum chemistry)c, 0) - 1), 0);
        CU_ASSERT_EQUAL(soc_of_ocv((enum chemistry)c, 5000), 10000);
    }
}

static void test_an_hour_at_6_amperes_is_10_percent(void)
{
    for (int c = 0; c < CHEMISTRIES; c++) {
        start((enum chemistry)c, 0.5f);
        look();
        int32_t was = soc_permyriad(&s);

        in.current_mA = 6000;
        run(HOUR_MS);
        CU_ASSERT(abs(was - soc_permyriad(&s) - 1000) <= 60);
        in.current_mA = -6000;
        run(HOUR_MS);
        CU_ASSERT(abs(soc_permyriad(&s) - was) <= 60);
    }
}

static void test_a_small_current_is_not_lost_in_the_rounding(void)
{
    start(CHEMISTRY_LFP, 0.55f);
    look();
    soc_set(&s, 5500);
    in.complete = false; /* counting alone */
    in.current_mA = 60;  /* 0.001 C: less than what one step of single precision can tell */
    run(10 * (int64_t)HOUR_MS);
    CU_ASSERT(abs(soc_permyriad(&s) - 5400) <= 2);
}

static void test_a_start_under_load_is_wide_and_a_rest_finds_it(void)
{
    start(CHEMISTRY_NMC, 0.8f);
    in.current_mA = 60000;
    live(10 * MINUTE_MS); /* nobody saw this */
    look();
    CU_ASSERT(off(truth.soc[0]) <= soc_band_permyriad(&s));
    CU_ASSERT(soc_band_permyriad(&s) > 500);
    in.current_mA = 0;
    run(31 * MINUTE_MS);
    CU_ASSERT(off(truth.soc[0]) <= 100);
    CU_ASSERT(soc_band_permyriad(&s) < 300);
}

static void test_rest_is_told_exactly_at_the_limit(void)
{
    start(CHEMISTRY_NMC, 0.5f);
    look();
    soc_set(&s, 6000);
    in.current_mA = params[PARAM_ocv_rest_current_mA] + 1;
    in.complete = false;
    run(HOUR_MS);
    CU_ASSERT(!s.rest_is_told);
    in.current_mA--;
    run(params[PARAM_ocv_rest_ms] - 100);
    CU_ASSERT(!s.rest_is_told);
    run(100);
    CU_ASSERT(s.rest_is_told);
}

static void test_flat_middle_of_lfp_does_not_mislead_it(void)
{
    start(CHEMISTRY_LFP, 0.85f);
    look();
    soc_set(&s, 8500);
    for (int i = 0; i < CELLS; i++)
        truth.soc[i] = 0.75f; /* 5 mV lower, which anything may be */
    run(31 * MINUTE_MS);
    CU_ASSERT(abs(soc_permyriad(&s) - 8500) <= 400);
}

static void test_sleep_is_a_rest(void)
{
    for (int32_t longer = 0; longer <= 1; longer++) {
        start(CHEMISTRY_NMC, 0.5f);
        look();
        soc_filter_set(&s.mean, 0.58f, 0.05f); /* what counting has drifted to */
        soc_wake(&s, (uint32_t)(params[PARAM_ocv_rest_ms] - 1 + longer), params);
        run(MINUTE_MS);
        CU_ASSERT_EQUAL(off(0.5f) <= 150, longer == 1);
    }
}

static void test_power_loss_keeps_it_with_its_variance(void)
{
    struct soc_saved saved;

    start(CHEMISTRY_NMC, 0.6f);
    look();
    in.current_mA = 30000;
    run(20 * MINUTE_MS);
    int32_t was = soc_permyriad(&s), band = soc_band_permyriad(&s);

    soc_save(&s, &saved);
    board(CHEMISTRY_NMC);
    soc_restore(&s, &saved);
    CU_ASSERT_EQUAL(soc_permyriad(&s), was);
    CU_ASSERT(soc_band_permyriad(&s) >= band && soc_band_permyriad(&s) <= band + 150);
    in.current_mA = 30000; /* still under load */
    look();
    CU_ASSERT_EQUAL(soc_permyriad(&s), was);
    run(1000);
    CU_ASSERT(abs(soc_permyriad(&s) - was) <= 50);

    board(CHEMISTRY_NMC);
    saved.left_mAms = 60000ll * HOUR_MS / 100; /* a board from another vehicle */
    soc_restore(&s, &saved);
    look();
    CU_ASSERT(soc_permyriad(&s) > 2500 && off(truth.soc[0]) <= soc_band_permyriad(&s)); /* under load, so wide */
}

static void test_what_was_saved_may_be_anything(void)
{
    static const float strange[] = { NAN, INFINITY, -INFINITY, -1.0f, 0.0f, 1e30f };
    static const int64_t left[] = { INT64_MIN, -1, 0, INT64_MAX };

    for (int k = 0; k < 24; k++) {
        float x = strange[k % 6];

        start(CHEMISTRY_LFP, 0.6f);
        soc_restore(&s, &(struct soc_saved) { left[k / 6], x, x, x, x, x, x });
        CU_ASSERT(soc_permyriad(&s) >= 0 && soc_permyriad(&s) <= 10000);
        CU_ASSERT(soc_band_permyriad(&s) > 0 && soc_band_permyriad(&s) <= 10000);
        run(1000);
        CU_ASSERT(soc_permyriad(&s) >= 0 && soc_permyriad(&s) <= 10000);
    }
}

static void test_weakest_and_strongest_cell(void)
{
    start(CHEMISTRY_NMC, 0.6f);
    truth.soc[1] -= 0.06f;
    truth.soc[3] += 0.03f;
    look();
    for (int k = 0; k < 20; k++) {
        in.current_mA = k % 2 ? 60000 : -20000;
        run(30000);
    }
    CU_ASSERT(abs(soc_cell_min_permyriad(&s) - (int)(truth.soc[1] * 10000)) <= 150);
    CU_ASSERT(abs(soc_cell_max_permyriad(&s) - (int)(truth.soc[3] * 10000)) <= 150);
}

static void test_full_exactly_at_the_limits(void)
{
    for (int k = 0; k < 8; k++) {
        bool low = k & 1, strong = k & 2, drives = k & 4;

        start(CHEMISTRY_NMC, 0.9f);
        look();
        soc_set(&s, 9000);
        in.charging = !drives;
        in.current_mA = strong ? -3001 : -3000; /* 50 permille of 60 A */
        in.dt_ms = 100;
        for (int i = 0; i < CELLS; i++)
            cell_mV[i] = (uint16_t)(params[PARAM_full_cell_mV] - 1);
        cell_mV[2] = (uint16_t)(params[PARAM_full_cell_mV] - low);
        for (int t = 0; t < 10000 - 100; t += 100)
            soc_step(&s, &in);
        int32_t before = soc_permyriad(&s);

        soc_step(&s, &in);
        CU_ASSERT_EQUAL(soc_permyriad(&s) - before > 10, !low && !strong && !drives);
    }
}

static void test_empty_exactly_at_the_limit(void)
{
    for (int high = 0; high <= 1; high++) {
        start(CHEMISTRY_NMC, 0.1f);
        look();
        soc_set(&s, 1000);
        in.dt_ms = 100;
        for (int i = 0; i < CELLS; i++)
            cell_mV[i] = (uint16_t)(params[PARAM_empty_cell_mV] + 1);
        cell_mV[2] = (uint16_t)(params[PARAM_empty_cell_mV] + high);
        for (int t = 0; t < 10000 - 100; t += 100)
            soc_step(&s, &in);
        int32_t before = soc_permyriad(&s);

        soc_step(&s, &in);
        CU_ASSERT_EQUAL(before - soc_permyriad(&s) > 10, high == 0);
    }
}

static void test_no_current_widens_the_band(void)
{
    start(CHEMISTRY_NMC, 0.5f);
    run(MINUTE_MS);
    int32_t soc = soc_permyriad(&s), last = soc_band_permyriad(&s);

    in.current_mA = scalar_invalid(VALIDITY_STALE);
    in.dt_ms = 100;
    for (int k = 0; k < 10; k++) {
        for (int n = 0; n < 600; n++)
            soc_step(&s, &in);
        CU_ASSERT(soc_band_permyriad(&s) > last);
        last = soc_band_permyriad(&s);
    }
    CU_ASSERT(abs(soc_permyriad(&s) - soc) <= 20);
    CU_ASSERT(last > 900); /* 10 min at 0.3 C are 5 points, 1 sigma */
}

static void test_calibration_sets_it(void)
{
    start(CHEMISTRY_NMC, 0.5f);
    CU_ASSERT_EQUAL(soc_calibrated(&s), SOC_NOT_SET);
    CU_ASSERT_EQUAL(soc_set(&s, 10001), BMS_ERR_RANGE);
    CU_ASSERT_EQUAL(soc_set(&s, -1), BMS_ERR_RANGE);
    CU_ASSERT_EQUAL(soc_calibrated(&s), SOC_NOT_SET);
    for (int32_t permyriad = 0; permyriad <= 10000; permyriad += 5000) {
        CU_ASSERT_EQUAL(soc_set(&s, permyriad), BMS_ERR_OK);
        CU_ASSERT_EQUAL(soc_permyriad(&s), permyriad);
        CU_ASSERT_EQUAL(soc_calibrated(&s), permyriad);
        CU_ASSERT(soc_band_permyriad(&s) <= 300);
    }
}

/* Whoever calibrates vouches for it: cells at 86 % do not pull back a SOC that was set to 61.5 % within minutes. */
static void test_calibration_stands_against_the_voltage(void)
{
    for (int sign = -1; sign <= 1; sign += 2) {
        start(CHEMISTRY_NMC, sign < 0 ? 0.86f : 0.40f);
        run(MINUTE_MS);
        CU_ASSERT_EQUAL(soc_set(&s, 6150), BMS_ERR_OK);
        run(10000);
        CU_ASSERT(abs(soc_permyriad(&s) - 6150) < 100);
        run(MINUTE_MS);
        CU_ASSERT(abs(soc_permyriad(&s) - 6150) < 300);
    }
}

/* The cells have lost 20 %; two deep windows between rests tell. */
static void test_capacity_is_learnt_from_rest_to_rest(void)
{
    start(CHEMISTRY_NMC, 0.95f);
    run(31 * MINUTE_MS);
    CU_ASSERT_EQUAL(soc_soh_permyriad(&s), 10000);
    for (int k = 0; k < 4; k++) {
        in.current_mA = k % 2 ? -20000 : 20000;
        for (int m = 0; m < 4 * 6; m++) { /* 32 Ah of 48: the truth moves 1.25 times as fast */
            run(4 * MINUTE_MS);
            for (int i = 0; i < CELLS; i++)
                truth.soc[i] -= (float)in.current_mA / 60000.0f * 0.25f / 15.0f;
        }
        in.current_mA = 0;
        run(40 * MINUTE_MS);
    }
    CU_ASSERT(abs(soc_soh_permyriad(&s) - 8000) <= soc_soh_band_permyriad(&s));
    CU_ASSERT(abs(soc_soh_permyriad(&s) - 8000) <= 300);
    CU_ASSERT(soc_soh_band_permyriad(&s) <= 500);
    CU_ASSERT(abs(soc_left_mAh(&s) - (int)(truth.soc[0] * 48000)) <= 1500);
}

static void test_energy_and_times(void)
{
    start(CHEMISTRY_SCAP, 1.0f);
    run(1000);
    CU_ASSERT(abs(soc_left_Wh(&s) - 324) <= 2); /* 60 Ah * 1.35 V mean * 4 */
    CU_ASSERT_EQUAL(soc_time_to_full_min(&s), SOC_MINUTES_MAX);
    CU_ASSERT_EQUAL(soc_time_to_empty_min(&s), SOC_MINUTES_MAX);
    in.current_mA = 30000;
    run(HOUR_MS);
    CU_ASSERT(abs(soc_left_Wh(&s) - 81) <= 2);
    CU_ASSERT(abs(soc_time_to_empty_min(&s) - 60) <= 2);
    in.current_mA = -30000;
    run(HOUR_MS / 2);
    params[PARAM_charge_cell_mV] = 2700;
    run(10000);
    CU_ASSERT(abs(soc_time_to_full_min(&s) - 30) <= 2);
    params[PARAM_charge_cell_mV] = 2430; /* 90 % of this cell, whose curve is a line */
    run(10000);
    CU_ASSERT(abs(soc_time_to_full_min(&s) - 18) <= 2);
    CU_ASSERT_EQUAL(soc_time_to_empty_min(&s), SOC_MINUTES_MAX);
}

int main(void)
{
    CU_TestInfo tests[] = {
        { "not known before the first measurement, then from the curve [ES-1]", test_not_known_before_the_first_measurement },
        { "the curve of each chemistry goes there and back [PK-4]", test_curve_goes_there_and_back },
        { "an hour at 6 A is 10 % of 60 Ah, in each chemistry [ES-1] [ES-4] [PK-4]", test_an_hour_at_6_amperes_is_10_percent },
        { "a small current is not lost in the rounding [ES-1]", test_a_small_current_is_not_lost_in_the_rounding },
        { "a start under load is wide, and a rest finds it [ES-1]", test_a_start_under_load_is_wide_and_a_rest_finds_it },
        { "a rest is told exactly at its limits [ES-1]", test_rest_is_told_exactly_at_the_limit },
        { "the flat middle of LFP does not mislead it [ES-1]", test_flat_middle_of_lfp_does_not_mislead_it },
        { "a long sleep is a rest [ES-1]", test_sleep_is_a_rest },
        { "a power loss keeps it with its variance, but not for other cells [ES-1] [AC-7]", test_power_loss_keeps_it_with_its_variance },
        { "what was saved may be anything [AC-7]", test_what_was_saved_may_be_anything },
        { "weakest and strongest cell within 1.5 points [ES-1]", test_weakest_and_strongest_cell },
        { "full exactly at its limits [ES-1]", test_full_exactly_at_the_limits },
        { "empty exactly at its limit [ES-1]", test_empty_exactly_at_the_limit },
        { "no current widens the band and moves nothing [ES-1]", test_no_current_widens_the_band },
        { "calibration sets it, within 0 and 100 % [ES-5]", test_calibration_sets_it },
        { "a calibration stands against the voltage [ES-5]", test_calibration_stands_against_the_voltage },
        { "the capacity is learnt from rest to rest [ES-2]", test_capacity_is_learnt_from_rest_to_rest },
        { "energy and times [ES-4]", test_energy_and_times },
        CU_TEST_INFO_NULL,
    };

    return suite_run("soc", tests);
}
