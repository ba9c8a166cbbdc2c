/* SPDX-License-Identifier: Apache-2.0 */
#include <math.h>

#include "firmware/core/estimation/cell_model.h"
#include "tests/unit/firmware/flat_cell.h"
#include "tests/unit/suite.h"

static struct flat_cell c;
static struct cell_model m;

static void start(float slope_V, float hysteresis_V)
{
    flat_cell_make(&c, slope_V, hysteresis_V);
    cell_model_init(&m, &c.profile);
}

static void test_ocv_is_read_between_the_points_and_held_outside(void)
{
    start(1.0f, 0.0f);
    CU_ASSERT_DOUBLE_EQUAL(cell_model_ocv(&c.profile, 20, 0.0f), 3.2, 1e-5);
    CU_ASSERT_DOUBLE_EQUAL(cell_model_ocv(&c.profile, 20, 0.5f), 3.7, 1e-5);
    CU_ASSERT_DOUBLE_EQUAL(cell_model_ocv(&c.profile, 20, 0.5125f), 3.7125, 1e-5);
    CU_ASSERT_DOUBLE_EQUAL(cell_model_ocv(&c.profile, 20, 1.0f), 4.2, 1e-5);
    CU_ASSERT_DOUBLE_EQUAL(cell_model_ocv(&c.profile, 20, 1.01f), 4.2, 1e-5);
    CU_ASSERT_DOUBLE_EQUAL(cell_model_ocv(&c.profile, 20, -0.01f), 3.2, 1e-5);
    CU_ASSERT_DOUBLE_EQUAL(cell_model_ocv(&c.profile, 20, NAN), 3.2, 1e-5);
    c.ocv_V[0][20] = 3.5f;
    CU_ASSERT_DOUBLE_EQUAL(cell_model_ocv(&c.profile, 0, 0.5f), 3.6, 1e-5);
    CU_ASSERT_DOUBLE_EQUAL(cell_model_ocv(&c.profile, -20, 0.5f), 3.5, 1e-5);
    CU_ASSERT_DOUBLE_EQUAL(cell_model_ocv(&c.profile, -21, 0.5f), 3.5, 1e-5);
    CU_ASSERT_DOUBLE_EQUAL(cell_model_ocv(&c.profile, 60, 0.5f), 3.7, 1e-5);
}

static void test_a_long_current_takes_all_resistances(void)
{
    double drop = 2 * (0.02 + 3 * 0.01) + 0.01 * asinh(2);

    start(1.0f, 0.0f);
    for (int k = 0; k < 5000; k++)
        cell_model_step(&m, 1, 2, 20, 0.5f);
    CU_ASSERT_DOUBLE_EQUAL(cell_model_view(&m, 2, 20, 0.5f).drop_V, drop, 1e-4);
    for (int k = 0; k < 5000; k++)
        cell_model_step(&m, 1, -2, -20, 0.5f);
    CU_ASSERT_DOUBLE_EQUAL(cell_model_view(&m, -2, -20, 0.5f).drop_V, -2 * drop, 1e-4);
    for (int k = 0; k < 5000; k++)
        cell_model_step(&m, 1, 0, 20, 0.5f);
    CU_ASSERT_DOUBLE_EQUAL(cell_model_view(&m, 0, 20, 0.5f).drop_V, 0, 1e-4);
}

static void test_one_long_step_is_many_short_ones(void)
{
    struct cell_model one;

    start(1.0f, 0.02f);
    one = m;
    cell_model_step(&one, 60, 1.5f, 20, 0.5f);
    for (int k = 0; k < 600; k++)
        cell_model_step(&m, 0.1f, 1.5f, 20, 0.5f);
    for (int b = 0; b < EST_BRANCHES; b++)
        CU_ASSERT_DOUBLE_EQUAL(one.u_V[b], m.u_V[b], 1e-5);
    CU_ASSERT_DOUBLE_EQUAL(one.h, m.h, 1e-4);
}

static void test_hysteresis_lies_below_after_discharge_and_above_after_charge(void)
{
    start(0.1f, 0.02f);
    CU_ASSERT_DOUBLE_EQUAL(cell_model_view(&m, 0, 20, 0.5f).ocv_V, 3.25, 1e-5);
    for (int k = 0; k < 3600; k++)
        cell_model_step(&m, 1, 1, 20, 0.5f);
    CU_ASSERT_DOUBLE_EQUAL(cell_model_view(&m, 0, 20, 0.5f).ocv_V, 3.23, 1e-4);
    for (int k = 0; k < 3600; k++)
        cell_model_step(&m, 1, -1, 20, 0.5f);
    CU_ASSERT_DOUBLE_EQUAL(cell_model_view(&m, 0, 20, 0.5f).ocv_V, 3.27, 1e-4);
}

