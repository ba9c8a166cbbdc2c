/* SPDX-License-Identifier: Apache-2.0 */
#include "firmware/core/actuators/balance.h"
#include "tests/unit/firmware/fake_chain.h"
#include "tests/unit/suite.h"

static struct topology topology;
static struct afe afe;
static struct measure m;
static struct balance b;
static int32_t values[PARAMS];
static struct balance_in in;

static void set_die(unsigned chip, int32_t ddegC)
{
    afe.chip[chip].raw[topology.chip[chip].cells + topology.chip[chip].probe_count] = fake_die(ddegC);
}

static void start(int cells, int mV)
{
    params_defaults(CHEMISTRY_NMC, values);
    topology_plan(cells, values);
    topology_read(values, &topology);
    afe_init(&afe, &topology);
    measure_init(&m, &topology);
    balance_init(&b);
    in = (struct balance_in) {
        .dt_ms = 10, .permitted = true, .start_mV = 50, .min_cell_mV = 3600, .on_ms = BALANCE_PERIOD_MS, .die_hot_ddegC = 850
    };
    for (unsigned k = 0; k < topology.devices; k++)
        for (unsigned i = 0; i < AFE_CHANNELS_MAX; i++)
            afe.chip[k].raw[i] = fake_raw(mV);
    for (unsigned k = 0; k < topology.devices; k++)
        set_die(k, 400);
}

static void set(unsigned cell, int mV)
{
    for (unsigned k = 0; k < topology.devices; k++)
        if (cell - 1 >= topology.chip[k].first_cell && cell - 1 < (unsigned)topology.chip[k].first_cell + topology.chip[k].cells)
            afe.chip[k].raw[cell - 1 - topology.chip[k].first_cell] = fake_raw(mV);
}

static void judge(void)
{
    afe.fresh = (uint16_t)((1u << topology.devices) - 1);
    measure_step(&m, &afe, values);
    b.since_ms = BALANCE_PERIOD_MS;
    balance_step(&b, &m, &in);
}

static bool is_on(unsigned cell)
{
    return (unsigned)b.cells[(cell - 1) / 16] >> (cell - 1) % 16 & 1u;
}

static unsigned count(void)
{
    unsigned n = 0;

    for (unsigned cell = 1; cell <= topology.cells; cell++)
        n += is_on(cell);
    return n;
}

static void test_starts_exactly_at_the_spread(void)
{
    start(48, 3700);
    set(20, 3749);
    judge();
    CU_ASSERT_EQUAL(count(), 0);
    set(20, 3750);
    judge();
    CU_ASSERT_EQUAL(count(), 1);
    CU_ASSERT(is_on(20));
    CU_ASSERT_EQUAL(b.chip[1], 1u << 3);
}

static void test_low_cells_are_left_alone(void)
{
    start(16, 3500);
    set(3, 3600);
    judge();
    CU_ASSERT_EQUAL(count(), 0);
    set(3, 3601);
    judge();
    CU_ASSERT(is_on(3));
}

static void test_never_two_neighbours(void)
{
    unsigned seed = 7;

    start(90, 3700);
    for (int n = 0; n < 2000; n++) {
        for (unsigned cell = 1; cell <= 90; cell++) {
            seed = seed * 1103515245u + 12345u;
            set(cell, 3650 + (int)((seed >> 16) % 200u));
        }
        judge();
        CU_ASSERT(count() > 0);
        CU_ASSERT(is_on(m.cell.max.number) || is_on(m.cell.max.number + 1u) || (m.cell.max.number > 1 && is_on(m.cell.max.number - 1u)));
        for (unsigned cell = 1; cell < 90; cell++)
            CU_ASSERT_FALSE(is_on(cell) && is_on(cell + 1));
    }
}

static void test_of_equal_neighbours_one_goes_first(void)
{
    start(48, 3700);
    set(16, 3800);
    set(17, 3800); /* on the next chip */
    judge();
    CU_ASSERT(is_on(16));
    CU_ASSERT_EQUAL(count(), 1);
}

