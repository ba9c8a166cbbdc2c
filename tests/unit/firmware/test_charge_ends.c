/* SPDX-License-Identifier: Apache-2.0 */
/* What ends a charge, after which wait, and that a wait ends to the millisecond. */
#include "tests/unit/firmware/charge_rig.h"

/* From the state before, by this one change, to this end. */
static void ends(void (*plug)(void), void (*change)(void), uint32_t after_ms, enum charge_state state, enum charge_end why)
{
    plug();
    CU_ASSERT(c.close && c.deliver);
    change();
    if (after_ms > STEP_MS) {
        for (uint32_t t = STEP_MS; t < after_ms; t += STEP_MS)
            charge_step(&c, &in);
        CU_ASSERT(c.close);
    }
    charge_step(&c, &in);
    CU_ASSERT_EQUAL(c.state, state);
    CU_ASSERT_EQUAL(c.end, why);
    CU_ASSERT(!c.close && !c.heat && !c.deliver && c.want_dA == 0);
}

static void block(void)
{
    in.blocked = true;
}

static void lose_probes(void)
{
    in.cold.known = false;
}

static void no_limit(void)
{
    run(1000);
    in.limit_dA = 0;
    in.current_mA = 0;
}

static void exceed_current(void)
{
    in.current_mA = -203001; /* 180 A, a tenth and 5 A more */
}

static void exceed_voltage(void)
{
    in.pack_mV = (4150 + 30) * CELLS + 1;
}

static void charger_ends(void)
{
    in.fast.ended = true;
}

static void charger_fails(void)
{
    in.fast.fault = true;
}

static void unplug(void)
{
    in.slow.connected = in.fast.connected = false;
}

static void test_stops_on_any_limit(void)
{
    ends(plug_slow, block, STEP_MS, CHARGE_ENDED, CHARGE_END_ALARM);
    ends(plug_slow, lose_probes, STEP_MS, CHARGE_ENDED, CHARGE_END_ALARM);
    ends(plug_slow, no_limit, 60000, CHARGE_ENDED, CHARGE_END_LIMIT);
    ends(plug_slow, exceed_current, CHARGE_BEYOND_MS, CHARGE_FAULT, CHARGE_END_BEYOND);
    ends(plug_slow, exceed_voltage, CHARGE_BEYOND_MS, CHARGE_FAULT, CHARGE_END_BEYOND);
    ends(plug_slow, unplug, STEP_MS, CHARGE_IDLE, CHARGE_END_UNPLUGGED);
    ends(plug_fast, charger_ends, STEP_MS, CHARGE_ENDED, CHARGE_END_CHARGER);
    ends(plug_fast, charger_fails, STEP_MS, CHARGE_FAULT, CHARGE_END_BROKEN);
    ends(plug_fast, block, STEP_MS, CHARGE_ENDED, CHARGE_END_ALARM);
    plug_slow();
    in.current_mA = -203000; /* just not beyond */
    for (int t = 0; t < 60000; t += STEP_MS)
        charge_step(&c, &in);
    CU_ASSERT_EQUAL(c.state, CHARGE_CONSTANT_CURRENT);
    params[PARAM_charge_max_min] = 2;
    run(59000);
    CU_ASSERT_EQUAL(c.state, CHARGE_CONSTANT_CURRENT);
    run(2000);
    CU_ASSERT(c.state == CHARGE_ENDED && c.end == CHARGE_END_TOO_LONG);
}

static void test_a_charger_that_does_not_come_is_a_fault(void)
{
    start();
    in.slow.connected = true;
    run(60010);
    CU_ASSERT_EQUAL(c.state, CHARGE_HANDSHAKE);
    run(2 * STEP_MS);
    CU_ASSERT(c.state == CHARGE_FAULT && c.end == CHARGE_END_SILENT);

    start();
    in.fast = (struct charge_fast) { .connected = true, .handshaken = true };
    run(120000); /* twice as long: the talk has a time-out of its own */
    CU_ASSERT(c.state == CHARGE_CLOSING && c.close && !c.deliver);
    run(100);
    CU_ASSERT(c.state == CHARGE_FAULT && !c.close);
}

static void test_an_rl3_that_opens_stops_the_charger(void)
{
    for (int32_t mV = 3700; mV <= 4150; mV += 450) {
        plug_slow();
        in.cell_max.value = mV;
        run(50);
        CU_ASSERT(c.deliver);
        in.closed = false;
        charge_step(&c, &in);
        CU_ASSERT(c.state == CHARGE_CLOSING && c.close && !c.deliver);
        in.closed = true;
        charge_step(&c, &in);
        CU_ASSERT(c.state == CHARGE_CONSTANT_CURRENT && c.deliver);
    }
}

