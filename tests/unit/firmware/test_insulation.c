/* SPDX-License-Identifier: Apache-2.0 */
#include "firmware/core/measure/insulation.h"

#include <math.h>
#include <stdlib.h>

#include "firmware/core/store/params.h"
#include "tests/unit/suite.h"

enum { STEP_MS = 10, PACK_mV = 400000 };

static struct insulation ins;
static int32_t params[PARAMS];
static struct insulation_in in;
static double pos_kohm, neg_kohm; /* of the rails */
static uint8_t bridge;

static void start(void)
{
    params_defaults(CHEMISTRY_NMC, params);
    insulation_init(&ins);
    bridge = 0;
    pos_kohm = neg_kohm = 3000;
    in = (struct insulation_in) { .dt_ms = STEP_MS, .pack_mV = PACK_mV, .params = params };
}

static void sense(void)
{
    double fixed = 1.0 / params[PARAM_insulation_divider_kohm], r0 = params[PARAM_insulation_bridge_kohm];
    double pos = 1 / pos_kohm + fixed + (bridge & SENSE_BRIDGE_POS ? 1 / r0 : 0);
    double neg = 1 / neg_kohm + fixed + (bridge & SENSE_BRIDGE_NEG ? 1 / r0 : 0);

    in.rail_pos_mV = (int32_t)lround(in.pack_mV * neg / (pos + neg));
    in.rail_neg_mV = in.pack_mV - in.rail_pos_mV;
}

static void run(uint32_t ms)
{
    for (uint32_t t = 0; t < ms; t += STEP_MS) {
        sense();
        bridge = insulation_step(&ins, &in);
    }
}

static void check(double pos, double neg)
{
    start();
    pos_kohm = pos;
    neg_kohm = neg;
    run(3100);
    CU_ASSERT(fabs(ins.pos_kohm - pos) <= 1 + pos / 200);
    CU_ASSERT(fabs(ins.neg_kohm - neg) <= 1 + neg / 200);
    CU_ASSERT_EQUAL(ins.system_kohm, ins.pos_kohm < ins.neg_kohm ? ins.pos_kohm : ins.neg_kohm);
}

static void test_both_rails_are_told_apart(void)
{
    static const double kohm[] = { 1, 5, 20, 40, 100, 200, 201, 500, 1000, 5000 };
    enum { N = sizeof(kohm) / sizeof(kohm[0]) };

    for (int i = 0; i < N; i++)
        for (int k = 0; k < N; k++)
            check(kohm[i], kohm[k]);
}

static void test_a_short_and_no_leak_at_all(void)
{
    start();
    pos_kohm = 1e-3;
    run(3100);
    CU_ASSERT_EQUAL(ins.system_kohm, 0);
    CU_ASSERT_EQUAL(ins.ohm_per_V, 0);
    start();
    neg_kohm = 1e-3;
    run(3100);
    CU_ASSERT_EQUAL(ins.neg_kohm, 0);
    start();
    pos_kohm = neg_kohm = 1e9;
    run(3100);
    CU_ASSERT_EQUAL(ins.pos_kohm, INSULATION_MAX_kohm);
    CU_ASSERT_EQUAL(ins.system_kohm, INSULATION_MAX_kohm);
    CU_ASSERT_EQUAL(ins.ohm_per_V, 25000);
}

static void test_ohm_for_each_volt(void)
{
    start();
    neg_kohm = 40; /* 400 V: 100 ohm/V */
    run(3100);
    CU_ASSERT(ins.ohm_per_V >= 99 && ins.ohm_per_V <= 100);
    start();
    in.pack_mV = 100000;
    run(3100);
    CU_ASSERT(ins.ohm_per_V >= 29900 && ins.ohm_per_V <= 30100);
    in.pack_mV = 40000;
    run(6000);
    CU_ASSERT_EQUAL(ins.ohm_per_V, INSULATION_MAX_ohm_per_V);
}

