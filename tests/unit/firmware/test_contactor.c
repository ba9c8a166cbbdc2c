/* SPDX-License-Identifier: Apache-2.0 */
/* Requests, alarms, welds, trials and wear; the pre-charge has a program of its own (test_precharge.c). */
#include "tests/unit/firmware/contactor_rig.h"

static void test_nominal(void)
{
    static const struct row {
        uint8_t feedback;
        int32_t link_mV;
        enum contactor_state state;
        uint8_t close;
        const char *why;
    } rows[] = {
        { 0, 0, CONTACTOR_CHECK, 0, "KeyOn: look first" },
        { 0, 0, CONTACTOR_PRECHARGE, P, "nothing is welded" },
        { 0, 0, CONTACTOR_PRECHARGE, P, "RL2 is on its way" },
        { P, 0, CONTACTOR_PRECHARGE, P, "the ramp begins" },
        { P, 100000, CONTACTOR_PRECHARGE, P, "" },
        { P, 300000, CONTACTOR_PRECHARGE, P, "" },
        { P, FULL_mV - 1, CONTACTOR_PRECHARGE, P, "1 mV short of 95 %" },
        { P, FULL_mV, CONTACTOR_MAKE, P | D, "95 % closes RL1" },
        { P, FULL_mV, CONTACTOR_MAKE, P | D, "RL1 is on its way" },
        { P | D, PACK_mV, CONTACTOR_DRIVE, D, "RL1 made, resistor out" },
    };

    start();
    in.drive = true;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        CU_ASSERT_EQUAL(step(rows[i].feedback, rows[i].link_mV), rows[i].close);
        CU_ASSERT_EQUAL(c.state, rows[i].state);
    }
}

static void test_charge_wins_and_the_change_goes_through_open(void)
{
    start();
    to_drive();
    in.charge = true;
    CU_ASSERT_EQUAL(step(D, PACK_mV), 0);
    CU_ASSERT_EQUAL(step(0, 0), 0);
    CU_ASSERT_EQUAL(step(0, 0), C);
    in.charge = false;
    CU_ASSERT_EQUAL(step(C, PACK_mV), 0);
    CU_ASSERT_EQUAL(step(0, 0), 0);
    CU_ASSERT_EQUAL(step(0, 0), P);
}

static void test_nothing_closes_unmeasured_or_too_cold_to_charge(void)
{
    start();
    in.drive = true;
    in.may_close = false;
    CU_ASSERT_EQUAL(follow(10000, 0), 0);
    in.may_close = true;
    CU_ASSERT_EQUAL(follow(10, 0), P);

    start();
    in.charge = true;
    in.may_charge = false;
    CU_ASSERT_EQUAL(follow(10000, 0), 0);
    in.may_charge = true;
    CU_ASSERT_EQUAL(follow(10, 0), C);
    in.may_close = in.may_charge = false; /* what is closed waits for the alarm */
    CU_ASSERT_EQUAL(follow(100, PACK_mV), C);
}

/* From every state, whatever else is asked, whatever has been waited for. */
static void test_an_alarm_opens_in_the_same_call(void)
{
    for (int s = CONTACTOR_OPEN; s < CONTACTOR_STATES; s++)
        for (unsigned i = 0; i < 64; i++) {
            start();
            c.state = (enum contactor_state)s;
            c.in_state_ms = i & 1 ? 0 : 100000;
            in.may_close = i & 2;
            in.drive = i & 4;
            in.charge = i & 8;
            in.current_mA = i & 16 ? 400000 : 0;
            in.must_open = true;
            CU_ASSERT_EQUAL(step(i & 32 ? P | D | C : 0, PACK_mV), 0);
            CU_ASSERT_EQUAL(c.state, CONTACTOR_OPEN);
        }
}

/* Power to zero first; what carries nothing opens in the same call; nothing closes again until the request has gone. */
static void end_under_load(uint8_t closed, enum contactor_state ending, int32_t load_mA)
{
    in.current_mA = load_mA;
    follow(30, PACK_mV);
    in.must_end = true;
    CU_ASSERT_EQUAL(step(closed, PACK_mV), closed);
    CU_ASSERT(c.state == ending && contactor_is_ending(&c) && c.locked);
    in.must_end = false; /* gone before it has opened: it opens all the same */
    CU_ASSERT_EQUAL(follow(20, PACK_mV), closed);
    in.must_end = true;
    CU_ASSERT_EQUAL(follow((uint32_t)params[PARAM_alarm_open_wait_ms] - 30, PACK_mV), closed);
    CU_ASSERT_EQUAL(follow(10, PACK_mV), 0);
    CU_ASSERT_EQUAL(c.state, CONTACTOR_OPEN);
    in.must_end = false;
    CU_ASSERT_EQUAL(follow(60000, 0), 0);
}

