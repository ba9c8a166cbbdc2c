/* SPDX-License-Identifier: Apache-2.0 */
/* The contactor machine from the close of RL2 to that of RL1: the window, the heat of the resistor, the tries. */
#include "tests/unit/firmware/contactor_rig.h"

/* ms from the ramp's begin to the end of the try, with this link; which states follow. */
static void one_try(int32_t link_mV, uint32_t *ms)
{
    for (*ms = 0; c.state == CONTACTOR_PRECHARGE && *ms < 10000; *ms += 10)
        step(P, link_mV);
}

static void precharge_ends(int32_t link_mV, enum contactor_why why, uint32_t after_ms)
{
    uint32_t ms;

    start();
    in.drive = true;
    for (int tries = 0; tries < 3; tries++) {
        in.feedback = 0;
        for (int i = 0; i < 3000 && c.state != CONTACTOR_PRECHARGE; i++)
            step(0, 0);
        step(0, 0); /* RL2 is not closed yet: the ramp starts at 0 V */
        one_try(link_mV, &ms);
        CU_ASSERT_EQUAL(ms, after_ms);
        CU_ASSERT_EQUAL(c.state, tries < 2 ? CONTACTOR_REST : CONTACTOR_FAILED);
    }
    CU_ASSERT_EQUAL(c.why, why);
    CU_ASSERT_EQUAL(follow(60000, 0), 0);
    in.drive = false;
    follow(10, 0);
    CU_ASSERT_EQUAL(c.why, CONTACTOR_WHY_NONE);
}

static void test_precharge_window(void)
{
    precharge_ends(PACK_mV, CONTACTOR_WHY_FAST, 10);  /* no load */
    precharge_ends(0, CONTACTOR_WHY_SHORT, 250);      /* and the resistor's energy: 160 kW s / 100 ohm * 0.25 s = 400 J of 1,000 J a try */
    precharge_ends(79999, CONTACTOR_WHY_SHORT, 250);  /* 1 mV short of 20 % */
    precharge_ends(379999, CONTACTOR_WHY_SLOW, 1500); /* 1 mV short of 95 % */
    precharge_ends(scalar_invalid(VALIDITY_STALE), CONTACTOR_WHY_UNMEASURED, 10);
}

static void test_fast_bound_is_exact_and_a_warm_link_may_be_fast(void)
{
    start();
    in.drive = true;
    follow(20, 0);
    step(P, 0);
    step(P, 300000);
    CU_ASSERT_EQUAL(step(P, FULL_mV), P | D); /* the third step of the ramp: 30 ms */

    start();
    in.drive = true;
    follow(30, 300000);
    CU_ASSERT_EQUAL(step(P, FULL_mV), P | D);
}

static void test_small_packs_and_warm_links(void)
{
    start(); /* an empty supercapacitor: 0.2 V is nothing */
    in.drive = true;
    in.pack_mV = 0;
    CU_ASSERT_EQUAL(follow(100, CONTACTOR_SAME_mV + 1), 0);
    CU_ASSERT_EQUAL(follow(10, CONTACTOR_SAME_mV), P);

    start(); /* 2 V: the last 0.2 V do not count */
    in.drive = true;
    in.pack_mV = 2000;
    follow(20, 0);
    for (int i = 0; i < 10; i++)
        CU_ASSERT_EQUAL(step(P, 1799), P);
    CU_ASSERT_EQUAL(step(P, 1800), P | D);

    for (int32_t link_mV = 239999; link_mV <= 240000; link_mV++) { /* half full: a fifth of what is missing must come */
        start();
        in.drive = true;
        follow(20, 200000);
        for (int t = 0; t < 240; t += 10)
            CU_ASSERT_EQUAL(step(P, link_mV), P);
        CU_ASSERT_EQUAL(step(P, link_mV), link_mV < 240000 ? 0 : P);
    }
}