static void test_the_bridge_switches_one_at_a_time(void)
{
    unsigned changes = 0;

    start();
    run(STEP_MS);
    CU_ASSERT_EQUAL(bridge, SENSE_BRIDGE_POS);
    for (int i = 0; i < 1000; i++) {
        uint8_t was = bridge;

        run(STEP_MS);
        CU_ASSERT(bridge == SENSE_BRIDGE_POS || bridge == SENSE_BRIDGE_NEG);
        changes += bridge != was;
    }
    CU_ASSERT_EQUAL(changes, 10000 / 1500);
}

static void test_first_value_after_two_phases(void)
{
    start();
    run(3000);
    CU_ASSERT_EQUAL(scalar_validity(ins.system_kohm), VALIDITY_NEVER);
    run(STEP_MS);
    CU_ASSERT_EQUAL(scalar_validity(ins.system_kohm), VALIDITY_OK);
    CU_ASSERT_EQUAL(ins.age_ms, 0);
}

/* Wherever in its cycle the bridge is, a change shows in full within three phases. */
static void test_a_change_shows_within_three_phases(void)
{
    for (uint32_t at = 0; at < 3000; at += 50) {
        start();
        run(6000 + at);
        neg_kohm = 30;
        run(4500);
        CU_ASSERT(abs(ins.neg_kohm - 30) <= 1);
    }
}

static void test_only_the_end_of_a_phase_counts(void)
{
    start();
    run(STEP_MS);
    for (int i = 0; i < 600; i++) { /* the chassis swings until 100 ms before the end */
        sense();
        if (ins.in_phase_ms + STEP_MS + INSULATION_AVERAGE_MS <= 1500)
            in.rail_pos_mV = in.rail_neg_mV = PACK_mV / 2;
        bridge = insulation_step(&ins, &in);
    }
    CU_ASSERT(abs(ins.system_kohm - 3000) <= 15);
}

static void test_rails_that_do_not_add_up_are_not_believed(void)
{
    start();
    run(3100);
    in.pack_mV = PACK_mV;
    for (int i = 0; i < 151; i++) {
        sense();
        in.rail_pos_mV = in.rail_pos_mV * 105 / 100 + 1; /* the sum stays inside 5 % as long as N is not 0 */
        bridge = insulation_step(&ins, &in);
    }
    CU_ASSERT_EQUAL(scalar_validity(ins.system_kohm), VALIDITY_OK);
    for (int i = 0; i < 151; i++) {
        sense();
        in.rail_pos_mV += PACK_mV * 5 / 100 + 1;
        bridge = insulation_step(&ins, &in);
    }
    CU_ASSERT_EQUAL(scalar_validity(ins.system_kohm), VALIDITY_IMPLAUSIBLE);
    run(4600);
    CU_ASSERT_EQUAL(scalar_validity(ins.system_kohm), VALIDITY_OK);
}

static void test_switches_that_do_not_move_are_an_alarm(void)
{
    start();
    for (int i = 0; i < 400; i++) {
        bridge = 0;
        sense();
        insulation_step(&ins, &in);
    }
    CU_ASSERT_EQUAL(ins.system_kohm, 0);
}

static void test_off_leaves_the_rails_alone_and_the_value_grows_stale(void)
{
    start();
    run(3100);
    in.off = true;
    run(STEP_MS);
    CU_ASSERT_EQUAL(bridge, 0);
    run(4 * 1500 - 2 * STEP_MS - 90);
    CU_ASSERT_EQUAL(scalar_validity(ins.system_kohm), VALIDITY_OK);
    run(STEP_MS);
    CU_ASSERT_EQUAL(scalar_validity(ins.system_kohm), VALIDITY_STALE);
    CU_ASSERT_EQUAL(scalar_validity(ins.ohm_per_V), VALIDITY_STALE);
    in.off = false;
    run(3010);
    CU_ASSERT_EQUAL(scalar_validity(ins.system_kohm), VALIDITY_OK);
}

