/* SPDX-License-Identifier: Apache-2.0 */
#include "firmware/core/charge/plug.h"

#include "proto/validity.h"
#include "tests/unit/suite.h"

enum { STEP_MS = 10, NO_VALUE = INT32_MIN }; /* validity NEVER */

static struct plug p;
static struct sense s;

static void start(void)
{
    plug_init(&p);
    sense_absent(&s);
}

static void run(uint32_t ms)
{
    for (uint32_t t = 0; t < ms; t += STEP_MS)
        plug_step(&p, &s, STEP_MS);
}

static const struct {
    int32_t cc_ohm;
    enum plug_state state;
    int32_t cable_mA;
} cables[] = {
    { 0, PLUG_FAULT, 0 },     { 24, PLUG_FAULT, 0 },         { 25, PLUG_IN, 63000 },       { 100, PLUG_IN, 63000 },
    { 139, PLUG_IN, 63000 },  { 140, PLUG_IN, 32000 },       { 220, PLUG_IN, 32000 },      { 359, PLUG_IN, 32000 },
    { 360, PLUG_IN, 16000 },  { 680, PLUG_IN, 16000 },       { 939, PLUG_IN, 16000 },      { 940, PLUG_IN, 10000 },
    { 1500, PLUG_IN, 10000 }, { 1650, PLUG_IN, 10000 },      { 1651, PLUG_FAULT, 0 },      { 2499, PLUG_FAULT, 0 },
    { 2500, PLUG_HALF, 0 },   { 1500 + 1800, PLUG_HALF, 0 }, { 680 + 2700, PLUG_HALF, 0 }, { 220 + 3300, PLUG_HALF, 0 },
    { 4500, PLUG_HALF, 0 },   { 4501, PLUG_FAULT, 0 },       { 10000, PLUG_FAULT, 0 },     { 10001, PLUG_OUT, 0 },
    { 1000000, PLUG_OUT, 0 }, { INT32_MAX, PLUG_OUT, 0 },
};

static void test_every_cable_and_the_edges_between(void)
{
    for (size_t i = 0; i < sizeof(cables) / sizeof(cables[0]); i++) {
        CU_ASSERT_EQUAL(plug_cc_state(cables[i].cc_ohm), cables[i].state);
        CU_ASSERT_EQUAL(plug_cable_mA(cables[i].cc_ohm), cables[i].cable_mA);
    }
    CU_ASSERT_EQUAL(plug_cc_state(scalar_invalid(VALIDITY_OPEN)), PLUG_OUT);
    CU_ASSERT_EQUAL(plug_cc_state(scalar_invalid(VALIDITY_STALE)), PLUG_UNKNOWN);
    CU_ASSERT_EQUAL(plug_cable_mA(scalar_invalid(VALIDITY_STALE)), 0);
}

/* A thicker cable has a smaller resistor: a resistance that grows never allows more. */
static void test_more_resistance_never_allows_more(void)
{
    for (int32_t ohm = 25; ohm < 12000; ohm++)
        CU_ASSERT(plug_cable_mA(ohm + 1) <= plug_cable_mA(ohm));
}

static void test_the_duty_says_the_current(void)
{
    static const int32_t rows[][2] = { { 0, 0 },       { 50, 0 },      { 79, 0 },      { 80, 6000 },   { 99, 6000 },   { 100, 6000 },
                                       { 267, 16020 }, { 533, 31980 }, { 850, 51000 }, { 851, 52750 }, { 892, 63000 }, { 893, 63000 },
                                       { 900, 63000 }, { 901, 0 },     { 970, 0 },     { 1000, 0 },    { NO_VALUE, 0 } };

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
        CU_ASSERT_EQUAL(plug_duty_mA(rows[i][0]), rows[i][1]);
}

static void test_the_level_says_the_state(void)
{
    static const struct {
        int32_t mV;
        enum plug_pilot pilot;
    } rows[] = {
        { 0, PLUG_PILOT_OFF },        { 999, PLUG_PILOT_OFF },        { 1000, PLUG_PILOT_FAULT },     { 3000, PLUG_PILOT_FAULT },
        { 5199, PLUG_PILOT_FAULT },   { 5200, PLUG_PILOT_CHARGING },  { 6800, PLUG_PILOT_CHARGING },  { 6801, PLUG_PILOT_FAULT },
        { 8199, PLUG_PILOT_FAULT },   { 8200, PLUG_PILOT_CONNECTED }, { 9800, PLUG_PILOT_CONNECTED }, { 9801, PLUG_PILOT_FAULT },
        { 11199, PLUG_PILOT_FAULT },  { 11200, PLUG_PILOT_IDLE },     { 12800, PLUG_PILOT_IDLE },     { 12801, PLUG_PILOT_FAULT },
        { NO_VALUE, PLUG_PILOT_OFF },
    };

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
        CU_ASSERT_EQUAL(plug_pilot_of(rows[i].mV), rows[i].pilot);
}

