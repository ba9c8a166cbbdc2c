/* SPDX-License-Identifier: Apache-2.0 */
/* How a charge goes; how it ends has a program of its own (test_charge_ends.c). */
#include "tests/unit/firmware/charge_rig.h"

static void test_slow_charge_from_plug_to_full(void)
{
    static const enum charge_state order[] = { CHARGE_PLUGGED, CHARGE_HANDSHAKE, CHARGE_CLOSING, CHARGE_CONSTANT_CURRENT };

    start();
    run(1000);
    CU_ASSERT(c.state == CHARGE_IDLE && !c.close && !c.deliver);
    in.slow.connected = in.slow.ready = true;
    for (int i = 0; i < 4; i++) {
        CU_ASSERT_FALSE(c.deliver);
        run(STEP_MS);
        CU_ASSERT_EQUAL(c.state, order[i]);
        CU_ASSERT_EQUAL(c.close, i >= 2);
    }
    CU_ASSERT(c.deliver && c.want_dA == 1800 && c.want_mV == 4150 * CELLS);
    in.cell_max.value = 4144;
    run(1000);
    CU_ASSERT_EQUAL(c.state, CHARGE_CONSTANT_CURRENT);
    in.cell_max.value = 4145; /* the voltage is near */
    run(STEP_MS);
    CU_ASSERT_EQUAL(c.state, CHARGE_CONSTANT_VOLTAGE);
    in.cell_max.value = 4151;
    for (int s = 0; s < 200 && c.state == CHARGE_CONSTANT_VOLTAGE; s++) {
        int32_t before_dA = c.want_dA;

        run(1000);
        CU_ASSERT(c.want_dA <= before_dA);
    }
    CU_ASSERT(c.state == CHARGE_FULL && c.end == CHARGE_END_FULL);
    CU_ASSERT(!c.close && !c.deliver && c.want_dA == 0 && c.want_mV == 0);
    run(600000); /* and nothing starts again by itself */
    CU_ASSERT_EQUAL(c.state, CHARGE_FULL);
    in.slow.connected = false;
    run(STEP_MS);
    CU_ASSERT(c.state == CHARGE_IDLE && c.end == CHARGE_END_FULL);
}

static void test_full_is_a_low_current_for_ten_seconds(void)
{
    plug_slow();
    in.cell_max.value = 4150;
    run(50);
    CU_ASSERT_EQUAL(c.state, CHARGE_CONSTANT_VOLTAGE);
    in.current_mA = -1200; /* just as much as charge_end_dA */
    for (int t = 0; t < 60000; t += STEP_MS)
        charge_step(&c, &in);
    CU_ASSERT_EQUAL(c.state, CHARGE_CONSTANT_VOLTAGE);
    in.current_mA = -1199;
    for (int t = 0; t < CHARGE_FULL_MS - STEP_MS; t += STEP_MS)
        charge_step(&c, &in);
    CU_ASSERT_EQUAL(c.state, CHARGE_CONSTANT_VOLTAGE);
    charge_step(&c, &in);
    CU_ASSERT_EQUAL(c.state, CHARGE_FULL);
}

static void test_the_wanted_current_is_the_least_of_pack_plug_and_charger(void)
{
    plug_slow();
    in.limit_dA = 500;
    run(STEP_MS);
    CU_ASSERT_EQUAL(c.want_dA, 500);
    in.slow.limit_dA = 320; /* 32 A at 220 V, 95 %: 6,688 W into 177.6 V */
    run(STEP_MS);
    CU_ASSERT_EQUAL(c.want_dA, 376);
    in.limit_dA = -1;
    run(STEP_MS);
    CU_ASSERT_EQUAL(c.want_dA, 0);

    plug_fast();
    CU_ASSERT(c.state == CHARGE_CONSTANT_CURRENT && c.fast);
    CU_ASSERT_EQUAL(c.want_dA, 1200);
    in.limit_dA = 1199;
    in.fast.max_mV = 199000;
    run(STEP_MS);
    CU_ASSERT_EQUAL(c.want_dA, 1199);
    CU_ASSERT_EQUAL(c.want_mV, 199000);
}

static void test_nothing_begins_before_the_pack_is_measured(void)
{
    start();
    in.slow.connected = in.slow.ready = true;
    in.blocked = true;
    run(60000);
    CU_ASSERT(c.state == CHARGE_PLUGGED && !c.close);
    in.blocked = false;
    in.cold.known = false;
    run(60000);
    CU_ASSERT(c.state == CHARGE_PLUGGED && !c.close);
    in.has_probes = false; /* a pack without probes */
    run(50);
    CU_ASSERT_EQUAL(c.state, CHARGE_CONSTANT_CURRENT);
}

