/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "firmware/core/protection/runaway.h"
#include "firmware/core/store/params.h"
#include "tests/unit/suite.h"

static struct topology topology = { .devices = 2, .cells = 32, .probes = 8, .chip = { { 16, 0, 15, 4, 0 }, { 16, 16, 15, 4, 4 } } };
static struct measure m;
static struct runaway r;
static int32_t params[PARAMS];

static void start(void)
{
    params_defaults(CHEMISTRY_NMC, params);
    m = (struct measure) { .topology = &topology, .cell = { .mean = 3700 } };
    for (int i = 0; i < topology.cells; i++)
        m.cell_mV[i] = 3700;
    for (int i = 0; i < topology.probes; i++)
        m.temp_ddegC[i] = 250;
    m.chip[0] = m.chip[1] = VALIDITY_OK;
    runaway_init(&r);
}

static void second(void)
{
    for (int t = 0; t < RUNAWAY_TICK_MS; t += 10)
        runaway_step(&r, &m, params, 10);
}

static void seconds(int n)
{
    while (n-- > 0)
        second();
}

/* Probe 7 (chip 2) rises by so much each second. */
static void rise(int n, int ddegC_per_s)
{
    while (n-- > 0) {
        m.temp_ddegC[6] = (int16_t)(m.temp_ddegC[6] + ddegC_per_s);
        second();
    }
}

static void test_drop_and_rise(void)
{
    start();
    seconds(5);
    CU_ASSERT(r.suspected.known && r.suspected.value == 0);
    m.cell_mV[20] = 2775; /* 25 % below, exactly */
    seconds(10);
    CU_ASSERT_EQUAL(r.suspected.value, 0); /* a drop alone is none */
    rise(2, 10);
    CU_ASSERT_EQUAL(r.suspected.value, 0); /* 2 s are too short */
    rise(1, 10);
    CU_ASSERT_EQUAL(r.suspected.value, RUNAWAY_DROP | RUNAWAY_RISE);
    CU_ASSERT_EQUAL(r.suspected.number, 2);
}

static void test_one_short_of_each_sign(void)
{
    start();
    seconds(5);
    m.cell_mV[20] = 2776;
    rise(10, 10);
    CU_ASSERT_EQUAL(r.suspected.value, 0);

    start();
    seconds(5);
    m.cell_mV[20] = 2500;
    rise(20, 9);
    CU_ASSERT_EQUAL(r.suspected.value, 0);

    start(); /* signs on different chips are not one cell */
    seconds(5);
    m.cell_mV[2] = 2500;
    rise(10, 10);
    CU_ASSERT_EQUAL(r.suspected.value, 0);
}

static void test_hot_and_rise(void)
{
    start();
    m.temp_ddegC[6] = 569;
    seconds(5);
    rise(3, 10); /* 599 */
    CU_ASSERT_EQUAL(r.suspected.value, 0);
    rise(1, 10);
    CU_ASSERT_EQUAL(r.suspected.value, RUNAWAY_HOT | RUNAWAY_RISE);
    start(); /* hot and slow is an over-temperature, which has its own alarm */
    m.temp_ddegC[6] = 800;
    seconds(100);
    CU_ASSERT_EQUAL(r.suspected.value, 0);
}

static void test_what_burns_is_lost(void)
{
    start();
    seconds(5);
    m.chip[1] = VALIDITY_STALE;
    seconds(100);
    CU_ASSERT_EQUAL(r.suspected.value, 0); /* a silent chip alone has its own alarm */

    start();
    seconds(5);
    rise(3, 20);
    CU_ASSERT_EQUAL(r.suspected.value, 0);
    m.chip[1] = VALIDITY_STALE;
    for (int i = 4; i < 8; i++)
        m.temp_ddegC[i] = temp_invalid(VALIDITY_STALE);
    second();
    CU_ASSERT_EQUAL(r.suspected.value, RUNAWAY_RISE | RUNAWAY_LOST);

    start(); /* the sense wire of the cell, not the chip */
    seconds(5);
    rise(3, 20);
    m.cell_mV[30] = cell_invalid(VALIDITY_OPEN);
    second();
    CU_ASSERT_EQUAL(r.suspected.value, RUNAWAY_RISE | RUNAWAY_LOST);

    start(); /* hot, dropped, gone */
    m.temp_ddegC[6] = 600;
    seconds(5);
    m.cell_mV[30] = 1000;
    second();
    CU_ASSERT_EQUAL(r.suspected.value, 0);
    m.chip[1] = VALIDITY_STALE;
    second();
    CU_ASSERT_EQUAL(r.suspected.value, RUNAWAY_DROP | RUNAWAY_HOT | RUNAWAY_LOST);
}

static void test_signs_are_held_for_their_time(void)
{
    for (int rest_s = 58; rest_s <= 59; rest_s++) {
        start();
        seconds(5);
        rise(3, 10);
        seconds(rest_s);
        m.cell_mV[20] = 2000;
        second(); /* 59 s, or 60, after the last rise */
        CU_ASSERT_EQUAL(r.suspected.value, rest_s == 58 ? RUNAWAY_DROP | RUNAWAY_RISE : 0);
    }
}