static void test_an_alarm_that_may_wait_ends_the_power_first(void)
{
    start();
    params[PARAM_alarm_open_wait_ms] = 300; /* its own wait, not that of a request */
    to_drive();
    end_under_load(D, CONTACTOR_DRIVE_END, 5001);

    start();
    params[PARAM_alarm_open_wait_ms] = 300;
    in.charge = true;
    follow(30, 0);
    end_under_load(C, CONTACTOR_CHARGE_END, -5001);

    start();
    to_drive();
    in.current_mA = 5000; /* exactly what a relay opens without wear */
    in.must_end = true;
    CU_ASSERT_EQUAL(step(D, PACK_mV), 0);
    CU_ASSERT(c.locked);
}

/* From every state in which no main contactor is closed, at once; both ways of opening lock what was under way, and nothing else. */
static void test_an_alarm_that_may_wait_waits_for_a_load_only(void)
{
    for (int s = CONTACTOR_OPEN; s < CONTACTOR_STATES; s++) {
        bool main_closed =
            s == CONTACTOR_MAKE || s == CONTACTOR_DRIVE || s == CONTACTOR_DRIVE_END || s == CONTACTOR_CHARGE || s == CONTACTOR_CHARGE_END;
        bool idle = s == CONTACTOR_OPEN || s == CONTACTOR_CHECK || s == CONTACTOR_TEST;

        start();
        c.state = (enum contactor_state)s;
        in.drive = true;
        in.current_mA = 400000;
        in.must_end = true;
        CU_ASSERT_EQUAL(step(0, PACK_mV) != 0, main_closed);
        CU_ASSERT_EQUAL(contactor_is_ending(&c), main_closed);
        CU_ASSERT_EQUAL(c.locked, !idle);
        CU_ASSERT(main_closed || c.state == CONTACTOR_OPEN);
    }
}

static void test_after_an_alarm_the_request_must_go_away_first(void)
{
    start();
    to_drive();
    in.must_open = true;
    step(D, PACK_mV);
    in.must_open = false;
    CU_ASSERT_EQUAL(follow(60000, 0), 0);
    in.drive = false;
    follow(10, 0);
    in.drive = true;
    CU_ASSERT_EQUAL(follow(20, 0), P);
}

static void test_of_two_the_first_is_named_and_a_weld_is_not_forgotten_blindly(void)
{
    start();
    for (int t = 0; t < 100; t += 10)
        step(D | C, 0);
    CU_ASSERT_EQUAL(c.welded, 1);

    start();
    in.drive = true;
    follow(30, 0);
    follow(50, 200000);
    step(P, FULL_mV);
    CU_ASSERT_EQUAL_FATAL(c.state, CONTACTOR_MAKE);
    for (int t = 0; t < 100; t += 10)
        step(0, FULL_mV);
    CU_ASSERT_EQUAL(c.stuck, 1);

    start();
    in.drive = true;
    follow(6000, PACK_mV);
    CU_ASSERT(c.held);
    step(0, scalar_invalid(VALIDITY_STALE));
    CU_ASSERT(c.held);
}

static void test_weld_is_found_before_the_next_close(void)
{
    static const uint8_t relays[] = { D, P, C };

    for (int i = 0; i < 3; i++) { /* by its auxiliary contact */
        start();
        for (int t = 0; t < 90; t += 10)
            step(relays[i], 0);
        CU_ASSERT_EQUAL(c.welded, 0);
        step(relays[i], 0);
        CU_ASSERT_EQUAL(c.welded, i + 1);
        in.drive = true;
        for (int t = 0; t < 20000; t += 10)
            CU_ASSERT_EQUAL(step(relays[i], 0), 0);
    }
    start(); /* by the link alone: at 90 % of the pack after 5 s */
    in.drive = true;
    for (int t = 0; t < 5010; t += 10) {
        CU_ASSERT_FALSE(c.held);
        CU_ASSERT_EQUAL(step(0, 360000), 0);
    }
    CU_ASSERT(c.held);
    CU_ASSERT_EQUAL(c.state, CONTACTOR_FAILED);
    step(0, 359999);
    CU_ASSERT_FALSE(c.held);
    start(); /* 1 mV below it is free */
    in.drive = true;
    CU_ASSERT_EQUAL(follow(20, 359999), P);
}

