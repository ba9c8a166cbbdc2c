/* SPDX-License-Identifier: Apache-2.0 */
#include <math.h>
#include <string.h>

#include "sim/cells.h"
#include "tests/unit/suite.h"

enum { HOUR_STEPS = 3600 * 1000 / CELL_STEP_MS };

static const uint16_t no_bypass[PACK_CELLS_MAX / 16];

static struct cell fresh(const struct cell_type *type, double soc)
{
    struct cell c = { .soc = soc, .temp_C = 25, .size = 1, .stiffness = 1 };

    cell_warm(&c, type, 0, 0);
    return c;
}

static void test_the_open_circuit_curve_rises_and_has_its_limits(void)
{
    static const struct {
        enum chemistry chemistry;
        double empty_V, full_V;
    } rows[] = {
        { CHEMISTRY_NMC, 3.000, 4.165 }, { CHEMISTRY_LFP, 2.600, 3.450 }, { CHEMISTRY_NIMH, 1.050, 1.400 }, { CHEMISTRY_SCAP, 0.000, 2.700 }
    };

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct cell_type t;

        cell_type_init(&t, rows[i].chemistry, 10000);
        CU_ASSERT_DOUBLE_EQUAL(cell_ocv_V(&t, 0), rows[i].empty_V, 1e-9);
        CU_ASSERT_DOUBLE_EQUAL(cell_ocv_V(&t, 1), rows[i].full_V, 1e-9);
        CU_ASSERT_TRUE(cell_ocv_V(&t, -1) >= 0);
        for (double soc = 0; soc < 1.05; soc += 0.001)
            CU_ASSERT_TRUE(cell_ocv_V(&t, soc + 0.001) > cell_ocv_V(&t, soc));
    }
}

static void test_one_hour_at_the_rated_current_empties_it(void)
{
    struct cell_type t;

    cell_type_init(&t, CHEMISTRY_NMC, 60000);
    struct cell c = fresh(&t, 1);

    for (int i = 0; i < HOUR_STEPS; i++)
        cell_step(&c, &t, 60);
    CU_ASSERT_DOUBLE_EQUAL(c.soc, 0, 1e-6);
    for (int i = 0; i < HOUR_STEPS; i++)
        cell_step(&c, &t, -60);
    CU_ASSERT_DOUBLE_EQUAL(c.soc, 1, 1e-6);
}

/* What goes in and does not come out again has become heat, but for what the hysteresis keeps. */
static void test_energy_is_kept_over_a_cycle(void)
{
    for (int chemistry = 0; chemistry < CHEMISTRIES; chemistry++) {
        struct cell_type t;

        cell_type_init(&t, (enum chemistry)chemistry, 10000);
        struct cell c = fresh(&t, 0.5);
        double in_J = 0;

        for (int i = 0; i < HOUR_STEPS / 2; i++) { /* quarter of an hour out, quarter in, at half the rated current */
            double current_A = i < HOUR_STEPS / 4 ? 5 : -5;

            cell_step(&c, &t, current_A);
            in_J -= c.terminal_V * current_A * CELL_STEP_MS / 1000;
        }
        CU_ASSERT_DOUBLE_EQUAL(c.soc, 0.5, 1e-9);
        CU_ASSERT_TRUE(in_J > 0);
        CU_ASSERT_TRUE(in_J >= c.heat_J * 0.99);
        CU_ASSERT_TRUE(in_J <= c.heat_J * 1.01 + 2 * t.hysteresis_V * 5 * 1800 + 1);
    }
}

static void test_load_lowers_and_charge_raises_the_terminal_voltage(void)
{
    struct cell_type t;

    cell_type_init(&t, CHEMISTRY_LFP, 280000);
    struct cell out = fresh(&t, 0.5), in = out;

    cell_step(&out, &t, 280);
    cell_step(&in, &t, -280);
    CU_ASSERT_TRUE(out.terminal_V < cell_ocv_V(&t, 0.5));
    CU_ASSERT_TRUE(in.terminal_V > cell_ocv_V(&t, 0.5));
    CU_ASSERT_DOUBLE_EQUAL(in.terminal_V - out.terminal_V, 2 * 280 * t.r0_ohm * 1.0, 0.002);
}

static void test_cold_makes_it_stiff(void)
{
    struct cell_type t;

    cell_type_init(&t, CHEMISTRY_NMC, 60000);
    struct cell warm = fresh(&t, 0.5), cold = warm;

    cold.temp_C = -20;
    cell_warm(&cold, &t, 0, 0);
    CU_ASSERT_DOUBLE_EQUAL(warm.cold, 1, 1e-9);
    CU_ASSERT_TRUE(cold.cold > 3 && cold.cold < 6);
}