static void test_energy_of_the_resistor_is_bounded(void)
{
    int64_t most_nJ = 0;
    bool waited = false;

    start();
    params[PARAM_precharge_tries] = 10;
    in.drive = true;
    for (int t = 0; t < 300000; t += 10) {
        follow(10, 0); /* shorted */
        most_nJ = c.heat_nJ > most_nJ ? c.heat_nJ : most_nJ;
        waited = waited || (c.state == CONTACTOR_REST && c.in_state_ms > 1000);
    }
    CU_ASSERT(waited);
    CU_ASSERT(most_nJ <= 900 * 1000000000LL); /* half of the budget before a try, and one try */
    CU_ASSERT_EQUAL(c.state, CONTACTOR_FAILED);

    start();
    params[PARAM_precharge_budget_J] = 100;
    params[PARAM_precharge_tries] = 1;
    in.drive = true;
    follow(200, 0);
    CU_ASSERT_EQUAL(c.why, CONTACTOR_WHY_ENERGY);
    CU_ASSERT(c.heat_nJ <= 117 * 1000000000LL); /* one step more */
}

/* The resistor is still hot from the last request: a new one waits until it has cooled. */
static void test_a_hot_resistor_delays_the_next_request(void)
{
    start();
    in.drive = true;
    c.heat_nJ = (int64_t)params[PARAM_precharge_budget_J] * 1000000000 / 2 + 1000000000; /* 1 J too much */
    follow(30, 0);
    CU_ASSERT_EQUAL(c.state, CONTACTOR_CHECK);
    follow(1000000u / (uint32_t)params[PARAM_precharge_cool_mW] + 20, 0);
    CU_ASSERT_EQUAL(c.state, CONTACTOR_PRECHARGE);
    start();
    in.charge = true; /* a charge does not need it */
    c.heat_nJ = (int64_t)params[PARAM_precharge_budget_J] * 1000000000;
    follow(30, 0);
    CU_ASSERT_EQUAL(c.state, CONTACTOR_CHARGE);
}

static void test_a_charger_ends_the_precharge(void)
{
    start();
    in.drive = true;
    follow(50, 0);
    CU_ASSERT_EQUAL(c.state, CONTACTOR_PRECHARGE);
    in.charge = true;
    CU_ASSERT_EQUAL(step(P, 100000), 0);
    CU_ASSERT_EQUAL(c.state, CONTACTOR_OPEN);
}

/* The link is full, but a value that protects is missing: RL1 waits. */
static void test_nothing_closes_while_it_may_not(void)
{
    start();
    in.drive = true;
    follow(50, 0);
    follow(60, 200000);
    in.may_close = false;
    follow(50, PACK_mV);
    CU_ASSERT_EQUAL(c.state, CONTACTOR_PRECHARGE);
    in.may_close = true;
    follow(10, PACK_mV);
    CU_ASSERT_EQUAL(c.state, CONTACTOR_MAKE);
}

static int64_t budget_nJ(void)
{
    return (int64_t)params[PARAM_precharge_budget_J] * 1000000000;
}

/* What the resistor gives to the air in a step. */
static int64_t cooled_nJ(void)
{
    return (int64_t)params[PARAM_precharge_cool_mW] * in.dt_ms * 1000;
}