static void test_the_fast_plug(void)
{
    static const struct {
        int32_t mV;
        enum plug_state state;
    } rows[] = {
        { 0, PLUG_FAULT },    { 4499, PLUG_FAULT }, { 4500, PLUG_IN },   { 6000, PLUG_IN },   { 6800, PLUG_IN },
        { 6801, PLUG_FAULT }, { 9999, PLUG_FAULT }, { 10000, PLUG_OUT }, { 12000, PLUG_OUT }, { NO_VALUE, PLUG_UNKNOWN },
    };

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
        CU_ASSERT_EQUAL(plug_cc2_state(rows[i].mV), rows[i].state);
}

static void plug_in_slow(void)
{
    start();
    s.cc_ohm = 220;
    s.cp_mV = 9000;
    s.cp_permille = 267; /* 16 A */
    run(310);
}

static void test_the_smaller_of_cable_and_charger_counts(void)
{
    plug_in_slow();
    CU_ASSERT_EQUAL(p.slow, PLUG_IN);
    CU_ASSERT_EQUAL(p.cable_mA, 32000);
    CU_ASSERT_EQUAL(p.limit_mA, 16020);
    s.cp_permille = 850;
    run(10);
    CU_ASSERT_EQUAL(p.limit_mA, 32000);
    s.cp_permille = 50;
    run(10);
    CU_ASSERT(p.digital);
    CU_ASSERT_EQUAL(p.limit_mA, 0);
    for (int32_t permille = 0; permille <= 100; permille++) {
        s.cp_permille = permille;
        run(10);
        CU_ASSERT_EQUAL(p.digital, permille >= 30 && permille <= 70);
    }
    s.cp_permille = NO_VALUE;
    run(10);
    CU_ASSERT(!p.digital && p.limit_mA == 0);
}

static void test_a_plug_counts_when_it_has_settled(void)
{
    start();
    run(400);
    CU_ASSERT_EQUAL(p.slow, PLUG_UNKNOWN);
    CU_ASSERT_EQUAL(p.limit_mA, 0);
    s.cc_ohm = 220;
    s.cp_mV = 9000;
    s.cp_permille = 500;
    run(PLUG_SETTLE_MS);
    CU_ASSERT_EQUAL(p.slow, PLUG_UNKNOWN);
    CU_ASSERT_EQUAL(p.limit_mA, 0);
    run(STEP_MS);
    CU_ASSERT_EQUAL(p.slow, PLUG_IN);
    CU_ASSERT_EQUAL(p.limit_mA, 30000);
}

static void test_a_pressed_latch_ends_the_current_at_once(void)
{
    plug_in_slow();
    s.cc_ohm = 3520;
    run(10);
    CU_ASSERT(p.limit_mA == 0 && p.pilot_mA == 0 && p.cable_mA == 0);
    CU_ASSERT_EQUAL(p.slow, PLUG_IN);
    run(PLUG_SETTLE_MS);
    CU_ASSERT_EQUAL(p.slow, PLUG_HALF);
    s.cc_ohm = scalar_invalid(VALIDITY_OPEN);
    run(PLUG_SETTLE_MS + 10);
    CU_ASSERT_EQUAL(p.slow, PLUG_OUT);
}

static void test_a_bouncing_contact_does_not_count(void)
{
    start();
    s.cc2_mV = 12000;
    run(PLUG_SETTLE_MS + 10);
    CU_ASSERT_EQUAL(p.fast, PLUG_OUT);
    for (int i = 0; i < 50; i++) {
        s.cc2_mV = i % 2 ? 12000 : 6000;
        run(200);
    }
    CU_ASSERT_EQUAL(p.fast, PLUG_OUT);
    s.cc2_mV = 6000;
    run(PLUG_SETTLE_MS + 10);
    CU_ASSERT_EQUAL(p.fast, PLUG_IN);
}