static void test_stuck_contactor_opens_and_is_named(void)
{
    start();
    in.drive = true;
    follow(20, 0);
    for (int t = 0; t < 90; t += 10)
        CU_ASSERT_EQUAL(step(0, 0), P);
    CU_ASSERT_EQUAL(step(0, 0), 0);
    CU_ASSERT_EQUAL(c.stuck, 2);
    CU_ASSERT_EQUAL(follow(60000, 0), 0);

    start(); /* RL1 falls off while driving */
    to_drive();
    for (int t = 0; t < 90; t += 10)
        CU_ASSERT_EQUAL(step(0, PACK_mV), D);
    CU_ASSERT_EQUAL(step(0, PACK_mV), 0);
    CU_ASSERT_EQUAL(c.stuck, 1);
}

static void test_opens_without_load_if_it_can(void)
{
    start();
    to_drive();
    in.drive = false;
    in.current_mA = -5001;
    CU_ASSERT_EQUAL(step(D, PACK_mV), D);
    CU_ASSERT(contactor_is_ending(&c));
    in.current_mA = -5000;
    CU_ASSERT_EQUAL(step(D, PACK_mV), 0);
    CU_ASSERT_EQUAL(c.wear[0].load_A, 5);

    start();
    to_drive();
    in.drive = false;
    in.current_mA = 300000;
    for (int t = 0; t < 500; t += 10)
        CU_ASSERT_EQUAL(step(D, PACK_mV), D);
    CU_ASSERT_EQUAL(step(D, PACK_mV), 0); /* under load: it must */
    CU_ASSERT_EQUAL(c.wear[0].load_A, 300);
    CU_ASSERT_EQUAL(c.wear[0].closed, 1);

    start(); /* a current that is not known is not waited for */
    to_drive();
    in.drive = false;
    in.current_mA = scalar_invalid(VALIDITY_STALE);
    CU_ASSERT_EQUAL(step(D, PACK_mV), 0);
}

static void test_sleep_keeps_the_wear(void)
{
    start();
    to_drive();
    contactor_wake(&c);
    CU_ASSERT_EQUAL(c.state, CONTACTOR_OPEN);
    CU_ASSERT_EQUAL(c.wear[1].closed, 1);
    CU_ASSERT(c.heat_nJ > 0);
}

static void test_a_link_that_is_not_measured_fails_the_check(void)
{
    start();
    in.drive = true;
    follow((uint32_t)params[PARAM_weld_wait_ms], scalar_invalid(VALIDITY_OPEN)); /* the first step enters CHECK */
    CU_ASSERT_EQUAL(c.state, CONTACTOR_CHECK);
    follow(10, scalar_invalid(VALIDITY_OPEN));
    CU_ASSERT_EQUAL(c.state, CONTACTOR_FAILED);
    CU_ASSERT_EQUAL(c.why, CONTACTOR_WHY_UNMEASURED);
    CU_ASSERT_FALSE(c.held);
    CU_ASSERT_EQUAL(last, 0);
}