static void test_the_heat_of_the_resistor_is_counted_exactly(void)
{
    start();
    c.heat_nJ = 1000000000;
    step(0, 0);
    CU_ASSERT_EQUAL(c.heat_nJ, 1000000000 - cooled_nJ());
    c.heat_nJ = cooled_nJ() + 1;
    step(0, 0);
    CU_ASSERT_EQUAL(c.heat_nJ, 1);
    step(0, 0);
    CU_ASSERT_EQUAL(c.heat_nJ, 0); /* as cold as the air */
    step(P, PACK_mV - 100000);     /* 100 V over 100 ohm: 100 W for 10 ms */
    CU_ASSERT_EQUAL_FATAL(params[PARAM_precharge_ohm], 100);
    CU_ASSERT_EQUAL(c.heat_nJ, 1000000000);
    c.heat_nJ = 0;
    step(P, PACK_mV + 100000); /* the other way round as well */
    CU_ASSERT_EQUAL(c.heat_nJ, 1000000000);
    c.heat_nJ = 0;
    step(P | D, 0); /* RL1 or RL3 takes the current */
    step(P | C, 0);
    step(P, scalar_invalid(VALIDITY_OPEN)); /* nobody knows: not guessed */
    in.pack_mV = scalar_invalid(VALIDITY_OPEN);
    step(P, 0);
    CU_ASSERT_EQUAL(c.heat_nJ, 0);
    in.pack_mV = 2000000000; /* readings that no sensor of ours gives count as 1,300 V */
    step(P, -2000000000);
    CU_ASSERT_EQUAL(c.heat_nJ, 1300LL * 1300 / 100 * 10000000);
    c.heat_nJ = 0;
    in.pack_mV = -2000000000;
    step(P, 2000000000);
    CU_ASSERT_EQUAL(c.heat_nJ, 1300LL * 1300 / 100 * 10000000);
    c.heat_nJ = 0;
    in.pack_mV = PACK_mV;
    in.dt_ms = 5000; /* a step that comes late: a second of heat at most */
    step(P, PACK_mV - 100000);
    CU_ASSERT_EQUAL(c.heat_nJ, 100000000000);
    for (int i = 0; i < 100; i++)
        step(P, 0);
    CU_ASSERT_EQUAL(c.heat_nJ, 2 * budget_nJ());
}

static void test_half_of_the_budget_allows_a_try_and_all_of_it_ends_one(void)
{
    for (int too_hot = 0; too_hot < 2; too_hot++) {
        start();
        in.drive = true;
        follow(10, 0);
        c.heat_nJ = budget_nJ() / 2 + cooled_nJ() + too_hot;
        follow(10, 0);
        CU_ASSERT_EQUAL(c.state, too_hot ? CONTACTOR_CHECK : CONTACTOR_PRECHARGE);

        to_precharge(300000);
        step(0, 300000);
        c.heat_nJ = budget_nJ() + cooled_nJ() + too_hot;
        step(P, PACK_mV);
        CU_ASSERT_EQUAL(c.state, too_hot ? CONTACTOR_REST : CONTACTOR_MAKE);
    }
}

static void test_a_link_at_half_of_the_pack_is_warm(void)
{
    to_precharge(200000);
    step(0, 200000);
    step(P, PACK_mV);
    CU_ASSERT_EQUAL(c.state, CONTACTOR_MAKE);

    to_precharge(199999);
    step(0, 199999);
    step(P, PACK_mV); /* 1 mV less: it was cold, and full at once */
    CU_ASSERT_EQUAL(c.state, CONTACTOR_REST);
}

/* The ramp begins when RL2 reads closed, with what the link has then; with the first step, if it is that quick. */
static void test_the_ramp_begins_with_rl2(void)
{
    to_precharge(250000);
    step(0, 100000); /* the link has emptied itself on the way */
    step(P, PACK_mV);
    CU_ASSERT_EQUAL(c.state, CONTACTOR_REST);

    to_precharge(0);
    for (int t = 0; t < 240; t += 10)
        step(P, 0);
    step(0, 0); /* RL2 falls off for a moment: the ramp begins again */
    in.dt_ms = 1;
    for (int t = 1; t < 250; t++)
        CU_ASSERT_EQUAL(step(P, 0), P);
    CU_ASSERT_EQUAL(step(P, 0), 0);

    for (int ms = 29; ms <= 30; ms++) {
        to_precharge(0);
        in.dt_ms = 1;
        for (int t = 1; t < ms; t++)
            step(P, 100000);
        step(P, FULL_mV);
        CU_ASSERT_EQUAL(c.state, ms < 30 ? CONTACTOR_REST : CONTACTOR_MAKE);
    }
}