static void test_a_cold_pack_is_heated_first(void)
{
    start();
    in.slow.connected = in.slow.ready = true;
    in.cold.value = 30; /* exactly heat_on: warm enough */
    run(50);
    CU_ASSERT_EQUAL(c.state, CHARGE_CONSTANT_CURRENT);

    start();
    in.slow.connected = in.slow.ready = true;
    in.cold.value = 29;
    run(600000);
    CU_ASSERT(c.state == CHARGE_HEATING && c.heat && !c.close && c.deliver);
    CU_ASSERT_EQUAL(c.want_dA, 100);
    in.cold.value = 79;
    run(1000);
    CU_ASSERT_EQUAL(c.state, CHARGE_HEATING);
    in.cold.value = 80;
    run(STEP_MS);
    CU_ASSERT(c.state == CHARGE_CLOSING && !c.heat && c.close);

    start();
    in.slow.connected = in.slow.ready = true;
    in.cold.value = -100;
    params[PARAM_heat_max_min] = 1;
    run(60000);
    CU_ASSERT_EQUAL(c.state, CHARGE_HEATING);
    run(100);
    CU_ASSERT(c.state == CHARGE_ENDED && c.end == CHARGE_END_COLD && !c.heat);

    start();
    in.slow.connected = in.slow.ready = true;
    in.cold.value = -100;
    params[PARAM_heater_fitted] = 0;
    run(50);
    CU_ASSERT(c.state == CHARGE_ENDED && c.end == CHARGE_END_COLD);
}

static void test_the_fast_plug_wins_and_a_change_of_plug_begins_again(void)
{
    plug_slow();
    in.fast.connected = true;
    run(STEP_MS);
    CU_ASSERT(c.state == CHARGE_IDLE && !c.close);
    run(20);
    CU_ASSERT(c.fast && c.state == CHARGE_HANDSHAKE); /* the slow pilot does not count */
    run(10000);
    CU_ASSERT_EQUAL(c.state, CHARGE_HANDSHAKE);
}

/* Whatever comes in: a state that shall not deliver does not, and RL3 is never permitted without a plug. */
static void test_any_input_keeps_the_outputs_of_the_states(void)
{
    uint32_t seed = 9;

    start();
    for (int i = 0; i < 300000; i++) {
        seed = seed * 1664525u + 1013904223u;
        uint32_t x = seed >> 8;

        if (x % 64 == 0)
            in.slow.connected = x & 64;
        if (x % 64 == 1)
            in.fast.connected = (x & 0x1C0) == 0;
        in.slow.ready = x & 0x200;
        in.fast.handshaken = x & 0x400;
        in.fast.ready = x & 0x800;
        in.closed = c.close && (x & 0x1000);
        in.blocked = (x & 0xFE000) == 0;
        in.cold = (struct measure_extreme) { (x & 0xF00) != 0x300, (int32_t)(x % 40) - 5, 1 };
        in.cell_max.value = 4100 + (int32_t)(x % 60);
        charge_step(&c, &in);
        CU_ASSERT_FALSE_FATAL(c.close && !charge_is_asked(&in));
        CU_ASSERT_FALSE_FATAL(c.close && c.heat);
        CU_ASSERT_FALSE_FATAL((c.close || c.heat) && (in.blocked || !in.cold.known) && c.state != CHARGE_CLOSING &&
                              c.state != CHARGE_HEATING);
        CU_ASSERT_FATAL(c.deliver || (c.want_dA == 0 && c.want_mV == 0));
        CU_ASSERT_FATAL(c.want_dA <= in.limit_dA || c.state == CHARGE_HEATING);
    }
}

static void test_a_bound_of_the_mains_that_is_not_known_is_none(void)
{
    plug_slow();
    CU_ASSERT_EQUAL(c.want_dA, 1800);
    in.slow.limit_dA = 100; /* 10 A of 230 V at 177.6 V, with losses */
    run(STEP_MS);
    CU_ASSERT(c.want_dA > 100 && c.want_dA < 140);
    in.pack_mV = scalar_invalid(VALIDITY_STALE);
    run(STEP_MS);
    CU_ASSERT_EQUAL(c.want_dA, 1800);
    in.pack_mV = 0;
    run(STEP_MS);
    CU_ASSERT_EQUAL(c.want_dA, 1800);
    in.pack_mV = 1;
    in.slow.limit_dA = 1000000000;
    run(STEP_MS);
    CU_ASSERT_EQUAL(c.want_dA, 1800);
}

