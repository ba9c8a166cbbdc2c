/* SPDX-License-Identifier: Apache-2.0 */
/* Cells of known resistance behind readings of 1 mV: what is found, and how much of it when little flows. */
#include <math.h>
#include <stdlib.h>

#include "firmware/core/estimation/cell_ohms.h"
#include "sim/noise.h"
#include "tests/unit/suite.h"

enum { CELLS = 4, STEP_MS = 10 };

static const double more[CELLS] = { 0.05, -0.03, 0.01, -0.03 }; /* their mean is 0 */
static const double apart_mV[CELLS] = { 7, -4, 0, 3 };          /* whatever else is different */

struct world {
    struct noise noise;
    double scale;          /* of all cells */
    double drop_V;         /* of a large pulse, at scale 1 */
    double tilt_V;         /* a cell that is 1 % larger falls less, in a capacity: the first one */
    double moved, level_V; /* of the OCV, which falls as well */
    int ms;
};

static struct cell_ohms o;
static struct world w;
static uint16_t cell_mV[CELLS];

static void start(double scale, double drop_V)
{
    cell_ohms_init(&o);
    w = (struct world) { .noise = { .state = 7 }, .scale = scale, .drop_V = drop_V, .level_V = 3.7 };
}

/* Pulses of 1 C: 8 s on, 12 s off. */
static double pulse(void)
{
    return w.ms / 1000 % 20 < 8 ? 1 : 0;
}

static struct cell_ohms_in look(double flows)
{
    struct cell_ohms_in in = { .dt_ms = STEP_MS, .cell_mV = cell_mV, .cells = CELLS, .complete = true, .known = true };

    for (int i = 0; i < CELLS; i++) {
        double tilt_V = i == 0 ? w.tilt_V * w.moved : 0;
        double volts = w.level_V - w.moved * 0.8 - flows * w.drop_V * w.scale * (1 + more[i]) + tilt_V;

        cell_mV[i] = (uint16_t)lround(volts * 1000 + apart_mV[i] + 0.25 * noise_normal(&w.noise));
    }
    w.ms += STEP_MS;
    w.moved += flows * STEP_MS / 3.6e6;
    in.stepped = w.ms % 100 == 0;
    in.drop_V = (float)(flows * w.drop_V);
    in.ocv_V = (float)(w.level_V - w.moved * 0.8);
    in.moved = in.stepped ? (float)(flows * 0.1 / 3600) : 0;
    return in;
}

static void run(int seconds)
{
    for (int k = 0; k < seconds * 1000 / STEP_MS; k++) {
        struct cell_ohms_in in = look(pulse());

        cell_ohms_step(&o, &in);
    }
}

static struct cell_ohms_fit fit(void)
{
    return cell_ohms_fit(&o, 1.0f, 0.01f);
}

static double worst_error(void)
{
    struct cell_ohms_fit f = fit();
    double worst = 0;

    for (int32_t i = 0; i < CELLS; i++)
        worst = fmax(worst, fabs((double)cell_ohms_more(&o, &f, i) - more[i]));
    return worst;
}

static void test_nothing_flowed_nothing_is_known(void)
{
    start(1.2, 0);
    CU_ASSERT_EQUAL(fit().scale, 1.0f);
    run(300);
    CU_ASSERT_DOUBLE_EQUAL(fit().scale, 1.0, 0.001);
    CU_ASSERT_DOUBLE_EQUAL(cell_ohms_more(&o, &(struct cell_ohms_fit) { .scale = 1.0f }, 0), 0, 0.001);
    CU_ASSERT_DOUBLE_EQUAL(fit().unseen, 0.04 * (0.63 + 0.38 * log(CELLS)), 0.001); /* the spread of a pack, the worst of four */
}

/* A load that does not change tells no resistance from an offset. */
static void test_a_steady_load_tells_nothing(void)
{
    start(1.2, 0.5);
    for (int k = 0; k < 60000; k++) {
        struct cell_ohms_in in = look(1);

        cell_ohms_step(&o, &in);
    }
    CU_ASSERT_DOUBLE_EQUAL(fit().scale, 1.0, 0.001);
    CU_ASSERT(fit().told < 1e-6f);
    CU_ASSERT(fabsf(cell_ohms_more(&o, &(struct cell_ohms_fit) { .scale = 1.0f, .keep = { 1.0f } }, 0)) < 0.01f);
}

static void test_pulses_of_many_millivolts(void)
{
    start(1.15, 0.05);
    run(60);
    CU_ASSERT_DOUBLE_EQUAL(fit().scale, 1.15, 0.003);
    CU_ASSERT(worst_error() < 0.003);
    run(240); /* two stretches have ended */
    CU_ASSERT_DOUBLE_EQUAL(fit().scale, 1.15, 0.002);
    CU_ASSERT(worst_error() < 0.001);
    CU_ASSERT(fit().unseen < 0.001f);
}