/* Exactly after so many ms, and not one before, in steps of 1 ms. The inputs stay as they are. */
static void leaves_after(uint32_t ms, enum charge_state state, enum charge_end why)
{
    enum charge_state from = c.state;

    in.dt_ms = 1;
    for (uint32_t t = 1; t < ms; t++) {
        charge_step(&c, &in);
        if (c.state != from)
            break;
    }
    CU_ASSERT_EQUAL(c.state, from);
    charge_step(&c, &in);
    CU_ASSERT_EQUAL(c.state, state);
    CU_ASSERT_EQUAL(c.end, why);
    CU_ASSERT_FALSE(c.heat && c.state != CHARGE_HEATING);
    in.dt_ms = STEP_MS;
}

static void plug_cold(bool fast)
{
    start();
    in.cold.value = 0;
    in.slow.connected = in.slow.ready = !fast;
    in.fast.connected = in.fast.handshaken = fast;
    run(30);
    CU_ASSERT_EQUAL_FATAL(c.state, CHARGE_HEATING);
}

/* The first step into a state does not count: what is waited for may come with the next. */
static void test_every_wait_ends_exactly(void)
{
    start();
    in.slow.connected = true; /* the pilot offers nothing */
    run(20);
    leaves_after(60000, CHARGE_FAULT, CHARGE_END_SILENT);

    start();
    in.slow.connected = in.slow.ready = true;
    run(30); /* RL3 does not come, and a charger that is ready does not help */
    CU_ASSERT_EQUAL(c.state, CHARGE_CLOSING);
    leaves_after(60000, CHARGE_FAULT, CHARGE_END_SILENT);

    plug_slow();
    in.slow.ready = false;
    in.closed = false;
    charge_step(&c, &in);
    in.closed = true; /* RL3 is there, the pilot is not */
    leaves_after(60000, CHARGE_FAULT, CHARGE_END_SILENT);

    start();
    in.fast = (struct charge_fast) { .connected = true, .handshaken = true };
    in.closed = true;
    for (int i = 0; i < 3; i++)
        charge_step(&c, &in);
    CU_ASSERT_EQUAL(c.state, CHARGE_CLOSING);
    leaves_after(120000, CHARGE_FAULT, CHARGE_END_SILENT);

    start();
    in.fast = (struct charge_fast) { .connected = true, .handshaken = true, .ready = true };
    for (int i = 0; i < 3; i++)
        charge_step(&c, &in);
    CU_ASSERT_EQUAL(c.state, CHARGE_CLOSING);
    leaves_after(60000, CHARGE_FAULT, CHARGE_END_SILENT); /* RL3 does not close: nothing to wait twice for */

    start();
    in.fast.connected = true; /* hands are shaken when the charger wants to: the talk has its own time-outs */
    run(600000);
    CU_ASSERT_EQUAL(c.state, CHARGE_HANDSHAKE);

    plug_cold(false);
    params[PARAM_heat_max_min] = 2;
    leaves_after(120000, CHARGE_ENDED, CHARGE_END_COLD);

    plug_slow();
    run(10);
    in.current_mA = -1199; /* too little to be one */
    leaves_after(60000, CHARGE_ENDED, CHARGE_END_LIMIT);

    plug_slow();
    in.cell_max.value = 4145;
    run(10);
    in.current_mA = 0;
    leaves_after(CHARGE_FULL_MS, CHARGE_FULL, CHARGE_END_FULL);
    run(STEP_MS);
    CU_ASSERT_FALSE(c.heat);
}

/* A wait that was broken off counts from its begin when it comes again. */
static void test_a_wait_that_is_broken_off_begins_afresh(void)
{
    plug_slow();
    in.dt_ms = 1;
    for (int again = 0; again < 3; again++) {
        in.current_mA = -203001;
        for (int ms = 1; ms < CHARGE_BEYOND_MS; ms++)
            charge_step(&c, &in);
        in.current_mA = -180000;
        charge_step(&c, &in);
    }
    CU_ASSERT_EQUAL(c.state, CHARGE_CONSTANT_CURRENT);
    for (int again = 0; again < 3; again++) {
        in.current_mA = 0;
        for (int ms = 1; ms < 60000; ms++)
            charge_step(&c, &in);
        in.current_mA = -180000;
        charge_step(&c, &in);
    }
    CU_ASSERT_EQUAL(c.state, CHARGE_CONSTANT_CURRENT);
    in.cell_max.value = 4150;
    charge_step(&c, &in);
    for (int again = 0; again < 3; again++) {
        in.current_mA = 0;
        for (int ms = 1; ms < CHARGE_FULL_MS; ms++)
            charge_step(&c, &in);
        in.current_mA = -180000;
        charge_step(&c, &in);
    }
    CU_ASSERT_EQUAL(c.state, CHARGE_CONSTANT_VOLTAGE);
    in.current_mA = 0; /* RL3 falls off 1 ms before the pack is full */
    for (int ms = 1; ms < CHARGE_FULL_MS; ms++)
        charge_step(&c, &in);
    in.closed = false;
    charge_step(&c, &in);
    in.closed = true;
    charge_step(&c, &in);
    charge_step(&c, &in);
    CU_ASSERT_EQUAL(c.state, CHARGE_CONSTANT_VOLTAGE);
    leaves_after(CHARGE_FULL_MS, CHARGE_FULL, CHARGE_END_FULL);
}