static void test_nothing_is_measured_where_nothing_can_be(void)
{
    start();
    in.pack_mV = INSULATION_PACK_MIN_mV - 1;
    run(3100);
    CU_ASSERT_EQUAL(bridge, 0);
    CU_ASSERT_EQUAL(scalar_validity(ins.system_kohm), VALIDITY_NEVER);
    in.pack_mV = INSULATION_PACK_MIN_mV;
    run(3100);
    CU_ASSERT_EQUAL(scalar_validity(ins.system_kohm), VALIDITY_OK);
    start();
    in.rail_pos_mV = scalar_invalid(VALIDITY_NOT_FITTED);
    bridge = insulation_step(&ins, &in);
    CU_ASSERT_EQUAL(bridge, 0);
    CU_ASSERT_EQUAL(scalar_validity(ins.pos_kohm), VALIDITY_NOT_FITTED);
}

static void test_readings_that_are_not_valid_do_not_count(void)
{
    start();
    run(3100);
    for (int i = 0; i < 1000; i++) {
        in.rail_pos_mV = scalar_invalid(VALIDITY_STALE);
        bridge = insulation_step(&ins, &in);
    }
    CU_ASSERT_EQUAL(scalar_validity(ins.system_kohm), VALIDITY_STALE);
    CU_ASSERT(bridge != 0);
}

static void test_one_rail_alone_is_nothing(void)
{
    start();
    for (int t = 0; t < 10000; t += STEP_MS) {
        sense();
        in.rail_neg_mV = scalar_invalid(VALIDITY_NOT_FITTED);
        CU_ASSERT_EQUAL(insulation_step(&ins, &in), 0); /* no bridge is moved */
    }
    CU_ASSERT(scalar_validity(ins.system_kohm) != VALIDITY_OK);
    start();
    for (int t = 0; t < 10000; t += STEP_MS) {
        sense();
        in.rail_neg_mV = scalar_invalid(VALIDITY_OPEN);
        (void)insulation_step(&ins, &in);
    }
    CU_ASSERT_EQUAL(scalar_validity(ins.system_kohm), VALIDITY_NEVER); /* nor is it implausible: nothing has been read */
}

/* One whole phase at these rails, from the first step of the phase on, in one reading. */
static void phase_at(int32_t pos_mV, int32_t neg_mV)
{
    in.dt_ms = (uint32_t)params[PARAM_insulation_settle_ms];
    in.rail_pos_mV = pos_mV;
    in.rail_neg_mV = neg_mV;
    bridge = insulation_step(&ins, &in);
}

static void begin_phases(void)
{
    start();
    bridge = insulation_step(&ins, &in);
    CU_ASSERT_EQUAL(bridge, SENSE_BRIDGE_POS);
}

static void test_rails_add_up_to_five_percent_exactly(void)
{
    for (int sign = -1; sign <= 1; sign += 2) {
        begin_phases();
        phase_at(200000 + sign * PACK_mV / 20, 200000);
        CU_ASSERT_EQUAL(scalar_validity(ins.system_kohm), VALIDITY_NEVER);
        CU_ASSERT(ins.seen[0].known && ins.seen[0].pos_mV == 200000 + sign * PACK_mV / 20 && ins.seen[0].neg_mV == 200000);
        phase_at(200000 + sign * (PACK_mV / 20 + 1), 200000);
        CU_ASSERT_EQUAL(scalar_validity(ins.system_kohm), VALIDITY_IMPLAUSIBLE);
        CU_ASSERT_FALSE(ins.seen[1].known);
    }
}