static void test_pulses_of_two_millivolts(void)
{
    start(0.9, 0.002);
    run(300);
    CU_ASSERT_DOUBLE_EQUAL(fit().scale, 0.9, 0.03);
    CU_ASSERT(worst_error() < 0.01);
}

/* A fifth of a millivolt: what is said is nearer to the mean than the cells are, and how much nearer is said too. */
static void test_pulses_below_the_resolution(void)
{
    start(1, 0.0002);
    run(300);
    struct cell_ohms_fit f = fit();
    double said = (double)cell_ohms_more(&o, &f, 0);

    CU_ASSERT(fabs(said) < more[0] + 0.02);
    CU_ASSERT(f.unseen > 0.004f && f.unseen < 0.04f);
}

static void test_another_capacity_is_no_resistance(void)
{
    start(1, 0.004);
    w.tilt_V = 0.03;
    run(300);
    CU_ASSERT(worst_error() < 0.006);
}

static void test_a_jump_in_a_gap_is_no_resistance(void)
{
    start(1, 0.05);
    run(65);
    w.level_V += 0.1; /* it slept */
    cell_ohms_step(&o, &(struct cell_ohms_in) { .dt_ms = STEP_MS, .cells = CELLS });
    run(65);
    CU_ASSERT(worst_error() < 0.003);
    CU_ASSERT_DOUBLE_EQUAL(fit().scale, 1, 0.003);
}

static void test_seconds_with_holes_do_not_count(void)
{
    start(1, 0.05);
    for (int k = 0; k < 30000; k++) {
        struct cell_ohms_in in = look(pulse());

        in.complete = k % 50 != 1; /* in each second */
        cell_ohms_step(&o, &in);
    }
    CU_ASSERT_EQUAL(fit().told, 0.0f);
    for (int k = 0; k < 30000; k++) {
        struct cell_ohms_in in = look(pulse());

        in.known = false;
        cell_ohms_step(&o, &in);
    }
    CU_ASSERT_EQUAL(fit().told, 0.0f);
}

/* In half an hour of rest two thirds of what was known is gone. */
static void test_it_fades(void)
{
    start(1, 0.05);
    run(240);
    float was = fit().told;

    w.drop_V = 0;
    run(1800);
    CU_ASSERT_DOUBLE_EQUAL(fit().told / was, exp(-1), 0.05);
    CU_ASSERT(worst_error() < 0.005);
}

/* Whatever the readings are, what is said stays within its bounds. */
static void test_nonsense_stays_bounded(void)
{
    start(1, 0.01);
    for (int k = 0; k < 60000; k++) {
        struct cell_ohms_in in = look(pulse());

        for (int i = 0; i < CELLS; i++)
            cell_mV[i] = (uint16_t)noise_u64(&w.noise);
        in.drop_V = (float)noise_normal(&w.noise);
        cell_ohms_step(&o, &in);
    }
    struct cell_ohms_fit f = fit();

    CU_ASSERT(f.scale >= 0.4f && f.scale <= 3.0f);
    for (int32_t i = 0; i < CELLS; i++)
        CU_ASSERT(fabsf(cell_ohms_more(&o, &f, i)) <= 0.5f);
}

int main(void)
{
    CU_TestInfo tests[] = {
        { "without a current the cells are alike, and the worst of them is not [ES-3]", test_nothing_flowed_nothing_is_known },
        { "a load that does not change tells nothing [ES-3]", test_a_steady_load_tells_nothing },
        { "pulses of 50 mV: each cell to 0.1 % after 5 min, the pack to 0.2 % [ES-3]", test_pulses_of_many_millivolts },
        { "pulses of 2 mV behind readings of 1 mV: each cell to 1 % [ES-3]", test_pulses_of_two_millivolts },
        { "pulses below the resolution: the doubt is said [ES-3]", test_pulses_below_the_resolution },
        { "a cell of another capacity is no resistance [ES-3]", test_another_capacity_is_no_resistance },
        { "a jump in a gap is no resistance [ES-3]", test_a_jump_in_a_gap_is_no_resistance },
        { "seconds with holes do not count [ES-3]", test_seconds_with_holes_do_not_count },
        { "what is known fades in half an hour [ES-3]", test_it_fades },
        { "nonsense stays bounded [ES-3]", test_nonsense_stays_bounded },
        CU_TEST_INFO_NULL,
    };

    return suite_run("cell_ohms", tests);
}
