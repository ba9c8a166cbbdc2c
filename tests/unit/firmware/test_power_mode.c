/* SPDX-License-Identifier: Apache-2.0 */
#include "firmware/core/actuators/power_mode.h"
#include "firmware/core/store/params.h"
#include "tests/unit/firmware/rig.h"
#include "tests/unit/suite.h"

static struct power_mode p;
static struct power_mode_in in;
static int32_t params[PARAMS];
static struct rig r;

static void start(void)
{
    params_defaults(CHEMISTRY_NMC, params);
    power_mode_init(&p);
    in = (struct power_mode_in) { .dt_ms = 10, .well = true, .params = params };
}

/* How often a sleep began. */
static int run(uint32_t ms)
{
    int begun = 0;

    for (uint32_t t = 0; t < ms; t += 10)
        begun += power_mode_step(&p, &in);
    return begun;
}

static void test_sleeps_after_its_time_exactly_and_begins_once(void)
{
    start();
    CU_ASSERT_EQUAL(run(1799990), 0);
    CU_ASSERT_FALSE(p.sleep);
    CU_ASSERT_EQUAL(run(10), 1);
    CU_ASSERT(p.sleep);
    CU_ASSERT_EQUAL(run(60000), 0); /* a board that does not obey is not told twice */
    CU_ASSERT(p.sleep);
    in.asked = true;
    run(10);
    CU_ASSERT_FALSE(p.sleep);
    in.asked = false;
    CU_ASSERT_EQUAL(run(1799990), 0);
    CU_ASSERT_EQUAL(run(10), 1);
}

static void test_what_is_going_on_is_ended_first(void)
{
    start();
    in.busy = true;
    CU_ASSERT_EQUAL(run(2000000), 0);
    in.busy = false;
    CU_ASSERT_EQUAL(run(10), 1);
    start();
    params[PARAM_sleep_after_s] = 0; /* never */
    CU_ASSERT_EQUAL(run(10000000), 0);
}

static void test_a_look_is_short_when_all_is_well(void)
{
    start();
    power_mode_wake(&p);
    CU_ASSERT_EQUAL(run(9990), 0);
    CU_ASSERT_EQUAL(run(10), 1);

    start(); /* something is wrong: it stays to tell */
    power_mode_wake(&p);
    in.well = false;
    CU_ASSERT_EQUAL(run(1799990), 0);
    CU_ASSERT_EQUAL(run(10), 1);

    start(); /* somebody has turned the key for a moment */
    power_mode_wake(&p);
    in.asked = true;
    run(10);
    in.asked = false;
    CU_ASSERT_EQUAL(run(1799990), 0);
    CU_ASSERT_EQUAL(run(10), 1);
}

static bool asks_for_sleep(const struct rig *rig)
{
    return rig->out.sleep;
}

static void begin(void)
{
    rig_init(&r, 48, 0);
    r.params[PARAM_sleep_after_s] = 20;
    rig_start(&r);
}

static void test_a_parked_board_saves_opens_and_sleeps(void)
{
    uint32_t ms;

    begin();
    r.in.inputs = BIU_INPUT_KEYON;
    rig_run(&r, 60000);
    CU_ASSERT(!r.out.sleep && r.out.contactors == BIU_RELAY_DISCHARGE);
    r.in.inputs = 0;
    ms = rig_until(&r, asks_for_sleep, 60000);
    CU_ASSERT(ms >= 20000 && ms <= 20200); /* and the sample on its way */
    CU_ASSERT(r.out.key_save);
    CU_ASSERT(r.out.contactors == 0 && r.out.outputs == 0);
    CU_ASSERT_EQUAL(r.out.wake_after_ms, 3600000);
    rig_step(&r);
    CU_ASSERT(r.out.sleep && !r.out.key_save);
}

static void test_it_wakes_looks_and_sleeps_again(void)
{
    begin();
    rig_until(&r, asks_for_sleep, 60000);
    CU_ASSERT_FATAL(r.out.sleep);
    r.in.now_ms += r.out.wake_after_ms;
    biu_wake(&r.biu, r.in.now_ms);
    rig_step(&r);
    CU_ASSERT(!r.out.sleep && r.out.contactors == 0);
    uint32_t ms = rig_until(&r, asks_for_sleep, 60000);
    CU_ASSERT(ms >= 9900 && ms <= 10200);

    r.in.now_ms += 3600000; /* this time a cell is empty */
    biu_wake(&r.biu, r.in.now_ms);
    rig_set_cell(&r, 30, 2600);
    rig_run(&r, 15000);
    CU_ASSERT(!r.out.sleep && rig_has_alarm(&r, ALARM_cell_under_voltage));
    CU_ASSERT(r.last.alarms > 0); /* and a sample has told it */
    rig_run(&r, 5400);
    CU_ASSERT(r.out.sleep);
}

static void test_key_and_charger_keep_it_awake(void)
{
    begin();
    r.in.inputs = BIU_INPUT_CHARGER;
    rig_run(&r, 30000);
    CU_ASSERT(!r.out.sleep && r.biu.mode == PACK_MODE_CHARGING);
    r.in.inputs = BIU_INPUT_KEYON;
    rig_run(&r, 30000);
    CU_ASSERT(!r.out.sleep && r.biu.mode == PACK_MODE_DRIVING);
}

int main(void)
{
    CU_TestInfo tests[] = {
        { "sleeps after its time, exactly, and begins once [AC-8]", test_sleeps_after_its_time_exactly_and_begins_once },
        { "what is going on is ended first [AC-8]", test_what_is_going_on_is_ended_first },
        { "a look is short when all is well, and long when not [AC-8]", test_a_look_is_short_when_all_is_well },
        { "a parked board saves its key data and sleeps with all outputs open [AC-7] [AC-8]", test_a_parked_board_saves_opens_and_sleeps },
        { "it wakes by itself, looks at the pack and sleeps again [AC-8]", test_it_wakes_looks_and_sleeps_again },
        { "KeyOn and charger keep it awake [AC-8]", test_key_and_charger_keep_it_awake },
        CU_TEST_INFO_NULL,
    };

    return suite_run("power_mode", tests);
}