/* At constant voltage the current falls while the highest cell is above, and comes back while it is below, never beyond what is allowed. */
static void test_the_current_follows_the_highest_cell(void)
{
    plug_slow();
    in.cell_max.known = false; /* no cell to follow yet */
    run(1000);
    CU_ASSERT_EQUAL(c.state, CHARGE_CONSTANT_CURRENT);
    in.cell_max = (struct measure_extreme) { true, 4151, 7 };
    run(5000);
    int32_t tapered_dA = c.want_dA;

    CU_ASSERT(c.state == CHARGE_CONSTANT_VOLTAGE && tapered_dA < 1800 && tapered_dA > 0);
    in.cell_max.value = 4150; /* exactly: it stays */
    run(5000);
    CU_ASSERT_EQUAL(c.want_dA, tapered_dA);
    in.cell_max.value = 4149;
    run(5000);
    CU_ASSERT(c.want_dA > tapered_dA);
    run(600000);
    CU_ASSERT_EQUAL(c.want_dA, 1800);
}

/* A fast charger that has to wait gives nothing for longer than an end takes. */
static void test_a_pause_is_no_end(void)
{
    plug_fast();
    run(1000);
    CU_ASSERT_EQUAL(c.state, CHARGE_CONSTANT_CURRENT);
    in.fast.paused = true;
    for (uint32_t t = 0; t < 2 * (uint32_t)params[PARAM_charge_wait_s] * 1000; t += STEP_MS) {
        in.closed = true;
        in.current_mA = 0;
        charge_step(&c, &in);
    }
    CU_ASSERT_EQUAL(c.state, CHARGE_CONSTANT_CURRENT);
    in.cell_max.value = 4150;
    for (uint32_t t = 0; t < 2 * CHARGE_FULL_MS; t += STEP_MS)
        charge_step(&c, &in);
    CU_ASSERT_EQUAL(c.state, CHARGE_CONSTANT_VOLTAGE);
    in.fast.paused = false;
    for (uint32_t t = 0; t < CHARGE_FULL_MS; t += STEP_MS)
        charge_step(&c, &in);
    CU_ASSERT_EQUAL(c.state, CHARGE_FULL);
}

/* The talk breaks off: hands are shaken anew, unless the charger has said that it is over, or that it has failed. */
static void test_a_fast_charger_that_breaks_off_and_begins_again(void)
{
    plug_fast();
    run(1000);
    in.fast.handshaken = in.fast.ready = false;
    run(STEP_MS);
    CU_ASSERT_EQUAL(c.state, CHARGE_HANDSHAKE);
    plug_fast();
    run(1000);
    in.fast.handshaken = false;
    in.fast.ended = true;
    run(STEP_MS);
    CU_ASSERT(c.state == CHARGE_ENDED && c.end == CHARGE_END_CHARGER);
    run(1000);
    CU_ASSERT_EQUAL(c.state, CHARGE_ENDED); /* for good, until it begins again */
    in.fast.ended = false;
    in.fast.again = true;
    run(STEP_MS);
    CU_ASSERT_EQUAL(c.state, CHARGE_IDLE);

    plug_fast();
    run(1000);
    in.fast.handshaken = false;
    in.fast.fault = true;
    run(STEP_MS);
    CU_ASSERT(c.state == CHARGE_FAULT && c.end == CHARGE_END_BROKEN);
    in.fast.again = true;
    run(1000);
    CU_ASSERT_EQUAL(c.state, CHARGE_FAULT); /* a fault needs another plug */

    plug_fast();
    run(1000);
    in.blocked = true;
    run(STEP_MS);
    CU_ASSERT(c.state == CHARGE_ENDED && c.end == CHARGE_END_ALARM);
    in.fast.again = true;
    run(1000);
    CU_ASSERT_EQUAL(c.state, CHARGE_ENDED); /* an alarm is not the charger's to take back */

    plug_fast();
    run(1000);
    in.cell_max.value = 4150;
    for (uint32_t t = 0; t < 2 * CHARGE_FULL_MS && c.state != CHARGE_FULL; t += STEP_MS) {
        in.current_mA = 0;
        charge_step(&c, &in);
    }
    CU_ASSERT_EQUAL(c.state, CHARGE_FULL);
    in.fast.again = true;
    run(STEP_MS);
    CU_ASSERT_EQUAL(c.state, CHARGE_IDLE);
}