static void test_a_load_is_no_drop(void)
{
    start();
    seconds(5);
    for (int i = 0; i < topology.cells; i++) /* all give way together */
        m.cell_mV[i] = 2700;
    m.cell.mean = 2700;
    rise(10, 10);
    CU_ASSERT_EQUAL(r.suspected.value, 0);
    start(); /* a weak cell that sinks slowly is followed */
    seconds(5);
    for (int mV = 3700; mV > 2200; mV -= 5) {
        m.cell_mV[20] = (uint16_t)mV;
        second();
    }
    rise(10, 10);
    CU_ASSERT_EQUAL(r.suspected.value, 0);
}

static void test_a_probe_that_comes_back_has_not_risen(void)
{
    start();
    m.cell_mV[20] = 3700;
    seconds(5);
    m.cell_mV[20] = 2000;
    for (int i = 0; i < 10; i++) { /* a loose contact */
        m.temp_ddegC[6] = i % 2 ? 400 : temp_invalid(VALIDITY_OPEN);
        second();
    }
    CU_ASSERT_EQUAL(r.suspected.value, 0);
}

static void test_without_a_mean_nothing_drops(void)
{
    start();
    seconds(5);
    m.cell_mV[20] = 0;
    m.cell.mean = 0;
    rise(10, 10);
    CU_ASSERT_EQUAL(r.suspected.value, 0);
}

/* A rise that lasts for longer than its count can hold is still one; of two suspected chips the lower is named. */
static void test_a_long_rise_and_two_chips(void)
{
    start();
    seconds(5);
    m.cell_mV[20] = 2500;
    for (int n = 0; n < 300; n++) {
        m.temp_ddegC[6] = (int16_t)(n % 2 ? 20000 : m.temp_ddegC[6] + 10);
        if (n % 2)
            m.temp_ddegC[6] = (int16_t)(250 + n * 30);
        second();
    }
    CU_ASSERT_EQUAL(r.suspected.number, 2);
    m.cell_mV[3] = 2500;
    for (int n = 0; n < 10; n++) {
        m.temp_ddegC[1] = (int16_t)(m.temp_ddegC[1] + 10);
        m.temp_ddegC[6] = (int16_t)(m.temp_ddegC[6] + 30);
        second();
    }
    CU_ASSERT_EQUAL(r.suspected.number, 1);
}

/* A chip that falls silent is a sign, but alone, or with a drop, or with heat, it is not enough. */
static void test_silence_needs_more_than_one_other_sign(void)
{
    start();
    seconds(5);
    m.chip[1] = VALIDITY_STALE;
    seconds(10);
    CU_ASSERT_EQUAL(r.suspected.value, 0);

    start();
    seconds(5);
    m.cell_mV[20] = 2500;
    second();
    m.chip[1] = VALIDITY_STALE;
    seconds(3);
    CU_ASSERT_EQUAL(r.suspected.value, 0);

    start();
    seconds(5);
    m.temp_ddegC[6] = 1200;
    second();
    m.chip[1] = VALIDITY_STALE;
    seconds(3);
    CU_ASSERT_EQUAL(r.suspected.value, 0);

    start();
    seconds(5);
    m.cell_mV[20] = 2500;
    m.temp_ddegC[6] = 1200;
    second();
    CU_ASSERT_EQUAL(r.suspected.value, 0);
    m.chip[1] = VALIDITY_STALE;
    seconds(1);
    CU_ASSERT_EQUAL(r.suspected.number, 2);
}

static void test_the_first_look_has_nothing_to_compare_with(void)
{
    for (unsigned i = 0; i < topology.probes; i++) {
        start();
        m.temp_ddegC[i] = 700; /* switched on hot */
        second();
        for (int n = 1; n <= 3; n++) {
            CU_ASSERT_EQUAL(r.suspected.value, 0);
            m.temp_ddegC[i] = (int16_t)(m.temp_ddegC[i] + 10);
            second();
        }
        CU_ASSERT_EQUAL(r.suspected.value, RUNAWAY_HOT | RUNAWAY_RISE);
        CU_ASSERT_EQUAL(r.suspected.number, i < 4 ? 1 : 2);
        CU_ASSERT(r.suspected.known);
    }
}

static void test_looks_every_second_to_the_millisecond(void)
{
    start();
    m.temp_ddegC[6] = 700;
    for (int look = 1; look <= 4; look++) {
        m.temp_ddegC[6] = (int16_t)(m.temp_ddegC[6] + 10);
        for (int ms = 1; ms < RUNAWAY_TICK_MS; ms++)
            runaway_step(&r, &m, params, 1);
        CU_ASSERT_EQUAL(r.suspected.value, 0);
        CU_ASSERT_EQUAL(r.suspected.known, look > 1);
        runaway_step(&r, &m, params, 1);
    }
    CU_ASSERT_EQUAL(r.suspected.value, RUNAWAY_HOT | RUNAWAY_RISE);
}

