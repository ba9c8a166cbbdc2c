/* SPDX-License-Identifier: Apache-2.0 */
#include <math.h>
#include <stdint.h>

#include "firmware/core/estimation/soc_filter.h"
#include "tests/unit/firmware/flat_cell.h"
#include "tests/unit/suite.h"

static struct flat_cell c;
static struct cell_model truth;
static struct soc_filter f;
static float soc, counted, bias_A, offset_V;
static uint32_t seed;
static int samples, inside;

static float noise(void) /* -1 to 1 */
{
    seed = seed * 1664525u + 1013904223u;
    return (float)(seed >> 8) / 8388608.0f - 1.0f;
}

static void start(float slope_V, float true_soc, float told, float sigma)
{
    flat_cell_make(&c, slope_V, 0.0f);
    cell_model_init(&truth, &c.profile);
    soc_filter_init(&f, &c.profile, told, sigma, 1.0f);
    soc = counted = true_soc;
    bias_A = offset_V = 0;
    seed = 7;
    samples = inside = 0;
}

static struct soc_filter_in sample(float current_A)
{
    soc -= current_A / 7200.0f;
    counted -= (current_A + bias_A) / 7200.0f;
    cell_model_step(&truth, 1, current_A, 10, soc);
    struct cell_view v = cell_model_view(&truth, current_A, 10, soc);

    return (struct soc_filter_in) { 1, current_A + bias_A, v.ocv_V - v.drop_V + offset_V + 0.005f * noise(), 10 };
}

static float wrong(void)
{
    return fabsf(soc_filter_soc(&f) - soc);
}

/* A drive that empties the cell by 0.36 C: pulses of 30 s between -1 and 3 A. */
static void drive(int seconds)
{
    for (int k = 0; k < seconds; k++) {
        static const float pattern_A[] = { 0, 3, 1, -1, 2, 0, 0.5f, 0.3f };
        struct soc_filter_in in = sample(pattern_A[k / 30 % 8]);

        soc_filter_step(&f, &in);
        samples++;
        inside += wrong() <= soc_filter_bound(&f);
    }
}

static bool is_sane(void)
{
    bool sane = soc_filter_soc(&f) >= 0 && soc_filter_soc(&f) <= 1 && soc_filter_bound(&f) > 0 && soc_filter_bound(&f) <= 1;

    for (int i = 0; i < EST_STATES; i++) {
        sane = sane && isfinite(f.x[i]) && isfinite(f.P[i][i]) && f.P[i][i] > 0;
        for (int j = 0; j < i; j++)
            sane = sane && fabsf(f.P[i][j]) <= 1.01f * sqrtf(f.P[i][i] * f.P[j][j]);
    }
    for (int k = 0; k < EST_BRANCHES; k++)
        sane = sane && isfinite(f.model.u_V[k]);
    return sane && isfinite(f.model.h);
}

static void test_a_wrong_start_in_the_middle_of_a_drive_is_found(void)
{
    for (int sign = -1; sign <= 1; sign += 2) {
        start(1.0f, 0.6f, 0.6f + 0.2f * (float)sign, 0.2f);
        bias_A = 0.03f;
        offset_V = 0.002f;
        drive(600);
        CU_ASSERT(wrong() < 0.03f);
        drive(3000);
        CU_ASSERT(wrong() < 0.02f);
    }
}

static void test_the_bias_of_the_current_is_learnt(void)
{
    start(1.0f, 0.9f, 0.9f, 0.05f);
    bias_A = 0.04f;
    drive(7200);
    CU_ASSERT_DOUBLE_EQUAL(f.x[EST_BIAS], 0.04, 0.025);
    CU_ASSERT(wrong() < 0.015f);
    CU_ASSERT(fabsf(counted - soc) > 0.03f);
}

static void test_on_a_flat_curve_it_tends_to_counting(void)
{
    start(0.004f, 0.8f, 0.8f, 0.01f);
    offset_V = 0.004f; /* all of the curve */
    drive(5400);
    CU_ASSERT(wrong() < fabsf(counted - soc) + 0.02f);
}

static void test_the_bound_holds_the_truth(void)
{
    int held = 0, all = 0;

    for (int k = 0; k < 20; k++) {
        start(1.0f, 0.9f, 0.7f + 0.015f * (float)k, 0.2f);
        seed = (uint32_t)k;
        bias_A = 0.03f * noise();
        offset_V = 0.002f * noise();
        drive(3600);
        held += inside;
        all += samples;
    }
    CU_ASSERT(held >= all * 93 / 100);
}