static void test_slopes_are_those_of_the_voltage(void)
{
    start(1.0f, 0.0f);
    for (int k = 0; k < 5000; k++)
        cell_model_step(&m, 1, 2, 20, 0.5f);
    struct cell_view v = cell_model_view(&m, 2, 20, 0.5f);

    CU_ASSERT_DOUBLE_EQUAL(v.slope_V, 1.0, 1e-3);
    CU_ASSERT_DOUBLE_EQUAL(v.per_A_V, 0.05 + 0.01 / sqrt(5), 1e-4);
}

static void sane(const struct est_profile *p)
{
    CU_ASSERT(p->capacity_Ah > 0 && p->temps >= 2 && p->i0_A > 0);
    for (int t = 0; t < p->temps; t++) {
        CU_ASSERT(t == 0 || p->temp_degC[t] > p->temp_degC[t - 1]);
        for (int k = 1; k < EST_SOC_OCV; k++)
            CU_ASSERT(p->ocv_V[t * EST_SOC_OCV + k] >= p->ocv_V[t * EST_SOC_OCV + k - 1]);
        for (int k = 0; k < EST_SOC_R; k++) {
            int at = t * EST_SOC_R + k;

            CU_ASSERT(p->r0_ohm[at] >= 0 && p->a_V[at] >= 0 && p->hysteresis_V[k] >= 0);
            for (int b = 0; b < EST_BRANCHES; b++)
                CU_ASSERT(p->rc_ohm[b][at] >= 0);
        }
    }
    CU_ASSERT(p->noise.white_V > 0 && p->noise.slow_V > 0 && p->noise.slow_s > 0 && p->noise.bias_C > 0 && p->noise.scale > 0);
}

static void test_each_profile_that_ships_is_sane(void)
{
    sane(&est_profile_panasonic_nca);
    sane(&est_profile_lg_nmc);
    sane(&est_profile_a123_lfp);
    sane(&est_profile_leaf_lmo);
    CU_ASSERT_DOUBLE_EQUAL(cell_model_ocv(&est_profile_panasonic_nca, 25, 0.5f), 3.7, 0.1);
    CU_ASSERT_DOUBLE_EQUAL(cell_model_ocv(&est_profile_lg_nmc, 25, 0.5f), 3.7, 0.1);
    CU_ASSERT_DOUBLE_EQUAL(cell_model_ocv(&est_profile_a123_lfp, 25, 0.5f), 3.29, 0.03);
}

/* Rows of 10 to 20 K: on a straight line between them it would be up to 2.3 % too much. */
static void test_a_plain_cell_follows_arrhenius_between_its_rows(void)
{
    struct cell_model plain;

    cell_model_init(&plain, &est_profile_nmc);
    for (int t = -300; t <= 600; t++) {
        double temp_degC = t / 10.0;
        double want_V = 0.055 * exp(2500 * (1 / (temp_degC + 273.15) - 1 / 298.15));
        double drop_V = (double)cell_model_view(&plain, 1.0f, (float)temp_degC, 0.5f).drop_V;

        CU_ASSERT_DOUBLE_EQUAL(drop_V / want_V, 1, 0.002);
    }
    double cold_V = (double)cell_model_view(&plain, 1.0f, -40.0f, 0.5f).drop_V; /* outside of the table its edge holds */

    CU_ASSERT_DOUBLE_EQUAL(cold_V, (double)cell_model_view(&plain, 1.0f, -30.0f, 0.5f).drop_V, 1e-9);
}

int main(void)
{
    CU_TestInfo tests[] = {
        { "OCV is read between the points and held outside", test_ocv_is_read_between_the_points_and_held_outside },
        { "a long current takes all resistances", test_a_long_current_takes_all_resistances },
        { "one long step is many short ones", test_one_long_step_is_many_short_ones },
        { "hysteresis lies below after discharge and above after charge",
          test_hysteresis_lies_below_after_discharge_and_above_after_charge },
        { "slopes are those of the voltage", test_slopes_are_those_of_the_voltage },
        { "each profile that ships is sane", test_each_profile_that_ships_is_sane },
        { "resistances of a plain cell follow Arrhenius between the rows of their table, to 0.2 % [ES-3]",
          test_a_plain_cell_follows_arrhenius_between_its_rows },
        CU_TEST_INFO_NULL,
    };
    return suite_run("cell_model", tests);
}