static void test_what_is_usual_follows_slowly(void)
{
    start();
    second();
    CU_ASSERT_EQUAL(r.usual[20], 10000);
    m.cell_mV[20] = 3330; /* a tenth below the mean */
    second();
    CU_ASSERT_EQUAL(r.usual[20], 10000 - 31); /* a part of 32 in each second */
    m.cell_mV[20] = 2000;
    seconds(10);
    CU_ASSERT_EQUAL(r.usual[20], 10000 - 31); /* a drop is not followed */
}

static void test_a_cell_that_was_not_known_has_not_dropped(void)
{
    start();
    m.cell_mV[20] = cell_invalid(VALIDITY_IMPLAUSIBLE);
    seconds(5);
    CU_ASSERT_EQUAL(r.usual[20], 0);
    m.cell_mV[20] = 3700;
    rise(10, 10);
    CU_ASSERT_EQUAL(r.suspected.value, 0);
}

/* Supercapacitors: cells of a millivolt, and one that is charged among empty ones. */
static void test_cells_that_are_nearly_empty(void)
{
    start();
    m.cell.mean = 1;
    for (unsigned i = 0; i < topology.cells; i++)
        m.cell_mV[i] = 1;
    second();
    CU_ASSERT_EQUAL(r.usual[20], 10000);
    start();
    m.cell.mean = 100;
    m.cell_mV[20] = 4000; /* forty times the mean: more than can be kept */
    second();
    CU_ASSERT_EQUAL(r.usual[20], UINT16_MAX);
    m.cell_mV[20] = 100;
    rise(3, 10);
    CU_ASSERT_EQUAL(r.suspected.value, RUNAWAY_DROP | RUNAWAY_RISE);
}

static void test_a_probe_that_comes_back_must_rise_for_its_time(void)
{
    start();
    m.temp_ddegC[6] = 700;
    seconds(5);
    m.temp_ddegC[6] = temp_invalid(VALIDITY_OPEN);
    seconds(2);
    m.temp_ddegC[6] = 710;
    second();
    rise(2, 10);
    CU_ASSERT_EQUAL(r.suspected.value, 0);
    rise(1, 10);
    CU_ASSERT_EQUAL(r.suspected.value, RUNAWAY_HOT | RUNAWAY_RISE);
}

static void test_a_rise_for_minutes_never_pauses(void)
{
    start();
    params[PARAM_runaway_hold_s] = 1;
    m.temp_ddegC[6] = 700;
    second();
    rise(3, 10);
    for (int n = 0; n < 600; n++) {
        CU_ASSERT_EQUAL(r.suspected.value, RUNAWAY_HOT | RUNAWAY_RISE);
        rise(1, 10);
    }
}

static void test_a_pack_without_chips_says_nothing(void)
{
    start();
    topology.devices = 0;
    second();
    CU_ASSERT_FALSE(r.suspected.known);
    topology.devices = 1; /* one chip is enough to say that all is well */
    second();
    CU_ASSERT(r.suspected.known && r.suspected.value == 0);
    topology.devices = 2;
}

int main(void)
{
    CU_TestInfo tests[] = {
        { "a cell that drops beside a probe that rises is suspected, with its chip [AC-6]", test_drop_and_rise },
        { "one short of each sign is none, nor are signs on two chips [AC-6]", test_one_short_of_each_sign },
        { "hot and rising is suspected, hot alone is not [AC-6]", test_hot_and_rise },
        { "what burns is lost: silence after a sign counts [AC-6]", test_what_burns_is_lost },
        { "signs are held for their time [AC-6]", test_signs_are_held_for_their_time },
        { "a load on all cells and a cell that sinks slowly are no drop [AC-6]", test_a_load_is_no_drop },
        { "a probe that comes back has not risen [AC-6]", test_a_probe_that_comes_back_has_not_risen },
        { "without a mean nothing drops", test_without_a_mean_nothing_drops },
        { "a long rise is still one; of two chips the lower is named", test_a_long_rise_and_two_chips },
        { "silence needs more than one other sign [AC-6]", test_silence_needs_more_than_one_other_sign },
        { "the first look has nothing to compare with, at every probe [AC-6]", test_the_first_look_has_nothing_to_compare_with },
        { "it looks every second, to the millisecond [AC-6]", test_looks_every_second_to_the_millisecond },
        { "what is usual for a cell follows slowly, but not a drop [AC-6]", test_what_is_usual_follows_slowly },
        { "a cell that was not known has not dropped [AC-6]", test_a_cell_that_was_not_known_has_not_dropped },
        { "cells that are nearly empty are compared as well [AC-6] [PK-4]", test_cells_that_are_nearly_empty },
        { "a probe that comes back must rise for its time [AC-6]", test_a_probe_that_comes_back_must_rise_for_its_time },
        { "a rise for minutes never pauses [AC-6]", test_a_rise_for_minutes_never_pauses },
        { "a pack without chips says nothing, one chip says that all is well", test_a_pack_without_chips_says_nothing },
        CU_TEST_INFO_NULL,
    };

    return suite_run("runaway", tests);
}
