/* SPDX-License-Identifier: Apache-2.0 */
#include "firmware/core/biu_io.h"
#include "firmware/core/contactor.h"
#include "tests/unit/suite.h"

#define D BIU_RELAY_DISCHARGE
#define P BIU_RELAY_PRECHARGE
#define C BIU_RELAY_CHARGE

static struct contactor c;

static uint8_t step(uint32_t dt_ms, bool must_open, bool may_close, bool drive, bool charge)
{
    return contactor_step(&c, &(struct contactor_in) { dt_ms, must_open, may_close, drive, charge });
}

static void test_drive_precharges_first(void)
{
    contactor_init(&c);
    CU_ASSERT_EQUAL(step(10, false, true, false, false), 0);
    CU_ASSERT_EQUAL(step(10, false, true, true, false), P);
    CU_ASSERT_EQUAL(step(CONTACTOR_PRECHARGE_MS - 1, false, true, true, false), P);
    CU_ASSERT_EQUAL(step(1, false, true, true, false), D);
    CU_ASSERT_EQUAL(step(10, false, true, true, false), D);
    CU_ASSERT_EQUAL(step(10, false, true, false, false), 0);
}

static void test_charge_wins_and_the_change_goes_through_open(void)
{
    contactor_init(&c);
    step(10, false, true, true, false);
    step(600, false, true, true, false);
    CU_ASSERT_EQUAL(step(10, false, true, true, true), 0);
    CU_ASSERT_EQUAL(step(10, false, true, true, true), C);
    CU_ASSERT_EQUAL(step(10, false, true, true, false), 0);
    CU_ASSERT_EQUAL(step(10, false, true, true, false), P);
}

static void test_nothing_closes_unmeasured_but_what_is_closed_waits_for_the_alarm(void)
{
    contactor_init(&c);
    CU_ASSERT_EQUAL(step(10, false, false, true, false), 0);
    CU_ASSERT_EQUAL(step(10, false, false, false, true), 0);
    CU_ASSERT_EQUAL(step(10, false, true, false, true), C);
    CU_ASSERT_EQUAL(step(10, false, false, false, true), C);
}

static void test_an_alarm_opens_in_the_same_call(void)
{
    for (int s = CONTACTOR_OPEN; s <= CONTACTOR_CHARGE; s++)
        for (int i = 0; i < 8; i++) {
            c = (struct contactor) { .state = (enum contactor_state)s, .in_state_ms = 1000 };
            CU_ASSERT_EQUAL(step(10, true, i & 1, i & 2, i & 4), 0);
            CU_ASSERT_EQUAL(c.state, CONTACTOR_OPEN);
        }
}

int main(void)
{
    CU_TestInfo tests[] = {
        { "KeyOn pre-charges, then closes the discharge relay [AC-1] [AC-2]", test_drive_precharges_first },
        { "charging wins, and the change goes through open [AC-8]", test_charge_wins_and_the_change_goes_through_open },
        { "nothing closes unmeasured", test_nothing_closes_unmeasured_but_what_is_closed_waits_for_the_alarm },
        { "an alarm opens everything in the same call, from every state [AC-6]", test_an_alarm_opens_in_the_same_call },
        CU_TEST_INFO_NULL,
    };

    return suite_run("contactor", tests);
}