static void test_ends_at_once_without_permission(void)
{
    start(48, 3700);
    set(20, 3800);
    judge();
    CU_ASSERT_EQUAL(count(), 1);
    in.permitted = false;
    b.since_ms = 0;
    balance_step(&b, &m, &in);
    CU_ASSERT_EQUAL(count(), 0);
    CU_ASSERT_EQUAL(b.chip[1], 0);
}

static void test_judged_once_a_second(void)
{
    start(48, 3700);
    set(20, 3800);
    judge();
    set(20, 3700);
    afe.fresh = 7;
    measure_step(&m, &afe, values);
    for (int t = 10; t < BALANCE_PERIOD_MS; t += 10)
        balance_step(&b, &m, &in);
    CU_ASSERT(is_on(20));
    balance_step(&b, &m, &in);
    CU_ASSERT_FALSE(is_on(20));
}

static void test_nothing_measured_nothing_balanced(void)
{
    start(48, 3700);
    b.since_ms = BALANCE_PERIOD_MS;
    balance_step(&b, &m, &in); /* no chip has answered yet */
    for (int k = 0; k < PACK_CELLS_MAX / 16; k++)
        CU_ASSERT_EQUAL(b.cells[k], 0);
}

static void test_bypasses_are_off_before_the_cells_are_compared(void)
{
    start(48, 3700);
    set(20, 3800);
    in.on_ms = 850;
    judge();
    for (int t = 0; t < 840; t += 10) {
        CU_ASSERT_EQUAL(b.chip[1], 1u << 3);
        balance_step(&b, &m, &in);
    }
    CU_ASSERT_EQUAL(b.chip[1], 1u << 3);
    for (int t = 850; t < BALANCE_PERIOD_MS; t += 10) {
        balance_step(&b, &m, &in);
        CU_ASSERT_EQUAL(b.chip[1], 0);
        CU_ASSERT(is_on(20)); /* still this cycle's choice */
    }
    balance_step(&b, &m, &in);
    CU_ASSERT_EQUAL(b.chip[1], 1u << 3);
    in.on_ms = 0;
    judge();
    CU_ASSERT_EQUAL(b.chip[1], 0);
}

static void test_the_mean_current_is_capped(void)
{
    start(16, 3700);
    CU_ASSERT_EQUAL(balance_on_ms(values, 4150), 850); /* 55 mA: the rest and the duty of the chip */
    values[PARAM_balance_duty_percent] = 40;
    CU_ASSERT_EQUAL(balance_on_ms(values, 4150), 400);
    values[PARAM_balance_duty_percent] = 85;
    values[PARAM_balance_rest_ms] = 500;
    CU_ASSERT_EQUAL(balance_on_ms(values, 4150), 500);
    values[PARAM_balance_rest_ms] = 150;
    values[PARAM_balance_mohm] = 10000; /* 400 mA at 4 V: 120 mA are 30 % */
    CU_ASSERT_EQUAL(balance_on_ms(values, 4000), 300);
    CU_ASSERT_EQUAL(balance_on_ms(values, 0), 0);
    for (int c = 0; c < CHEMISTRIES; c++)
        for (int32_t mV = 500; mV <= 5000; mV += 10) {
            params_defaults((enum chemistry)c, values);
            int64_t mean_uA = (int64_t)mV * 1000000 / values[PARAM_balance_mohm] * balance_on_ms(values, mV) / BALANCE_PERIOD_MS;

            CU_ASSERT(mean_uA <= 120000);
        }
}

static void test_nothing_is_balanced_when_hot_or_blind(void)
{
    start(16, 3700);
    judge();
    m.temp.max = (struct measure_extreme) { true, 449, 1 };
    CU_ASSERT(balance_is_cool(&m, values));
    m.temp.max.value = 450;
    CU_ASSERT_FALSE(balance_is_cool(&m, values));
    m.temp.max = (struct measure_extreme) { false, 0, 0 };
    CU_ASSERT_FALSE(balance_is_cool(&m, values));
    topology.probes = 0;
    CU_ASSERT(balance_is_cool(&m, values));
}