/* The bench tries one relay: it closes for a while and is read back. Nothing is asked for meanwhile. */
static void test_one_relay_is_tried(void)
{
    start();
    CU_ASSERT_EQUAL(contactor_test(&c, P), 0);
    CU_ASSERT(contactor_test(&c, D) != 0); /* one at a time */
    follow(30, 0);
    CU_ASSERT_EQUAL(c.state, CONTACTOR_TEST);
    follow(2 * (uint32_t)params[PARAM_relay_feedback_ms] + 20, 0);
    CU_ASSERT(c.state == CONTACTOR_OPEN && c.test_result == CONTACTOR_TEST_PASSED);

    start();
    CU_ASSERT_EQUAL(contactor_test(&c, P), 0);
    for (int t = 0; t < 400; t += 10)
        step(0, 0); /* it does not come */
    CU_ASSERT(c.state == CONTACTOR_OPEN && c.test_result == CONTACTOR_TEST_FAILED);

    start();
    CU_ASSERT_EQUAL(contactor_test(&c, P), 0);
    follow(30, 0);
    in.drive = true; /* KeyOn ends the trial */
    follow(10, 0);
    CU_ASSERT(c.state != CONTACTOR_TEST && c.test == 0);

    start();
    CU_ASSERT_EQUAL(contactor_test(&c, P), 0);
    follow(30, 0);
    in.must_open = true;
    CU_ASSERT_EQUAL(step(P, 0), 0);
    CU_ASSERT(c.test == 0 && !c.locked);

    start();
    CU_ASSERT_EQUAL(contactor_test(&c, P), 0);
    in.charge = true; /* before it has begun */
    follow(10, 0);
    CU_ASSERT_EQUAL(c.test, 0);

    start();
    to_drive();
    CU_ASSERT(contactor_test(&c, P) != 0); /* not while anything is closed */
    in.must_open = true;
    follow(10, 0);
    CU_ASSERT(c.locked && c.state == CONTACTOR_OPEN);
    CU_ASSERT(contactor_test(&c, P) != 0); /* nor while locked */
}

/* KeyOn ends while RL1 is on its way; a charge that ends under load. */
static void test_requests_that_end_in_between(void)
{
    start();
    in.drive = true;
    follow(50, 0);
    follow(60, 200000);
    step(P, PACK_mV);
    CU_ASSERT_EQUAL(c.state, CONTACTOR_MAKE);
    in.drive = false;
    in.current_mA = 100000;
    step(P, PACK_mV);
    CU_ASSERT_EQUAL(c.state, CONTACTOR_DRIVE_END);

    start();
    in.charge = true;
    follow(50, 0);
    CU_ASSERT_EQUAL(c.state, CONTACTOR_CHARGE);
    in.current_mA = -100000;
    in.charge = false;
    follow(20, PACK_mV);
    CU_ASSERT_EQUAL(c.state, CONTACTOR_CHARGE_END);
    CU_ASSERT(contactor_is_ending(&c));
    follow(20, PACK_mV);
    CU_ASSERT_EQUAL(c.state, CONTACTOR_CHARGE_END); /* the power is still there */
    in.current_mA = 0;
    follow(10, PACK_mV);
    CU_ASSERT_EQUAL(c.state, CONTACTOR_OPEN);

    start();
    in.charge = true;
    follow(50, 0);
    in.end_charge = true; /* the charge itself is over, the plug still in */
    in.current_mA = -100000;
    follow(10, PACK_mV);
    CU_ASSERT_EQUAL(c.state, CONTACTOR_CHARGE_END);
}

static void test_a_trial_fails_when_the_relay_falls_off_at_its_end(void)
{
    start();
    CU_ASSERT_EQUAL(contactor_test(&c, P), 0);
    follow(2 * (uint32_t)params[PARAM_relay_feedback_ms], 0);
    CU_ASSERT_EQUAL(c.state, CONTACTOR_TEST);
    for (int i = 0; i < 3 && c.state == CONTACTOR_TEST; i++)
        step(0, 0);
    CU_ASSERT(c.state == CONTACTOR_OPEN && c.test_result == CONTACTOR_TEST_FAILED);
}

/* A relay that reads closed for a moment is no weld yet, and nothing closes on it. */
static void test_nothing_closes_on_a_relay_that_reads_closed(void)
{
    start();
    in.drive = true;
    step(0, 0);
    for (int i = 0; i < 5; i++) {
        CU_ASSERT_EQUAL(step(C, 0), 0);
        CU_ASSERT_EQUAL(c.state, CONTACTOR_CHECK);
    }
    CU_ASSERT_EQUAL(step(0, PACK_mV), 0); /* nor on a link that is charged */
    CU_ASSERT_EQUAL(step(0, 0), P);
}

