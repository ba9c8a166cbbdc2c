/* SPDX-License-Identifier: Apache-2.0 */
#include "firmware/core/measure/plausible.h"

#include "firmware/core/store/params.h"
#include "tests/unit/firmware/fake_chain.h"
#include "tests/unit/suite.h"

enum { CELLS = 16 };

static struct plausible p;
static int32_t params[PARAMS];
static uint16_t raw[CELLS];

static void set_all(int mV)
{
    for (int i = 0; i < CELLS; i++)
        raw[i] = fake_raw(mV + i);
}

static void step(void)
{
    plausible_step(&p, raw, CELLS, params);
}

static void start(void)
{
    params_defaults(CHEMISTRY_NMC, params);
    p = (struct plausible) { 0 };
    set_all(3700);
    step();
}

/* All but cell 5 move by so much, in steps of 1 mV. */
static void move_others(int from_mV, int to_mV)
{
    uint16_t kept = raw[4];

    for (int mV = from_mV; mV != to_mV; mV += to_mV > from_mV ? 1 : -1) {
        set_all(mV + (to_mV > from_mV ? 1 : -1));
        raw[4] = kept;
        step();
    }
}

static void test_a_stuck_cell_is_found_exactly(void)
{
    start();
    move_others(3700, 3729);
    CU_ASSERT_EQUAL(p.stuck, 0);
    move_others(3729, 3731); /* 30 mV and the rounding of a code */
    CU_ASSERT_EQUAL(p.stuck, 1 << 4);
    start();
    move_others(3700, 3669);
    CU_ASSERT_EQUAL(p.stuck, 1 << 4);
}

static void test_it_is_believed_again_when_its_last_bit_moves(void)
{
    start();
    move_others(3700, 3740);
    CU_ASSERT_EQUAL(p.stuck, 1 << 4);
    raw[4]++;
    step();
    CU_ASSERT_EQUAL(p.stuck, 0);
    move_others(3740, 3769);
    CU_ASSERT_EQUAL(p.stuck, 0);
}

static void test_a_pack_at_rest_is_not_stuck(void)
{
    start();
    for (int i = 0; i < 100000; i++)
        step();
    CU_ASSERT_EQUAL(p.stuck, 0);
}

/* One cell that falls says nothing about the others. */
static void test_one_cell_that_moves_makes_no_other_stuck(void)
{
    start();
    for (int mV = 3700; mV > 2800; mV--) {
        raw[0] = fake_raw(mV);
        step();
        CU_ASSERT_EQUAL(p.stuck, 0);
    }
}

static void test_the_end_of_the_range_is_not_stuck(void)
{
    static const uint16_t ends[] = { 0, 65535, 1, 65534 };

    for (int i = 0; i < 4; i++) {
        start();
        raw[4] = ends[i];
        step();
        move_others(3700, 3800);
        CU_ASSERT_EQUAL(p.stuck != 0, i >= 2);
    }
}

static void test_zero_turns_it_off(void)
{
    start();
    params[PARAM_cell_stuck_mV] = 0;
    move_others(3700, 3900);
    CU_ASSERT_EQUAL(p.stuck, 0);
}

static void test_a_jump_is_not_believed_once(void)
{
    for (unsigned k = 0; k < CELLS; k++) {
        start();
        raw[k] = fake_raw(3700 + (int)k - 1000);
        step();
        CU_ASSERT_EQUAL(p.jumped, 0);
        start();
        raw[k] = fake_raw(3700 + (int)k - 1001);
        step();
        CU_ASSERT_EQUAL(p.jumped, 1 << k);
        step();
        CU_ASSERT_EQUAL(p.jumped, 0);
    }
}

/* A cell that jumps in every scan must not be out of sight for ever: every second reading is judged by the limits. */
static void test_a_cell_that_keeps_jumping_is_seen(void)
{
    unsigned believed = 0;

    start();
    for (int i = 0; i < 10; i++) {
        raw[0] = fake_raw(i % 2 ? 3700 : 2000);
        step();
        believed += p.jumped == 0;
    }
    CU_ASSERT_EQUAL(believed, 5);
}

static void test_two_cells_have_no_median(void)
{
    start();
    p = (struct plausible) { 0 };
    for (int i = 0; i < 10; i++) {
        raw[0] = (uint16_t)(raw[0] + 1000);
        plausible_step(&p, raw, 2, params);
        CU_ASSERT_EQUAL(p.stuck | p.jumped, 0);
    }
}

/* n codes at once by all cells but cell 5: the chip's common voltage. */
static bool is_stuck_after(uint16_t n)
{
    start();
    for (int i = 0; i < CELLS; i++)
        raw[i] = (uint16_t)(raw[i] - (i == 4 ? 0 : n));
    step();
    return p.stuck == 1u << 4;
}

