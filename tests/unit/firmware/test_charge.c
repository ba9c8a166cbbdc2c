/* SPDX-License-Identifier: Apache-2.0 */
#include "firmware/core/charge/charge.h"
#include "firmware/core/store/params.h"
#include "tests/unit/suite.h"

enum { CELLS = 48, STEP_MS = 10 };

static struct charge c;
static struct charge_in in;
static int32_t params[PARAMS];

static void start(void)
{
    params_defaults(CHEMISTRY_NMC, params);
    charge_init(&c);
    in = (struct charge_in) { .dt_ms = STEP_MS,
                              .slow = { .limit_dA = scalar_invalid(VALIDITY_NOT_FITTED) },
                              .fast = { .max_mV = scalar_invalid(VALIDITY_NEVER), .max_dA = scalar_invalid(VALIDITY_NEVER) },
                              .pack_mV = 3700 * CELLS,
                              .cell_max = { true, 3700, 7 },
                              .cold = { true, 250, 1 },
                              .has_probes = true,
                              .limit_dA = 1800,
                              .cells = CELLS,
                              .params = params };
}

/* Steps in which RL3 follows and the charger gives what is wanted. */
static void run(uint32_t ms)
{
    for (uint32_t t = 0; t < ms; t += STEP_MS) {
        in.closed = c.close;
        in.current_mA = c.deliver && c.close ? -c.want_dA * 100 : 0;
        charge_step(&c, &in);
    }
}

static void plug_slow(void)
{
    start();
    in.slow.connected = in.slow.ready = true;
    run(50);
}

static void plug_fast(void)
{
    start();
    in.fast = (struct charge_fast) { .connected = true, .handshaken = true, .max_mV = 500000, .max_dA = 1200 };
    run(40);
    in.fast.ready = true;
    run(30);
}

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

static void test_states_have_words(void)
{
    CU_ASSERT_STRING_EQUAL(charge_state_text(CHARGE_IDLE), "idle");
    CU_ASSERT_STRING_EQUAL(charge_state_text(CHARGE_FAULT), "fault");
    CU_ASSERT_STRING_EQUAL(charge_state_text(CHARGE_STATES), "unknown");
    CU_ASSERT_STRING_EQUAL(charge_state_text(-1), "unknown");
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
    CU_TestInfo tests[] = {
        { "a slow charge runs from the plug to full, and stays full [AC-3]", test_slow_charge_from_plug_to_full },
        { "full is a low current for ten seconds at the end voltage [AC-3]", test_full_is_a_low_current_for_ten_seconds },
        { "the wanted current is the least of pack, plug and charger [AC-3]",
          test_the_wanted_current_is_the_least_of_pack_plug_and_charger },
        { "a charge stops on any limit, slow and fast [AC-3]", test_stops_on_any_limit },
        { "a charger that does not come is a fault [AC-3]", test_a_charger_that_does_not_come_is_a_fault },
        { "nothing begins before the pack is measured [AC-3]", test_nothing_begins_before_the_pack_is_measured },
        { "a cold pack is heated before it is charged, for a bounded time [AC-5]", test_a_cold_pack_is_heated_first },
        { "an RL3 that opens stops the charger [AC-1] [AC-3]", test_an_rl3_that_opens_stops_the_charger },
        { "the fast plug wins, and a change of plug begins again [AC-3]", test_the_fast_plug_wins_and_a_change_of_plug_begins_again },
        { "any input keeps the outputs of the states [AC-3]", test_any_input_keeps_the_outputs_of_the_states },
        { "a bound of the mains that is not known is none [AC-3]", test_a_bound_of_the_mains_that_is_not_known_is_none },
        { "at constant voltage the current follows the highest cell, down and up [AC-3]", test_the_current_follows_the_highest_cell },
        { "a pause is no end [AC-3]", test_a_pause_is_no_end },
        { "a fast charger that breaks off, and one that begins again [AC-3]", test_a_fast_charger_that_breaks_off_and_begins_again },
        { "every wait ends exactly, for slow, fast and cold [AC-3] [AC-5]", test_every_wait_ends_exactly },
        { "a wait that is broken off begins afresh [AC-3]", test_a_wait_that_is_broken_off_begins_afresh },
        { "a second charge begins with nothing [AC-3]", test_a_second_charge_begins_with_nothing },
        { "at constant voltage the current is adjusted each half second [AC-3]", test_the_current_is_adjusted_each_half_second },
        { "bounds of current and voltage are exact [AC-3]", test_bounds_of_current_and_voltage_are_exact },
        { "heating is not judged as a charge [AC-5]", test_heating_is_not_judged_as_a_charge },
        { "an alarm comes before other ends [AC-3] [AC-6]", test_an_alarm_comes_before_other_ends },
        { "a talk that breaks off while heating, or after the end [AC-3]", test_a_talk_that_breaks_off_while_heating_or_after_the_end },
        { "states have words", test_states_have_words },
        { "without a current nothing is beyond and nothing flows [AC-3]", test_without_a_current_nothing_is_beyond_and_nothing_flows },
        { "a slow charge does not hear a fast charger [AC-3]", test_a_slow_charge_does_not_hear_a_fast_charger },
        CU_TEST_INFO_NULL,
    };

    return suite_run("charge", tests);
}