/* A difference counts from its begin, to the ms, and a new command begins a new one. */
static void test_a_difference_counts_from_its_begin(void)
{
    start();
    in.dt_ms = 1;
    for (int again = 0; again < 3; again++) {
        for (int ms = 1; ms < 100; ms++)
            step(C, 0);
        CU_ASSERT_EQUAL(c.welded, 0);
        step(0, 0);
    }
    to_precharge(0);
    for (int t = 0; t < 80; t += 10)
        step(0, 0); /* RL2 does not come */
    in.drive = false;
    step(0, 0);
    in.dt_ms = 1;
    for (int ms = 1; ms < 100; ms++)
        step(P, 0); /* it comes when nobody wants it */
    CU_ASSERT_EQUAL(c.welded, 0);
    step(P, 0);
    CU_ASSERT_EQUAL(c.welded, 2);

    start(); /* the same with a relay that is tried */
    CU_ASSERT_EQUAL(contactor_test(&c, P), 0);
    for (int t = 0; t <= 100; t += 10)
        step(0, 0);
    CU_ASSERT(c.state == CONTACTOR_OPEN && c.test_result == CONTACTOR_TEST_FAILED);
    for (int t = 0; t < 90; t += 10)
        step(P, 0);
    CU_ASSERT_EQUAL(c.welded, 0);
}

static void test_a_relay_is_welded_or_stuck_and_recovers(void)
{
    start();
    in.drive = true;
    for (int t = 0; t < 20000; t += 10)
        CU_ASSERT_EQUAL(step(C, 0), 0);
    CU_ASSERT(c.welded == 3 && c.stuck == 0 && !c.held);
    CU_ASSERT_EQUAL(c.state, CONTACTOR_CHECK); /* it waits for the relay, not for the link */
    CU_ASSERT_EQUAL(step(0, 0), P);
    CU_ASSERT_EQUAL(c.welded, 0);

    to_precharge(0);
    for (int t = 0; t < 100; t += 10)
        step(0, 0);
    CU_ASSERT(c.stuck == 2 && c.welded == 0);
    CU_ASSERT(c.locked); /* a fault has opened it: the charger hears that too */
    in.drive = false;
    step(0, 0);
    in.drive = true;
    CU_ASSERT_EQUAL(follow(20, 0), P);
}

/* The wait for the link begins when nothing else is waited for. */
static void test_the_wait_for_the_link_is_its_own(void)
{
    start();
    in.drive = true;
    in.may_close = false;
    follow(60000, PACK_mV);
    in.may_close = true;
    in.dt_ms = 1;
    for (int32_t ms = 1; ms < params[PARAM_weld_wait_ms]; ms++)
        step(0, PACK_mV);
    CU_ASSERT_EQUAL(c.state, CONTACTOR_CHECK);
    step(0, PACK_mV);
    CU_ASSERT_EQUAL(c.state, CONTACTOR_FAILED);

    start(); /* the pack is not measured, the link is empty */
    in.drive = true;
    in.pack_mV = scalar_invalid(VALIDITY_STALE);
    CU_ASSERT_EQUAL(follow(60000, 0), 0);
    CU_ASSERT_EQUAL(c.why, CONTACTOR_WHY_UNMEASURED);
}

static void test_an_alarm_locks_what_had_begun_and_nothing_else(void)
{
    start();
    in.charge = true; /* without KeyOn */
    follow(20, 0);
    CU_ASSERT_EQUAL(c.state, CONTACTOR_CHARGE);
    in.must_open = true;
    follow(30, PACK_mV); /* for some steps */
    in.must_open = false;
    CU_ASSERT_EQUAL(follow(60000, 0), 0);
    in.charge = false;
    follow(10, 0);
    in.charge = true;
    CU_ASSERT_EQUAL(follow(20, 0), C);

    start(); /* an alarm before anything has begun */
    in.drive = in.must_open = true;
    follow(30, 0);
    in.must_open = false;
    follow(10, 0);
    CU_ASSERT_EQUAL(c.state, CONTACTOR_CHECK);
    in.must_open = true; /* and one while it is looked */
    follow(30, 0);
    in.must_open = false;
    CU_ASSERT_EQUAL(follow(20, 0), P);
}