/* A rail that lies on the chassis: its channel reads a little below 0, 0, or a millivolt. */
static void test_an_offset_near_a_short_is_no_voltage(void)
{
    for (int32_t mV = -5; mV <= 1; mV++) {
        begin_phases();
        phase_at(PACK_mV, mV);
        CU_ASSERT(ins.seen[0].pos_mV == PACK_mV && ins.seen[0].neg_mV == (mV == 1 ? 1 : 0));
        begin_phases();
        phase_at(mV, PACK_mV);
        CU_ASSERT(ins.seen[0].neg_mV == PACK_mV && ins.seen[0].pos_mV == (mV == 1 ? 1 : 0));
    }
}

static void test_behind_a_short_the_other_rail_cannot_be_told(void)
{
    begin_phases();
    phase_at(PACK_mV, 0);
    phase_at(PACK_mV, 0);
    CU_ASSERT(ins.neg_kohm == 0 && ins.pos_kohm == 0 && ins.system_kohm == 0);
    begin_phases();
    phase_at(PACK_mV - 2, 2); /* a trace of voltage in one phase: it is the negative one alone */
    phase_at(PACK_mV, 0);
    CU_ASSERT(ins.neg_kohm == 0 && ins.pos_kohm == INSULATION_MAX_kohm);
}

/* 440 V over dividers of 20 bridges each: the rails read 20 V and 420 V, and what is left is no leak at all. */
static void test_a_leak_as_large_as_the_divider_is_none(void)
{
    begin_phases();
    in.pack_mV = 440000;
    phase_at(20000, 420000);
    phase_at(420000, 20000);
    CU_ASSERT(ins.pos_kohm == INSULATION_MAX_kohm && ins.neg_kohm == INSULATION_MAX_kohm);
}

static void test_large_bridges_are_exact_to_a_kiloohm(void)
{
    static const double kohm[] = { 1000, 3000, 9000 };

    for (int i = 0; i < 3; i++)
        for (int k = 0; k < 3; k++) {
            start();
            params[PARAM_insulation_bridge_kohm] = 5000;
            params[PARAM_insulation_divider_kohm] = 100000;
            pos_kohm = kohm[i];
            neg_kohm = kohm[k];
            run(3100);
            CU_ASSERT(fabs(ins.pos_kohm - kohm[i]) <= 1);
            CU_ASSERT(fabs(ins.neg_kohm - kohm[k]) <= 1);
        }
}

static void test_half_of_a_pair_concludes_nothing(void)
{
    begin_phases();
    phase_at(scalar_invalid(VALIDITY_STALE), 200000);
    CU_ASSERT_FALSE(ins.seen[0].known);
    phase_at(250000, 150000); /* the second phase is known, the first was not */
    CU_ASSERT(ins.seen[1].known);
    CU_ASSERT_EQUAL(scalar_validity(ins.system_kohm), VALIDITY_NEVER);
    phase_at(150000, 250000);
    CU_ASSERT_EQUAL(scalar_validity(ins.system_kohm), VALIDITY_OK);
}

static void test_after_a_pause_both_phases_are_measured_anew(void)
{
    begin_phases();
    phase_at(150000, 250000);
    phase_at(250000, 150000);
    phase_at(150000, 250000);
    in.dt_ms = STEP_MS;
    bridge = insulation_step(&ins, &in); /* in the middle of the phase NEG */
    CU_ASSERT_EQUAL(bridge, SENSE_BRIDGE_NEG);
    uint32_t age_ms = ins.age_ms;

    in.off = true;
    CU_ASSERT_EQUAL(insulation_step(&ins, &in), 0);
    in.off = false;
    CU_ASSERT_EQUAL(insulation_step(&ins, &in), SENSE_BRIDGE_POS);
    phase_at(150000, 250000);
    CU_ASSERT_EQUAL(ins.age_ms, age_ms + 2 * STEP_MS + 1500); /* no result from before and after */
    phase_at(250000, 150000);
    CU_ASSERT_EQUAL(ins.age_ms, 0);
}