static void test_the_bound_is_so_many_sigmas_as_the_profile_says(void)
{
    static const struct {
        float sigma, floor, sigmas;
        double bound;
    } rows[] = {
        { 0.01f, 0.0f, 1.96f, 0.0196 }, { 0.01f, 0.004f, 1.0f, 0.014 },
        { 0.02f, 0.004f, 1.0f, 0.024 }, { 0.2f, 0.0f, 5.0f, 1.0 }, /* all there is */
        { 0.2f, 0.0f, 6.0f, 1.0 },
    };

    for (size_t k = 0; k < sizeof rows / sizeof *rows; k++) {
        start(1.0f, 0.5f, 0.5f, rows[k].sigma);
        c.profile.noise.bound_floor = rows[k].floor;
        c.profile.noise.bound_sigmas = rows[k].sigmas;
        CU_ASSERT_DOUBLE_EQUAL((double)soc_filter_bound(&f), rows[k].bound, 1e-6);
    }
}

static void test_a_full_charge_is_an_anchor(void)
{
    start(0.01f, 1.0f, 0.8f, 0.2f);
    soc_filter_full(&f, 0.01f);
    CU_ASSERT(wrong() < 0.01f);
    CU_ASSERT(soc_filter_bound(&f) < 0.03f);
}

static void test_values_that_are_not_there_widen_the_bound(void)
{
    start(1.0f, 0.9f, 0.9f, 0.05f);
    drive(1800);
    float before = soc_filter_bound(&f);

    for (int k = 0; k < 600; k++) {
        struct soc_filter_in in = sample(0);

        in.current_A = NAN;
        in.voltage_V = k % 2 ? NAN : INFINITY;
        in.temp_degC = NAN;
        soc_filter_step(&f, &in);
    }
    CU_ASSERT(is_sane());
    CU_ASSERT(soc_filter_bound(&f) > before);
    before = soc_filter_bound(&f);
    soc_filter_step(&f, &(struct soc_filter_in) { 3600, 0, NAN, 10 });
    CU_ASSERT(soc_filter_bound(&f) > before + 0.1f);
    drive(1200);
    CU_ASSERT(wrong() < 0.03f);
}

static void test_a_jump_of_the_voltage_moves_little(void)
{
    start(1.0f, 0.7f, 0.7f, 0.05f);
    drive(1800);
    for (int k = 0; k < 5; k++) {
        struct soc_filter_in in = sample(1);

        in.voltage_V += 1.0f;
        soc_filter_step(&f, &in);
    }
    CU_ASSERT(wrong() < 0.03f);
}

static void test_a_frozen_voltage_is_not_believed(void)
{
    start(1.0f, 0.9f, 0.9f, 0.05f);
    drive(1800);
    float held_V = f.last_V;
    float bound = soc_filter_bound(&f);

    for (int k = 0; k < 3600; k++) {
        struct soc_filter_in in = sample(k / 5 % 2 ? 1.5f : 0.0f);

        in.voltage_V = held_V;
        soc_filter_step(&f, &in);
    }
    CU_ASSERT(wrong() < 0.03f);
    CU_ASSERT(soc_filter_bound(&f) > bound);
}

static void test_nothing_that_comes_in_breaks_it(void)
{
    static const float odd[] = { NAN, INFINITY, -INFINITY, 0, 1e30f, -1e30f, 1e-30f, 3.7f, -3.7f, 70, 4.2f, 25, 3600 };
    enum { ODD = sizeof odd / sizeof *odd };

    start(1.0f, 0.5f, 0.5f, 0.2f);
    for (int k = 0; k < 200000; k++) {
        float pick[4];

        for (int i = 0; i < 4; i++)
            pick[i] = odd[(int)((noise() + 1) * 0.4999f * ODD)];
        soc_filter_step(&f, &(struct soc_filter_in) { pick[0], pick[1], pick[2], pick[3] });
        if (!is_sane()) {
            CU_FAIL("not sane");
            return;
        }
    }
    CU_PASS("sane to the end");
}

int main(void)
{
    CU_TestInfo tests[] = {
        { "a wrong start in the middle of a drive is found", test_a_wrong_start_in_the_middle_of_a_drive_is_found },
        { "the bias of the current is learnt", test_the_bias_of_the_current_is_learnt },
        { "on a flat curve it tends to counting", test_on_a_flat_curve_it_tends_to_counting },
        { "the bound holds the truth", test_the_bound_holds_the_truth },
        { "the bound is so many sigmas as the profile says [ES-1]", test_the_bound_is_so_many_sigmas_as_the_profile_says },
        { "a full charge is an anchor", test_a_full_charge_is_an_anchor },
        { "values that are not there widen the bound", test_values_that_are_not_there_widen_the_bound },
        { "a jump of the voltage moves little", test_a_jump_of_the_voltage_moves_little },
        { "a frozen voltage is not believed", test_a_frozen_voltage_is_not_believed },
        { "nothing that comes in breaks it", test_nothing_that_comes_in_breaks_it },
        CU_TEST_INFO_NULL,
    };
    return suite_run("soc_filter", tests);
}
