/* SPDX-License-Identifier: Apache-2.0 */
#include <math.h>

#include "firmware/core/estimation/unseen_flow.h"
#include "tests/unit/firmware/flat_cell.h"
#include "tests/unit/suite.h"

/* At 20 degC the branches of the flat cell hold 30 mohm: 60 mV for 1 C of its 2 Ah. */
#define BRANCHES_C_V 0.06

static struct flat_cell c;
static struct cell_model m;

static void start(float slope_V)
{
    flat_cell_make(&c, slope_V, 0.0f);
    cell_model_init(&m, &c.profile);
}

static double flowed_V(void)
{
    return (double)(m.u_V[0] + m.u_V[1] + m.u_V[2]);
}

/* The voltage of a cell at `soc` after so much of a drive. */
static struct first_sample sample(float current_A, float soc, float drive_C)
{
    struct cell_model truth;

    cell_model_init(&truth, &c.profile);
    cell_model_settle(&truth, drive_C * 2.0f, 20, soc);
    struct cell_view v = cell_model_view(&truth, current_A, 20, soc);

    return (struct first_sample) { current_A, v.ocv_V - v.drop_V, 20 };
}

static void test_what_was_before(void)
{
    static const struct {
        float current_A;
        double before_C, unsure_C;
        const char *why;
    } rows[] = {
        { 0.0f, 0.0, 0.3, "rest, or waiting at a light" },
        { 0.1f, 0.0, 0.3, "0.05 C is not a drive yet" },
        { 0.11f, 0.51925, 0.3, "and a little more is" },
        { 2.0f, 0.85, 0.3, "0.5 C and a third of the current now" },
        { 4.0f, 1.2, 0.3, "2 C" },
        { 8.0f, 1.2, 0.3, "a peak says nothing of before" },
        { -0.1f, 0.0, 0.3, "-0.05 C is not a charge yet" },
        { -1.0f, -0.5, 0.3, "a charge was as it is" },
        { -4.0f, -2.0, 1.0, "and is the less sure the more" },
    };

    for (size_t k = 0; k < sizeof rows / sizeof *rows; k++) {
        start(1.0f);
        struct first_sample in = sample(rows[k].current_A, 0.4f, 0.5f);
        float sigma_V = unseen_flow(&m, &in, 0.4f);

        CU_ASSERT_DOUBLE_EQUAL(flowed_V(), BRANCHES_C_V * rows[k].before_C, 1e-5);
        CU_ASSERT_DOUBLE_EQUAL((double)sigma_V, 0.015 + BRANCHES_C_V * rows[k].unsure_C, 1e-5);
    }
}

static void test_a_cell_of_little_use_held_little(void)
{
    start(1.0f);
    c.profile.drive_C = 0.1f;
    struct first_sample in = sample(2.0f, 0.4f, 0.1f);
    float sigma_V = unseen_flow(&m, &in, 0.4f);

    CU_ASSERT_DOUBLE_EQUAL(flowed_V(), BRANCHES_C_V * 0.17, 1e-5); /* a fifth of 0.5 C and a third of the current now */
    CU_ASSERT_DOUBLE_EQUAL((double)sigma_V, 0.015 + BRANCHES_C_V * 0.06, 1e-5);
    in = sample(-4.0f, 0.4f, -2.0f);
    CU_ASSERT_DOUBLE_EQUAL((double)unseen_flow(&m, &in, 0.4f), 0.015 + BRANCHES_C_V * 1.0, 1e-5);
    CU_ASSERT_DOUBLE_EQUAL(flowed_V(), BRANCHES_C_V * -2.0, 1e-5); /* a charge was as it is, whatever the use */
}

static void test_a_full_cell_cannot_hide_a_discharge(void)
{
    start(1.0f);
    struct first_sample in = sample(2.0f, 1.0f, 0.0f);

    CU_ASSERT_DOUBLE_EQUAL((double)unseen_flow(&m, &in, 1.0f), 0.015, 1e-5);
    CU_ASSERT_DOUBLE_EQUAL(flowed_V(), 0.0, 1e-5);
    in.voltage_V -= 0.04f; /* less than twice what a drive takes: as likely below half of it as above */
    CU_ASSERT_DOUBLE_EQUAL((double)unseen_flow(&m, &in, 1.0f), 0.015 + 0.018, 1e-5);
    CU_ASSERT_DOUBLE_EQUAL(flowed_V(), 0.02, 1e-5);
}

static void test_the_first_voltage_gives_the_soc_of_a_drive(void)
{
    for (int tenth = 2; tenth < 9; tenth++)
        for (int half = 0; half <= 2; half++) {
            float soc = (float)tenth / 10.0f, told = (float)half / 2.0f;

            start(1.0f);
            struct first_sample in = sample(2.0f, soc, 0.85f);
            struct first_soc first = unseen_flow_soc(&m, &in, told, 0.2f);

            CU_ASSERT_DOUBLE_EQUAL((double)first.soc, (double)soc, 0.005);
            CU_ASSERT(first.trust > 0.99f);
            CU_ASSERT_DOUBLE_EQUAL((double)first.error_V, sqrt(0.033 * 0.033 + 0.005 * 0.005), 1e-4);
        }
}

/* Below 30 % the resistance rises so steeply that a guess at the SOC gives a drop that leads away from it. */
static void test_where_the_resistance_is_steep_too(void)
{
    for (int quarter = 0; quarter <= 4; quarter++) {
        start(0.3f);
        for (int t = 0; t < 2; t++)
            for (int k = 0; k <= 6; k++)
                c.rc_ohm[2][t][k] += 0.02f * (float)(6 - k);
        struct first_sample in = sample(2.0f, 0.2f, 0.85f);
        struct first_soc first = unseen_flow_soc(&m, &in, (float)quarter / 4.0f, 1.0f);

        CU_ASSERT_DOUBLE_EQUAL((double)first.soc, 0.2, 0.01);
    }
}

static void test_on_a_flat_curve_what_was_told_holds(void)
{
    start(0.03f); /* the error of the voltage is all of the curve */
    struct first_sample in = sample(2.0f, 0.3f, 0.3f);
    struct first_soc first = unseen_flow_soc(&m, &in, 0.6f, 0.2f);

    CU_ASSERT(first.trust < 0.05f);
    CU_ASSERT_DOUBLE_EQUAL((double)first.soc, 0.6, 0.03);
}

int main(void)
{
    CU_TestInfo tests[] = {
        { "what was before, from the current of now [ES-1]", test_what_was_before },
        { "a cell of little use held little [ES-1]", test_a_cell_of_little_use_held_little },
        { "a full cell cannot hide a discharge [ES-1]", test_a_full_cell_cannot_hide_a_discharge },
        { "the first voltage gives the SOC of a drive, whatever was told [ES-1]", test_the_first_voltage_gives_the_soc_of_a_drive },
        { "so it does where the resistance is steep [ES-1]", test_where_the_resistance_is_steep_too },
        { "on a flat curve what was told holds [ES-1]", test_on_a_flat_curve_what_was_told_holds },
        CU_TEST_INFO_NULL,
    };
    return suite_run("unseen_flow", tests);
}