static void test_two_plugs_are_one_too_many(void)
{
    plug_in_slow();
    CU_ASSERT_FALSE(plug_is_double(&p));
    s.cc2_mV = 6000;
    run(PLUG_SETTLE_MS + 10);
    CU_ASSERT(plug_is_double(&p));
    s.cc_ohm = 3520; /* half in is in use */
    run(PLUG_SETTLE_MS + 10);
    CU_ASSERT(p.slow == PLUG_HALF && plug_is_double(&p));
    s.cc_ohm = scalar_invalid(VALIDITY_OPEN);
    run(PLUG_SETTLE_MS + 10);
    CU_ASSERT(p.slow == PLUG_OUT && p.fast == PLUG_IN && !plug_is_double(&p));
}

static void test_the_bits_of_the_sample(void)
{
    start();
    CU_ASSERT_EQUAL(plug_bits(&p), 0);
    plug_in_slow();
    s.cc2_mV = 12000;
    s.cp_mV = 6000;
    run(PLUG_SETTLE_MS + 10);
    CU_ASSERT_EQUAL(plug_bits(&p), PLUG_IN | PLUG_OUT << 3 | 1 << 6 | 1 << 7);
}

/* 16 A by the duty: they count in a plug that is in, at 9 V and at 6 V. */
static void test_the_charger_offers_at_9_and_6_V_only(void)
{
    static const struct {
        int32_t cp_mV, pilot_mA;
    } rows[] = { { 9000, 16020 }, { 6000, 16020 }, { 12000, 0 }, { 3000, 0 }, { 0, 0 }, { NO_VALUE, 0 } };

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        plug_in_slow();
        s.cp_mV = rows[i].cp_mV;
        run(10);
        CU_ASSERT(p.pilot_mA == rows[i].pilot_mA && p.limit_mA == rows[i].pilot_mA);
        CU_ASSERT_EQUAL((plug_bits(&p) >> 6 & 1) != 0, rows[i].pilot_mA > 0);
    }
    start(); /* a charger that offers to a plug which is out */
    s.cc_ohm = scalar_invalid(VALIDITY_OPEN);
    s.cp_mV = 9000;
    s.cp_permille = 267;
    run(PLUG_SETTLE_MS + 10);
    CU_ASSERT(p.slow == PLUG_OUT && p.pilot_mA == 0 && p.cable_mA == 0);
}

static void test_a_state_settles_to_the_millisecond(void)
{
    start();
    s.cc2_mV = 6000;
    plug_step(&p, &s, 1); /* seen for the first time */
    for (int ms = 1; ms < PLUG_SETTLE_MS; ms++)
        plug_step(&p, &s, 1);
    CU_ASSERT_EQUAL(p.fast, PLUG_UNKNOWN);
    plug_step(&p, &s, 1);
    CU_ASSERT_EQUAL(p.fast, PLUG_IN);
}

int main(void)
{
    CU_TestInfo tests[] = {
        { "CC: every cable, half connected, out, and the edges between [ME-11]", test_every_cable_and_the_edges_between },
        { "CC: more resistance never allows more current [ME-11]", test_more_resistance_never_allows_more },
        { "CP: the duty says what the charger offers [ME-11]", test_the_duty_says_the_current },
        { "CP: the level says the state [ME-11]", test_the_level_says_the_state },
        { "CC2: in, out, or a fault [ME-11]", test_the_fast_plug },
        { "the smaller of cable and charger counts [ME-11]", test_the_smaller_of_cable_and_charger_counts },
        { "a plug counts when it has settled [ME-11]", test_a_plug_counts_when_it_has_settled },
        { "a pressed latch ends the current at once [ME-11]", test_a_pressed_latch_ends_the_current_at_once },
        { "a bouncing contact does not count [ME-11]", test_a_bouncing_contact_does_not_count },
        { "two plugs are one too many [ME-11]", test_two_plugs_are_one_too_many },
        { "the bits that the sample carries [ME-11]", test_the_bits_of_the_sample },
        { "the charger offers at 9 and 6 V only, to a plug that is in [ME-11]", test_the_charger_offers_at_9_and_6_V_only },
        { "a state settles to the millisecond [ME-11]", test_a_state_settles_to_the_millisecond },
        CU_TEST_INFO_NULL,
    };

    return suite_run("plug", tests);
}