/* What one charge has waited for does not shorten the next, and its end is not told of the next. */
static void test_a_second_charge_begins_with_nothing(void)
{
    start();
    run(STEP_MS);
    CU_ASSERT_EQUAL(c.end, CHARGE_END_NONE); /* no plug yet: nothing was pulled */
    plug_slow();
    params[PARAM_charge_max_min] = 2;
    in.current_mA = 0;
    for (uint32_t t = 0; t < 59990; t += STEP_MS)
        charge_step(&c, &in);
    in.slow.connected = false;
    charge_step(&c, &in);
    CU_ASSERT_EQUAL(c.end, CHARGE_END_UNPLUGGED);
    in.slow.connected = true;
    in.closed = false;
    charge_step(&c, &in);
    CU_ASSERT_EQUAL(c.end, CHARGE_END_NONE);
    charge_step(&c, &in);
    CU_ASSERT_EQUAL(c.state, CHARGE_HANDSHAKE);
    in.dt_ms = 1; /* from here on the time of the whole counts */
    charge_step(&c, &in);
    in.closed = true;
    charge_step(&c, &in);
    CU_ASSERT_EQUAL(c.state, CHARGE_CONSTANT_CURRENT);
    for (int ms = 1; ms < 60000; ms++)
        charge_step(&c, &in);
    CU_ASSERT_EQUAL(c.state, CHARGE_CONSTANT_CURRENT); /* 59,999 ms without a current */
    in.current_mA = -180000;
    leaves_after(120000 - 60001, CHARGE_ENDED, CHARGE_END_TOO_LONG);
}

static void test_bounds_of_current_and_voltage_are_exact(void)
{
    plug_slow();
    in.pack_mV = (4150 + 30) * CELLS; /* just not beyond */
    run(2 * CHARGE_BEYOND_MS);
    CU_ASSERT_EQUAL(c.state, CHARGE_CONSTANT_CURRENT);
    in.pack_mV = 220 * 950;
    in.slow.limit_dA = 950; /* 220 V with 95 % of it: as much on either side */
    run(STEP_MS);
    CU_ASSERT_EQUAL(c.want_dA, 950);
    in.limit_dA = 1000000;
    in.slow.limit_dA = 1;
    in.pack_mV = 1; /* 1 mV is a voltage */
    run(STEP_MS);
    CU_ASSERT_EQUAL(c.want_dA, 209000);
    in.limit_dA = 1;
    run(STEP_MS);
    CU_ASSERT_EQUAL(c.want_dA, 1);
    in.limit_dA = 1000;
    in.fast.max_mV = 150000; /* what a fast charger could, which is not in */
    run(STEP_MS);
    CU_ASSERT_EQUAL(c.want_mV, 4150 * CELLS);

    plug_fast();
    in.fast.max_mV = in.fast.max_dA = scalar_invalid(VALIDITY_NEVER); /* it has not said */
    run(STEP_MS);
    CU_ASSERT(c.want_mV == 4150 * CELLS && c.want_dA == 1800);
}

/* The heater is fed in front of the sensor, or behind it: what is measured then is no charge. */
static void test_heating_is_not_judged_as_a_charge(void)
{
    plug_cold(false);
    for (int t = 0; t < 2 * CHARGE_BEYOND_MS; t += STEP_MS) {
        in.current_mA = -500000;
        charge_step(&c, &in);
    }
    CU_ASSERT_EQUAL(c.state, CHARGE_HEATING);

    start(); /* without probes nothing is cold, whatever is left in the value */
    in.has_probes = in.cold.known = false;
    in.cold.value = -400;
    in.slow.connected = in.slow.ready = true;
    run(50);
    CU_ASSERT_EQUAL(c.state, CHARGE_CONSTANT_CURRENT);
    in.cell_max = (struct measure_extreme) { false, 4200, 0 }; /* nor full, whatever is left of a cell */
    run(50);
    CU_ASSERT_EQUAL(c.state, CHARGE_CONSTANT_CURRENT);
}