/* Each chip by its own die, at the limit and one below; its neighbours go on. */
static void test_a_chip_that_is_hot_balances_nothing(void)
{
    for (unsigned hot = 0; hot < 3; hot++) {
        start(48, 3700);
        for (unsigned k = 0; k < 3; k++)
            set(16 * k + 8, 3800);
        set_die(hot, 849);
        judge();
        CU_ASSERT_EQUAL(count(), 3);
        set_die(hot, 850);
        afe.fresh = 7;
        measure_step(&m, &afe, values);
        balance_step(&b, &m, &in); /* in the middle of a cycle: at once */
        CU_ASSERT_EQUAL(b.chip[hot], 0);
        CU_ASSERT(b.chip[(hot + 1) % 3] && b.chip[(hot + 2) % 3]);
        judge();
        CU_ASSERT(count() == 2 && !is_on(16 * hot + 8));
        set_die(hot, 801); /* not yet cool enough */
        judge();
        CU_ASSERT_EQUAL(count(), 2);
        set_die(hot, 800);
        judge();
        CU_ASSERT_EQUAL(count(), 3);
        afe.chip[hot].raw[20] = 0; /* 2.287 V below nothing: no chip is so cold */
        judge();
        CU_ASSERT(count() == 2 && !is_on(16 * hot + 8));
    }
}

/* Two neighbours across a border, the lower one on a chip that rests: the other may. */
static void test_a_chip_that_rests_does_not_hold_its_neighbour(void)
{
    start(48, 3700);
    set(16, 3810);
    set(17, 3800);
    set_die(0, 900);
    judge();
    CU_ASSERT(count() == 1 && is_on(17));
}

static void test_the_lowest_voltage_counts_also_where_the_spread_reaches_it(void)
{
    start(16, 3550); /* lowest and spread together are the lowest voltage that is balanced */
    set(3, 3600);
    judge();
    CU_ASSERT_EQUAL(count(), 0);
    set(3, 3601);
    judge();
    CU_ASSERT(count() == 1 && is_on(3));
}

static void test_of_two_neighbours_the_higher_goes_first(void)
{
    for (unsigned lower = 1; lower < 48; lower++) {
        start(48, 3700);
        set(lower, 3800);
        set(lower + 1, 3801);
        judge();
        CU_ASSERT_EQUAL(count(), 1);
        CU_ASSERT(is_on(lower + 1));
        set(lower, 3802);
        judge();
        CU_ASSERT_EQUAL(count(), 1);
        CU_ASSERT(is_on(lower));
    }
}

/* The room of a pack with fewer cells may hold anything behind its last. */
static void test_the_last_cell_has_one_neighbour(void)
{
    start(48, 3700);
    set(48, 3800);
    afe.fresh = 7;
    measure_step(&m, &afe, values);
    m.cell_mV[48] = 4200;
    balance_step(&b, &m, &in);
    CU_ASSERT(count() == 1 && is_on(48));
}

static void test_each_second_is_chosen_afresh(void)
{
    start(48, 3700);
    set(20, 3800);
    judge();
    set(20, 3700);
    set(40, 3800);
    judge();
    CU_ASSERT(is_on(40) && count() == 1);
    CU_ASSERT_EQUAL(b.chip[1], 0);
    CU_ASSERT_EQUAL(b.chip[2], 1u << 7);
}

static void test_begins_at_once_when_permitted_again(void)
{
    start(48, 3700);
    set(20, 3800);
    judge();
    in.permitted = false;
    balance_step(&b, &m, &in);
    in.permitted = true;
    balance_step(&b, &m, &in);
    CU_ASSERT(is_on(20));
    CU_ASSERT_EQUAL(b.chip[1], 1u << 3);
}