/* 30 mV are 393.2 codes, 625 mV are 8,192 codes to the last bit, 1 mV is 13.1. */
static void test_limits_of_stuck_to_the_code(void)
{
    CU_ASSERT_FALSE(is_stuck_after(393));
    CU_ASSERT(is_stuck_after(394));
    for (int32_t mV = 625; mV >= 1; mV -= 624) {
        uint16_t codes = mV == 625 ? 8192 : 14;

        start();
        params[PARAM_cell_stuck_mV] = mV;
        for (int i = 0; i < CELLS; i++)
            raw[i] = (uint16_t)(raw[i] + (i == 4 ? 0 : codes - 1));
        step();
        CU_ASSERT_EQUAL(p.stuck, 0);
        for (int i = 0; i < CELLS; i++)
            raw[i] = (uint16_t)(raw[i] + (i == 4 ? 0 : 1));
        step();
        CU_ASSERT_EQUAL(p.stuck, 1 << 4);
    }
}

/* The last mV of the row, 625 mV and the default of a volt: 65,522.9, 8,192 and 13,107.2 codes. */
static void test_limits_of_a_jump_to_the_code(void)
{
    static const int32_t mV[] = { 4999, 625, 1000 };
    static const uint16_t believed[] = { 65523, 8192, 13108 };

    for (int i = 0; i < 3; i++) {
        start();
        params[PARAM_cell_jump_mV] = mV[i];
        p = (struct plausible) { 0 };
        raw[0] = 0;
        step();
        raw[0] = believed[i];
        step();
        CU_ASSERT_EQUAL(p.jumped, 0);
        p = (struct plausible) { 0 };
        raw[0] = 0;
        step();
        raw[0] = (uint16_t)(believed[i] + 1);
        step();
        CU_ASSERT_EQUAL(p.jumped, 1);
    }
}

/* Cells that move by different steps, in every order: the one in the middle is the chip's, of four the upper of the two. */
static void test_the_common_voltage_is_the_median_in_every_order(void)
{
    static const int32_t moves[] = { -300, 7, 20, 90 };
    unsigned orders = 0;

    for (unsigned n = PLAUSIBLE_CELLS_MIN; n <= 4; n++)
        for (unsigned order = 0; order < 4 * 4 * 4 * 4; order++) {
            unsigned at[4] = { order % 4, order / 4 % 4, order / 16 % 4, order / 64 }, used = 0;

            for (unsigned k = 0; k < n; k++)
                used |= 1u << at[k];
            if (used != (1u << n) - 1 || (n == 3 && order >= 64))
                continue;
            start();
            p = (struct plausible) { 0 };
            plausible_step(&p, raw, n, params);
            for (unsigned k = 0; k < n; k++)
                raw[k] = (uint16_t)(raw[k] + moves[at[k]]);
            plausible_step(&p, raw, n, params);
            CU_ASSERT_EQUAL(p.common, n == 3 ? 7 : 20);
            orders++;
        }
    CU_ASSERT_EQUAL(orders, 6 + 24);
}

int main(void)
{
    CU_TestInfo tests[] = {
        { "a stuck cell is found when the others have moved by 30 mV [ME-12]", test_a_stuck_cell_is_found_exactly },
        { "it is believed again when its last bit moves [ME-12]", test_it_is_believed_again_when_its_last_bit_moves },
        { "a pack at rest is not stuck [ME-12]", test_a_pack_at_rest_is_not_stuck },
        { "one cell that moves makes no other stuck [ME-12]", test_one_cell_that_moves_makes_no_other_stuck },
        { "a code at the end of the range is not stuck [ME-12]", test_the_end_of_the_range_is_not_stuck },
        { "0 turns it off [ME-12]", test_zero_turns_it_off },
        { "a jump of more than a volt is not believed, once, at every place [ME-12]", test_a_jump_is_not_believed_once },
        { "a cell that keeps jumping is seen all the same [ME-12]", test_a_cell_that_keeps_jumping_is_seen },
        { "two cells have no median [ME-12]", test_two_cells_have_no_median },
        { "the limit of a stuck cell holds to the code, also at 1 mV [ME-12]", test_limits_of_stuck_to_the_code },
        { "the limit of a jump holds to the code [ME-12]", test_limits_of_a_jump_to_the_code },
        { "the common voltage of a chip is the median step, in every order [ME-12]", test_the_common_voltage_is_the_median_in_every_order },
        CU_TEST_INFO_NULL,
    };

    return suite_run("plausible", tests);
}