static void test_a_trial_closes_one_relay_for_an_exact_time(void)
{
    start();
    step(0, 0);
    follow(10000, 0); /* open for a while */
    CU_ASSERT_EQUAL(contactor_test(&c, P), 0);
    CU_ASSERT_EQUAL(c.test_result, CONTACTOR_TEST_RUNNING);
    in.current_mA = 3000;
    for (int32_t t = 0; t < 2 * params[PARAM_relay_feedback_ms]; t += 10) {
        CU_ASSERT_EQUAL(step(last, 0), P); /* that one, and no other */
        CU_ASSERT_EQUAL(c.test_result, CONTACTOR_TEST_RUNNING);
    }
    CU_ASSERT_EQUAL(step(last, 0), 0);
    CU_ASSERT_EQUAL(c.test_result, CONTACTOR_TEST_PASSED);
    CU_ASSERT(c.wear[1].closed == 1 && c.wear[1].load_A == 3);

    CU_ASSERT_EQUAL(contactor_test(&c, P), 0);
    CU_ASSERT_EQUAL(follow(30, 0), P);
    in.must_end = true; /* an alarm that leaves a load its time: there is none here */
    CU_ASSERT_EQUAL(step(P, 0), 0);
    in.must_end = false;

    CU_ASSERT_EQUAL(contactor_test(&c, P), 0);
    follow(30, 0);
    in.drive = true;
    follow(10, 0);
    CU_ASSERT_EQUAL(c.test_result, CONTACTOR_TEST_STOPPED);
}

static void test_wear_counts_known_currents_and_survives_sleep_for_each_relay(void)
{
    start();
    to_drive();
    in.drive = false;
    in.current_mA = scalar_invalid(VALIDITY_STALE);
    step(D, PACK_mV);
    CU_ASSERT_EQUAL(c.wear[0].load_A, 0);
    contactor_wake(&c);
    CU_ASSERT(c.wear[0].closed == 1 && c.wear[1].closed == 1 && c.wear[2].closed == 0);
}

int main(void)
{
    static CU_TestInfo tests[] = {
        { "KeyOn looks, pre-charges, then closes the discharge relay [AC-1] [AC-2]", test_nominal },
        { "charging wins, and the change goes through open [AC-8]", test_charge_wins_and_the_change_goes_through_open },
        { "nothing closes unmeasured, nor RL3 outside the charge temperatures [AC-5]",
          test_nothing_closes_unmeasured_or_too_cold_to_charge },
        { "an alarm that may wait ends the power first, opens under load after its wait, and locks [AC-6] [AC-1]",
          test_an_alarm_that_may_wait_ends_the_power_first },
        { "it waits for a load only: with no main contactor closed it opens at once [AC-6]",
          test_an_alarm_that_may_wait_waits_for_a_load_only },
        { "an alarm opens everything in the same call, from every state [AC-6]", test_an_alarm_opens_in_the_same_call },
        { "after an alarm the request must go away first [AC-6]", test_after_an_alarm_the_request_must_go_away_first },
        { "of two the first is named, and a weld is not forgotten blindly [ME-7]",
          test_of_two_the_first_is_named_and_a_weld_is_not_forgotten_blindly },
        { "a weld is found before the next close, by contact and by voltage [ME-7]", test_weld_is_found_before_the_next_close },
        { "a contactor that does not close, or falls off, opens all and is named [AC-1]", test_stuck_contactor_opens_and_is_named },
        { "a request that ends opens without load if it can", test_opens_without_load_if_it_can },
        { "a sleep keeps the wear and the heat", test_sleep_keeps_the_wear },
        { "a link that is not measured fails the check [AC-1]", test_a_link_that_is_not_measured_fails_the_check },
        { "one relay is tried by the bench [AC-2]", test_one_relay_is_tried },
        { "requests that end in between [AC-1]", test_requests_that_end_in_between },
        { "a trial fails when the relay falls off at its end [AC-2]", test_a_trial_fails_when_the_relay_falls_off_at_its_end },
        { "nothing closes on a relay that reads closed [AC-1]", test_nothing_closes_on_a_relay_that_reads_closed },
        { "a difference counts from its begin [ME-7]", test_a_difference_counts_from_its_begin },
        { "a relay is welded or stuck, and recovers [ME-7]", test_a_relay_is_welded_or_stuck_and_recovers },
        { "the wait for the link is its own [ME-7]", test_the_wait_for_the_link_is_its_own },
        { "an alarm locks what had begun, and nothing else [AC-6]", test_an_alarm_locks_what_had_begun_and_nothing_else },
        { "a trial closes one relay for an exact time [AC-2]", test_a_trial_closes_one_relay_for_an_exact_time },
        { "wear counts known currents, and survives sleep for each relay",
          test_wear_counts_known_currents_and_survives_sleep_for_each_relay },
        CU_TEST_INFO_NULL,
    };

    return suite_run("contactor", tests);
}