static void test_time_on_is_kept_to_the_millisecond(void)
{
    start(48, 3700);
    set(20, 3800);
    in.dt_ms = 1;
    in.on_ms = 300;
    judge();
    for (int cycle = 0; cycle < 3; cycle++)
        for (uint32_t ms = 0; ms < BALANCE_PERIOD_MS; ms++) {
            CU_ASSERT_EQUAL(b.chip[1], ms < 300 ? 1u << 3 : 0u);
            balance_step(&b, &m, &in);
        }
    in.on_ms = 1;
    judge();
    CU_ASSERT_EQUAL(b.chip[1], 1u << 3);
    balance_step(&b, &m, &in);
    CU_ASSERT_EQUAL(b.chip[1], 0);
}

static void test_a_spread_that_is_not_known_is_none(void)
{
    start(48, 3700);
    set(20, 3800);
    afe.fresh = 7;
    measure_step(&m, &afe, values);
    m.cell.apart.known = false;
    balance_step(&b, &m, &in);
    CU_ASSERT_EQUAL(count(), 0);
}

static void test_limits_of_the_time_on(void)
{
    start(16, 3700);
    values[PARAM_balance_mohm] = 1000; /* 5 A at 5 V: 120 mA are 2.4 % */
    CU_ASSERT_EQUAL(balance_on_ms(values, 5000), 24);
    values[PARAM_balance_mohm] = 1000000; /* 1 uA at 1 mV: nothing to cap */
    CU_ASSERT_EQUAL(balance_on_ms(values, 1), 850);
    CU_ASSERT_EQUAL(balance_on_ms(values, 0), 0);
    CU_ASSERT_EQUAL(balance_on_ms(values, -5000), 0);
}

int main(void)
{
    CU_TestInfo tests[] = {
        { "a chip whose die is hot, or not known, balances nothing, and comes back 5 K below [AC-4]",
          test_a_chip_that_is_hot_balances_nothing },
        { "a chip that rests does not hold its neighbour [AC-4]", test_a_chip_that_rests_does_not_hold_its_neighbour },
        { "starts exactly at the spread balance_start_mV [AC-4]", test_starts_exactly_at_the_spread },
        { "cells at balance_min_cell_mV or below are left alone [AC-4]", test_low_cells_are_left_alone },
        { "never two neighbours, also across chips [AC-4]", test_never_two_neighbours },
        { "of two equal neighbours one goes first [AC-4]", test_of_equal_neighbours_one_goes_first },
        { "ends at once without permission [AC-4]", test_ends_at_once_without_permission },
        { "bypasses are off before the cells are compared [AC-4]", test_bypasses_are_off_before_the_cells_are_compared },
        { "the mean current is capped at 120 mA and by the duty of the chip [AC-4]", test_the_mean_current_is_capped },
        { "nothing is balanced when hot or without a temperature [AC-4]", test_nothing_is_balanced_when_hot_or_blind },
        { "judged once a second", test_judged_once_a_second },
        { "nothing measured, nothing balanced [AC-4]", test_nothing_measured_nothing_balanced },
        { "a cell at balance_min_cell_mV is left alone, also where the spread reaches it [AC-4]",
          test_the_lowest_voltage_counts_also_where_the_spread_reaches_it },
        { "of two neighbours the higher goes first, at every place [AC-4]", test_of_two_neighbours_the_higher_goes_first },
        { "the last cell has one neighbour [AC-4]", test_the_last_cell_has_one_neighbour },
        { "each second is chosen afresh [AC-4]", test_each_second_is_chosen_afresh },
        { "begins at once when permitted again [AC-4]", test_begins_at_once_when_permitted_again },
        { "the time on is kept to the millisecond [AC-4]", test_time_on_is_kept_to_the_millisecond },
        { "a spread that is not known is none [AC-4]", test_a_spread_that_is_not_known_is_none },
        { "the time on has its limits, from 5 A down to nothing [AC-4]", test_limits_of_the_time_on },
        CU_TEST_INFO_NULL,
    };

    return suite_run("balance", tests);
}