static void test_the_current_is_adjusted_each_half_second(void)
{
    plug_slow();
    in.limit_dA = 1000;
    in.cell_max.value = 4150;
    run(20);
    CU_ASSERT_EQUAL_FATAL(c.state, CHARGE_CONSTANT_VOLTAGE);
    in.cell_max.value = 4151;
    in.current_mA = -100000;
    in.dt_ms = 1;
    for (int look = 1; look < 4; look++) {
        static const int32_t dA[] = { 1000, 970, 940, 911 };

        for (int ms = look == 1 ? 11 : 1; ms < 500; ms++) /* 10 ms of the first half second have gone by */
            charge_step(&c, &in);
        CU_ASSERT_EQUAL(c.want_dA, dA[look - 1]);
        charge_step(&c, &in);
        CU_ASSERT_EQUAL(c.want_dA, dA[look]);
    }
    in.closed = false; /* RL3 falls off in the middle: the half second begins with the state */
    for (int ms = 0; ms < 300; ms++)
        charge_step(&c, &in);
    in.closed = true;
    charge_step(&c, &in);
    charge_step(&c, &in);
    CU_ASSERT(c.state == CHARGE_CONSTANT_VOLTAGE && c.want_dA == 1000);
    for (int ms = 1; ms < 500; ms++)
        charge_step(&c, &in);
    CU_ASSERT_EQUAL(c.want_dA, 1000);
    charge_step(&c, &in);
    CU_ASSERT_EQUAL(c.want_dA, 970);
    in.limit_dA = 500;
    charge_step(&c, &in);
    CU_ASSERT_EQUAL(c.want_dA, 500);
    in.limit_dA = 0; /* nothing is allowed for a moment: it comes back from there */
    charge_step(&c, &in);
    CU_ASSERT_EQUAL(c.want_dA, 0);
    in.limit_dA = 1000;
    in.cell_max.value = 4149;
    for (int ms = 3; ms <= 500; ms++)
        charge_step(&c, &in);
    CU_ASSERT_EQUAL(c.want_dA, 1);
    for (int ms = 0; ms < 500 * 99; ms++) {
        in.current_mA = -c.want_dA * 100 - 1200;
        charge_step(&c, &in);
    }
    CU_ASSERT_EQUAL(c.want_dA, 100);
    for (int ms = 0; ms < 500; ms++)
        charge_step(&c, &in);
    CU_ASSERT_EQUAL(c.want_dA, 102); /* a hundredth and 0.1 A more */
}

static void test_states_have_words(void)
{
    CU_ASSERT_STRING_EQUAL(charge_state_text(CHARGE_IDLE), "idle");
    CU_ASSERT_STRING_EQUAL(charge_state_text(CHARGE_FAULT), "fault");
    CU_ASSERT_STRING_EQUAL(charge_state_text(CHARGE_STATES), "unknown");
    CU_ASSERT_STRING_EQUAL(charge_state_text(-1), "unknown");
}

/* What is left of a talk with a fast charger does not count while the slow plug is in. */
static void test_a_slow_charge_does_not_hear_a_fast_charger(void)
{
    plug_slow();
    run(1000);
    in.fast.paused = in.fast.ended = in.fast.again = in.fast.fault = true;
    run(1000);
    CU_ASSERT(c.state == CHARGE_CONSTANT_CURRENT && c.want_dA == 1800 && c.end == CHARGE_END_NONE);
    in.cell_max.value = 4150;
    for (uint32_t t = 0; t < 2 * CHARGE_FULL_MS; t += STEP_MS) {
        in.current_mA = 0;
        charge_step(&c, &in);
    }
    CU_ASSERT_EQUAL(c.state, CHARGE_FULL); /* and stays so */
}

int main(void)
{
    static CU_TestInfo tests[] = {
        { "a slow charge runs from the plug to full, and stays full [AC-3]", test_slow_charge_from_plug_to_full },
        { "full is a low current for ten seconds at the end voltage [AC-3]", test_full_is_a_low_current_for_ten_seconds },
        { "the wanted current is the least of pack, plug and charger [AC-3]",
          test_the_wanted_current_is_the_least_of_pack_plug_and_charger },
        { "nothing begins before the pack is measured [AC-3]", test_nothing_begins_before_the_pack_is_measured },
        { "a cold pack is heated before it is charged, for a bounded time [AC-5]", test_a_cold_pack_is_heated_first },
        { "the fast plug wins, and a change of plug begins again [AC-3]", test_the_fast_plug_wins_and_a_change_of_plug_begins_again },
        { "any input keeps the outputs of the states [AC-3]", test_any_input_keeps_the_outputs_of_the_states },
        { "a bound of the mains that is not known is none [AC-3]", test_a_bound_of_the_mains_that_is_not_known_is_none },
        { "at constant voltage the current follows the highest cell, down and up [AC-3]", test_the_current_follows_the_highest_cell },
        { "a pause is no end [AC-3]", test_a_pause_is_no_end },
        { "a fast charger that breaks off, and one that begins again [AC-3]", test_a_fast_charger_that_breaks_off_and_begins_again },
        { "at constant voltage the current is adjusted each half second [AC-3]", test_the_current_is_adjusted_each_half_second },
        { "states have words", test_states_have_words },
        { "a slow charge does not hear a fast charger [AC-3]", test_a_slow_charge_does_not_hear_a_fast_charger },
        CU_TEST_INFO_NULL,
    };

    return suite_run("charge", tests);
}