static void test_hysteresis_keeps_the_side_it_came_from(void)
{
    struct cell_type t;

    cell_type_init(&t, CHEMISTRY_LFP, 1000);
    struct cell up = fresh(&t, 0.3), down = fresh(&t, 0.7);

    for (int i = 0; i < HOUR_STEPS / 5; i++) {
        cell_step(&up, &t, -1);
        cell_step(&down, &t, 1);
    }
    for (int i = 0; i < 4 * HOUR_STEPS; i++) { /* rest: the slow branches fade, the hysteresis stays */
        cell_step(&up, &t, 0);
        cell_step(&down, &t, 0);
    }
    CU_ASSERT_DOUBLE_EQUAL(up.soc, down.soc, 1e-6);
    CU_ASSERT_DOUBLE_EQUAL(up.terminal_V - down.terminal_V, 2 * t.hysteresis_V, 0.001);
}

static void test_two_seeds_make_two_packs_and_one_seed_the_same(void)
{
    static struct cells a, b, c;
    struct noise one = { 7 }, same = { 7 }, two = { 8 };

    cells_init(&a, CHEMISTRY_NMC, 60000, 96, 0.5, &one);
    cells_init(&b, CHEMISTRY_NMC, 60000, 96, 0.5, &same);
    cells_init(&c, CHEMISTRY_NMC, 60000, 96, 0.5, &two);
    CU_ASSERT_EQUAL(memcmp(a.cell, b.cell, sizeof(a.cell)), 0);
    CU_ASSERT_NOT_EQUAL(memcmp(a.cell, c.cell, sizeof(a.cell)), 0);
    CU_ASSERT_TRUE(cells_highest_V(&a) - cells_lowest_V(&a) < 0.050);
    CU_ASSERT_TRUE(cells_highest_V(&a) - cells_lowest_V(&a) > 0.003);
}

static void test_a_bypass_lowers_its_own_cell_only(void)
{
    static struct cells a;
    struct noise noise = { 1 };
    uint16_t bypass[PACK_CELLS_MAX / 16] = { 0, 1 << 3 }; /* cell 20 */

    cells_init(&a, CHEMISTRY_NMC, 1000, 32, 0.8, &noise);
    double before = a.cell[19].soc, other = a.cell[18].soc;

    for (int i = 0; i < HOUR_STEPS; i++)
        cells_step(&a, 0, bypass);
    CU_ASSERT_DOUBLE_EQUAL(before - a.cell[19].soc, 0.050, 0.008); /* about 50 mA for an hour of 1,000 mAh [AC-4] */
    CU_ASSERT_DOUBLE_EQUAL(other, a.cell[18].soc, 1e-12);
}

static void test_heat_spreads_and_leaves(void)
{
    static struct cells a;
    struct noise noise = { 1 };

    cells_init(&a, CHEMISTRY_NMC, 10000, 16, 0.5, &noise);
    a.cell[8].temp_C = 60;
    for (int i = 0; i < 60 * 100; i++)
        cells_step(&a, 0, no_bypass);
    CU_ASSERT_TRUE(a.cell[8].temp_C < 45);
    CU_ASSERT_TRUE(a.cell[7].temp_C > a.cell[4].temp_C);
    for (int i = 0; i < 12 * HOUR_STEPS; i++)
        cells_step(&a, 0, no_bypass);
    for (int i = 0; i < 16; i++)
        CU_ASSERT_DOUBLE_EQUAL(a.cell[i].temp_C, a.ambient_C, 0.5);
}

int main(void)
{
    static CU_TestInfo tests[] = {
        { "the open-circuit curve rises and has its limits [PK-4]", test_the_open_circuit_curve_rises_and_has_its_limits },
        { "one hour at the rated current empties it", test_one_hour_at_the_rated_current_empties_it },
        { "energy is kept over a cycle", test_energy_is_kept_over_a_cycle },
        { "load lowers and charge raises the terminal voltage", test_load_lowers_and_charge_raises_the_terminal_voltage },
        { "cold makes it stiff", test_cold_makes_it_stiff },
        { "hysteresis keeps the side it came from", test_hysteresis_keeps_the_side_it_came_from },
        { "two seeds make two packs, and one seed the same", test_two_seeds_make_two_packs_and_one_seed_the_same },
        { "a bypass lowers its own cell only", test_a_bypass_lowers_its_own_cell_only },
        { "heat spreads and leaves", test_heat_spreads_and_leaves },
        CU_TEST_INFO_NULL,
    };
    return suite_run("cell", tests);
}