static void fail_a_try(void)
{
    for (int i = 0; i < 3000 && c.state != CONTACTOR_PRECHARGE; i++)
        step(0, 0);
    step(P, PACK_mV); /* no load */
}

static void test_tries_are_counted_from_the_last_success_or_request(void)
{
    start();
    in.drive = true;
    fail_a_try();
    fail_a_try();
    CU_ASSERT_EQUAL(c.state, CONTACTOR_REST);
    in.drive = false;
    step(0, 0);
    in.drive = true; /* asked for anew: three again */
    fail_a_try();
    fail_a_try();
    CU_ASSERT_EQUAL(c.state, CONTACTOR_REST);
    last = 0;
    follow(20000, 0);
    start();
    in.drive = true;
    fail_a_try();
    fail_a_try();
    while (c.state != CONTACTOR_PRECHARGE)
        step(0, 0);
    last = P;
    follow(50, 200000); /* the third one succeeds */
    follow(30, PACK_mV);
    CU_ASSERT_EQUAL_FATAL(c.state, CONTACTOR_DRIVE);
    in.charge = true; /* a charge in between, KeyOn stays */
    follow(100, 0);
    CU_ASSERT_EQUAL(c.state, CONTACTOR_CHARGE);
    in.charge = false;
    follow(10, 0);
    fail_a_try();
    fail_a_try();
    CU_ASSERT_EQUAL(c.state, CONTACTOR_REST);
    fail_a_try();
    CU_ASSERT_EQUAL(c.state, CONTACTOR_FAILED);
}

static void test_the_rest_between_two_tries_is_exact(void)
{
    start();
    in.drive = true;
    fail_a_try();
    CU_ASSERT_EQUAL_FATAL(c.state, CONTACTOR_REST);
    in.dt_ms = 1;
    for (int32_t t = 1; t < params[PARAM_precharge_rest_ms]; t++)
        step(0, 0);
    CU_ASSERT_EQUAL(c.state, CONTACTOR_REST);
    step(0, 0);
    CU_ASSERT_EQUAL(c.state, CONTACTOR_CHECK);
}

int main(void)
{
    static CU_TestInfo tests[] = {
        { "pre-charge window: no load, short, slow, unmeasured, each exactly [AC-2]", test_precharge_window },
        { "the fast bound is exact, and a warm link may be fast [AC-2]", test_fast_bound_is_exact_and_a_warm_link_may_be_fast },
        { "small packs and warm links are judged by what is missing [AC-2]", test_small_packs_and_warm_links },
        { "the energy of the resistor is bounded [AC-2]", test_energy_of_the_resistor_is_bounded },
        { "a hot resistor delays the next request [AC-1]", test_a_hot_resistor_delays_the_next_request },
        { "a charger ends the pre-charge [AC-1]", test_a_charger_ends_the_precharge },
        { "nothing closes while it may not [AC-1]", test_nothing_closes_while_it_may_not },
        { "the heat of the resistor is counted exactly [AC-2]", test_the_heat_of_the_resistor_is_counted_exactly },
        { "half of the budget allows a try, and all of it ends one [AC-2]", test_half_of_the_budget_allows_a_try_and_all_of_it_ends_one },
        { "a link at half of the pack is warm [AC-2]", test_a_link_at_half_of_the_pack_is_warm },
        { "the ramp begins with RL2 [AC-2]", test_the_ramp_begins_with_rl2 },
        { "tries are counted from the last success or request [AC-2]", test_tries_are_counted_from_the_last_success_or_request },
        { "the rest between two tries is exact [AC-2]", test_the_rest_between_two_tries_is_exact },
        CU_TEST_INFO_NULL,
    };

    return suite_run("precharge", tests);
}