/* An alarm is the reason that is told, also when something else ends in the same step. */
static void test_an_alarm_comes_before_other_ends(void)
{
    static const int32_t cell_mV[] = { 3700, 4150 };

    for (int i = 0; i < 2; i++) {
        plug_slow();
        in.cell_max.value = cell_mV[i];
        run(50);
        in.closed = false;
        in.blocked = true;
        charge_step(&c, &in);
        CU_ASSERT(c.state == CHARGE_ENDED && c.end == CHARGE_END_ALARM);

        plug_slow();
        in.cell_max.value = cell_mV[i];
        run(50);
        in.current_mA = 0;
        for (int t = STEP_MS; t < (i ? CHARGE_FULL_MS : 60000); t += STEP_MS)
            charge_step(&c, &in);
        CU_ASSERT(c.close);
        in.blocked = true;
        charge_step(&c, &in);
        CU_ASSERT(c.state == CHARGE_ENDED && c.end == CHARGE_END_ALARM);
    }
    plug_fast();
    in.blocked = true;
    in.fast.handshaken = false; /* the talk breaks off with it */
    charge_step(&c, &in);
    CU_ASSERT(c.state == CHARGE_ENDED && c.end == CHARGE_END_ALARM);
    plug_fast();
    in.fast.handshaken = false;
    charge_step(&c, &in);
    CU_ASSERT_EQUAL(c.state, CHARGE_HANDSHAKE);
    in.blocked = true; /* while hands are shaken anew */
    charge_step(&c, &in);
    CU_ASSERT(c.state == CHARGE_ENDED && c.end == CHARGE_END_ALARM);
}

static void test_a_talk_that_breaks_off_while_heating_or_after_the_end(void)
{
    plug_cold(true);
    in.fast.handshaken = false;
    run(STEP_MS);
    CU_ASSERT(c.state == CHARGE_HANDSHAKE && !c.heat);

    plug_fast();
    in.fast.ended = true;
    run(STEP_MS);
    in.fast.ended = in.fast.handshaken = false; /* it lets go after the end: that is no new beginning */
    run(1000);
    CU_ASSERT_EQUAL(c.state, CHARGE_ENDED);
    in.fast.again = true;
    run(STEP_MS);
    CU_ASSERT_EQUAL(c.state, CHARGE_IDLE);
    run(STEP_MS); /* the word stays, and the charge goes on */
    CU_ASSERT_EQUAL(c.state, CHARGE_PLUGGED);

    plug_fast();
    in.cell_max.value = 4150;
    in.limit_dA = 0;
    run(2 * CHARGE_FULL_MS);
    CU_ASSERT_EQUAL(c.state, CHARGE_FULL);
    in.fast.handshaken = false;
    run(60000);
    CU_ASSERT_EQUAL(c.state, CHARGE_FULL);
}

static void test_without_a_current_nothing_is_beyond_and_nothing_flows(void)
{
    plug_slow();
    run(1000);
    CU_ASSERT_EQUAL(c.state, CHARGE_CONSTANT_CURRENT);
    for (uint32_t t = 0; t <= (uint32_t)params[PARAM_charge_wait_s] * 1000 && c.state == CHARGE_CONSTANT_CURRENT; t += STEP_MS) {
        in.closed = true;
        in.current_mA = scalar_invalid(VALIDITY_STALE);
        charge_step(&c, &in);
    }
    CU_ASSERT_EQUAL(c.end, CHARGE_END_LIMIT);
}

int main(void)
{
    static CU_TestInfo tests[] = {
        { "a charge stops on any limit, slow and fast [AC-3]", test_stops_on_any_limit },
        { "a charger that does not come is a fault [AC-3]", test_a_charger_that_does_not_come_is_a_fault },
        { "an RL3 that opens stops the charger [AC-1] [AC-3]", test_an_rl3_that_opens_stops_the_charger },
        { "every wait ends exactly, for slow, fast and cold [AC-3] [AC-5]", test_every_wait_ends_exactly },
        { "a wait that is broken off begins afresh [AC-3]", test_a_wait_that_is_broken_off_begins_afresh },
        { "a second charge begins with nothing [AC-3]", test_a_second_charge_begins_with_nothing },
        { "bounds of current and voltage are exact [AC-3]", test_bounds_of_current_and_voltage_are_exact },
        { "heating is not judged as a charge [AC-5]", test_heating_is_not_judged_as_a_charge },
        { "an alarm comes before other ends [AC-3] [AC-6]", test_an_alarm_comes_before_other_ends },
        { "a talk that breaks off while heating, or after the end [AC-3]", test_a_talk_that_breaks_off_while_heating_or_after_the_end },
        { "without a current nothing is beyond and nothing flows [AC-3]", test_without_a_current_nothing_is_beyond_and_nothing_flows },
        CU_TEST_INFO_NULL,
    };

    return suite_run("charge_ends", tests);
}