static void test_a_phase_lasts_to_the_millisecond(void)
{
    begin_phases();
    in.dt_ms = 1;
    for (int phase = 0; phase < 3; phase++) {
        uint8_t was = bridge;

        for (int ms = 1; ms < 1500; ms++) {
            sense();
            bridge = insulation_step(&ins, &in);
            CU_ASSERT_EQUAL(bridge, was);
        }
        sense();
        bridge = insulation_step(&ins, &in);
        CU_ASSERT_EQUAL(bridge, was == SENSE_BRIDGE_POS ? SENSE_BRIDGE_NEG : SENSE_BRIDGE_POS);
    }
}

static void test_a_pack_of_more_than_2000_V_is_none(void)
{
    start();
    in.pack_mV = INSULATION_PACK_MAX_mV;
    run(3100);
    CU_ASSERT(abs(ins.system_kohm - 3000) <= 15);
    start();
    in.pack_mV = INSULATION_PACK_MAX_mV + 1;
    run(7000); /* longer than a value lasts: it was never there, so it is not stale */
    CU_ASSERT_EQUAL(bridge, 0);
    CU_ASSERT_EQUAL(scalar_validity(ins.system_kohm), VALIDITY_NEVER);
    start();
    in.pack_mV = scalar_invalid(VALIDITY_STALE);
    bridge = insulation_step(&ins, &in);
    CU_ASSERT_EQUAL(bridge, 0);
}

int main(void)
{
    CU_TestInfo tests[] = {
        { "both rails are told apart, from 1 kohm to 5 Mohm [ME-6]", test_both_rails_are_told_apart },
        { "a short reads 0, and no leak reads the end of the range [ME-6]", test_a_short_and_no_leak_at_all },
        { "ohm for each volt of the pack [ME-6]", test_ohm_for_each_volt },
        { "the bridge switches one resistor at a time [ME-6]", test_the_bridge_switches_one_at_a_time },
        { "the first value comes after two phases [ME-6]", test_first_value_after_two_phases },
        { "a change shows within three phases [ME-6]", test_a_change_shows_within_three_phases },
        { "only the settled end of a phase counts [ME-6]", test_only_the_end_of_a_phase_counts },
        { "rails that do not add up to the pack are not believed [ME-6]", test_rails_that_do_not_add_up_are_not_believed },
        { "switches that do not move are an alarm, not silence [ME-6]", test_switches_that_do_not_move_are_an_alarm },
        { "off leaves the rails alone, and the value grows stale [ME-6]", test_off_leaves_the_rails_alone_and_the_value_grows_stale },
        { "nothing is measured below 24 V or without a bridge [ME-6]", test_nothing_is_measured_where_nothing_can_be },
        { "readings that are not valid do not count [ME-6]", test_readings_that_are_not_valid_do_not_count },
        { "one rail alone is nothing [ME-6]", test_one_rail_alone_is_nothing },
        { "rails add up to the pack within five percent, exactly [ME-6]", test_rails_add_up_to_five_percent_exactly },
        { "an offset near a short is no voltage [ME-6]", test_an_offset_near_a_short_is_no_voltage },
        { "behind a dead short the other rail cannot be told [ME-6]", test_behind_a_short_the_other_rail_cannot_be_told },
        { "a leak as large as the divider is none [ME-6]", test_a_leak_as_large_as_the_divider_is_none },
        { "with large bridges it is exact to a kohm [ME-6]", test_large_bridges_are_exact_to_a_kiloohm },
        { "half of a pair concludes nothing [ME-6]", test_half_of_a_pair_concludes_nothing },
        { "after a pause both phases are measured anew [ME-6]", test_after_a_pause_both_phases_are_measured_anew },
        { "a phase lasts to the millisecond [ME-6]", test_a_phase_lasts_to_the_millisecond },
        { "a pack of more than 2,000 V is none [ME-6]", test_a_pack_of_more_than_2000_V_is_none },
        CU_TEST_INFO_NULL,
    };

    return suite_run("insulation", tests);
}
