/* SPDX-License-Identifier: Apache-2.0 */
#include "firmware/core/diagnosis/self_check.h"

#include <string.h>

#include "tests/unit/firmware/rig.h"
#include "tests/unit/suite.h"

static struct self_check s;
static struct self_facts facts;
static struct self_in in;
static struct rig r;

static void start(void)
{
    self_check_init(&s);
    facts = (struct self_facts) { .fitted = true, .reset = SELF_RESET_POWER, .stack_free = 1000 };
    in = (struct self_in) { .dt_ms = 10, .facts = &facts };
}

static uint16_t step(void)
{
    self_check_step(&s, &in);
    return s.failed;
}

static void test_a_healthy_board_is_well(void)
{
    start();
    CU_ASSERT_EQUAL(s.failed, 0);
    CU_ASSERT_EQUAL(step(), 0);
    CU_ASSERT_EQUAL(self_check_first(&s, SELF_FAILED) | self_check_first(&s, SELF_DEGRADED) | self_check_first(&s, SELF_TOLD), 0);
}

/* Memory and stack stay until the next start; what recovers goes. */
static void test_each_unit_has_its_bit(void)
{
    static const struct {
        bool *flag;
        uint16_t bit;
        bool stays;
    } rows[] = {
        { &facts.ram_bad, 1 << 0, true },         { &facts.flash_bad, 1 << 1, true },
        { &facts.nvm_bad, 1 << 6, false },        { &facts.params_bad, 1 << 7, false },
        { &in.afe_silent, 1 << 8, false },        { &in.current_silent, 1 << 9, false },
        { &in.voltages_missing, 1 << 10, false }, { &in.insulation_implausible, 1 << 11, false },
    };

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        start();
        *rows[i].flag = true;
        CU_ASSERT_EQUAL(step(), rows[i].bit);
        *rows[i].flag = false;
        CU_ASSERT_EQUAL(step(), rows[i].stays ? rows[i].bit : 0);
    }
    for (unsigned k = 0; k < 4; k++) {
        start();
        in.relays_wrong = (uint8_t)(1u << k);
        CU_ASSERT_EQUAL(step(), 1u << (12 + k));
    }
}

static void test_limits_exactly(void)
{
    start();
    facts.stack_free = SELF_STACK_MIN;
    CU_ASSERT_EQUAL(step(), 0);
    facts.stack_free = SELF_STACK_MIN - 1;
    CU_ASSERT_EQUAL(step(), 1 << SELF_stack);
    facts.stack_free = 1000;
    CU_ASSERT_EQUAL(step(), 1 << SELF_stack);
    start();
    facts.clock_ppm = SELF_CLOCK_MAX_ppm - 1;
    CU_ASSERT_EQUAL(step(), 0);
    facts.clock_ppm = SELF_CLOCK_MAX_ppm;
    CU_ASSERT_EQUAL(step(), 1 << SELF_clock);
    facts.clock_ppm = -SELF_CLOCK_MAX_ppm;
    CU_ASSERT_EQUAL(step(), 1 << SELF_clock);
    facts.clock_ppm = -SELF_CLOCK_MAX_ppm + 1;
    CU_ASSERT_EQUAL(step(), 0);
    facts.stack_free = facts.clock_ppm = scalar_invalid(VALIDITY_NOT_FITTED);
    CU_ASSERT_EQUAL(step(), 0);
}

static void test_forced_starts_are_told(void)
{
    static const bool forced[] = { [SELF_RESET_UNKNOWN] = false, [SELF_RESET_POWER] = false,   [SELF_RESET_SOFTWARE] = false,
                                   [SELF_RESET_PIN] = false,     [SELF_RESET_WATCHDOG] = true, [SELF_RESET_CPU_FAULT] = true };

    for (int i = 0; i <= SELF_RESET_CPU_FAULT; i++) {
        start();
        facts.reset = (enum self_reset)i;
        CU_ASSERT_EQUAL(step(), forced[i] ? 1 << SELF_reset : 0);
    }
}

static void overrun(unsigned n)
{
    facts.slot_overruns += n;
}

static void run(uint32_t ms)
{
    for (uint32_t t = 0; t < ms; t += 10)
        step();
}

static void test_three_late_steps_in_ten_seconds(void)
{
    start();
    facts.slot_overruns = UINT32_MAX; /* what there was before, and the wrap */
    step();
    overrun(2);
    CU_ASSERT_EQUAL(step(), 0);
    run(10000);
    overrun(2);
    CU_ASSERT_EQUAL(step(), 0);
    overrun(1);
    CU_ASSERT_EQUAL(step(), 1 << SELF_slots);
    run(9900);
    CU_ASSERT_EQUAL(step(), 1 << SELF_slots);
    run(10100);
    CU_ASSERT_EQUAL(step(), 0);
}

static void test_a_board_that_tells_nothing(void)
{
    start();
    facts = (struct self_facts) { .ram_bad = true, .clock_ppm = 90000, .reset = SELF_RESET_WATCHDOG };
    CU_ASSERT_EQUAL(step(), 0);
    in.afe_silent = true;
    CU_ASSERT_EQUAL(step(), 1 << SELF_afe);
}

static void test_the_first_unit_of_a_level(void)
{
    start();
    facts.nvm_bad = facts.params_bad = facts.flash_bad = in.current_silent = true;
    step();
    CU_ASSERT_EQUAL(self_check_first(&s, SELF_FAILED), SELF_flash + 1);
    CU_ASSERT_EQUAL(self_check_first(&s, SELF_DEGRADED), SELF_nvm + 1);
    CU_ASSERT_EQUAL(self_check_first(&s, SELF_TOLD), SELF_current + 1);
    facts.ram_bad = true; /* the very first of all */
    step();
    CU_ASSERT_EQUAL(self_check_first(&s, SELF_FAILED), SELF_ram + 1);
}

static void test_every_bit_has_a_name(void)
{
    for (unsigned i = 0; i < 16; i++)
        for (unsigned k = 0; k < i; k++)
            CU_ASSERT_STRING_NOT_EQUAL(self_unit_word(i), self_unit_word(k));
    CU_ASSERT_STRING_EQUAL(self_unit_word(0), "ram");
    CU_ASSERT_STRING_EQUAL(self_unit_word(15), "relay_4");
    CU_ASSERT_PTR_NULL(self_unit_word(16));
}

/* --- in the BIU --- */

static void drive(void)
{
    rig_init(&r, 16, 0);
    rig_start(&r);
    r.in.inputs = BIU_INPUT_KEYON;
    rig_run(&r, 2000);
    CU_ASSERT_EQUAL(r.out.contactors, BIU_RELAY_DISCHARGE);
    CU_ASSERT_EQUAL(r.last.scalar[SAMPLE_self_check], 0);
}

static void test_a_failed_unit_opens_and_a_degraded_one_does_not(void)
{
    drive();
    r.in.self.nvm_bad = true;
    rig_run(&r, 100);
    CU_ASSERT(rig_has_alarm(&r, ALARM_unit_degraded_warning));
    CU_ASSERT_EQUAL(r.biu.alarms.row[ALARM_unit_degraded_warning].raised.number, SELF_nvm + 1);
    CU_ASSERT_EQUAL(r.last.scalar[SAMPLE_self_check], 1 << SELF_nvm);
    CU_ASSERT_EQUAL(r.out.contactors, BIU_RELAY_DISCHARGE);
    r.in.self.flash_bad = true;
    rig_run(&r, 100);
    CU_ASSERT(rig_has_alarm(&r, ALARM_unit_failed));
    CU_ASSERT_EQUAL(r.biu.alarms.row[ALARM_unit_failed].raised.number, SELF_flash + 1);
    CU_ASSERT_EQUAL(r.out.contactors, 0);
    CU_ASSERT_EQUAL(r.last.scalar[SAMPLE_self_check], 1 << SELF_nvm | 1 << SELF_flash);
}

static void test_silent_units_and_wrong_relays_show(void)
{
    drive();
    r.csu_silent = true;
    rig_run(&r, 400);
    CU_ASSERT(r.last.scalar[SAMPLE_self_check] & 1 << SELF_current);
    drive();
    r.chain.chip[0].mute = true;
    rig_run(&r, 400);
    CU_ASSERT(r.last.scalar[SAMPLE_self_check] & 1 << SELF_afe);
    drive();
    r.jammed = BIU_RELAY_DISCHARGE;
    rig_run(&r, 400);
    CU_ASSERT(r.last.scalar[SAMPLE_self_check] & 1 << SELF_relay_1);
    drive();
    r.in.link_voltage_mV = scalar_invalid(VALIDITY_STALE);
    r.in.self.slot_overruns = 7;
    rig_before(&r);
    r.in.pack_voltage_mV = scalar_invalid(VALIDITY_STALE);
    biu_step(&r.biu, &r.in, &r.out);
    CU_ASSERT(r.biu.self.failed & 1 << SELF_voltages);
}

/* The window of ten seconds ends to the millisecond, and the verdict of a bad one stands until a good one has ended. */
static void test_the_window_of_overruns_is_exact(void)
{
    start();
    in.dt_ms = 1;
    for (int window = 0; window < 4; window++)
        for (int ms = 1; ms <= SELF_OVERRUN_MS; ms++) {
            overrun(window < 2 && ms > 1 && ms <= 1 + SELF_OVERRUNS); /* the first two are bad */
            bool late = window < 2 ? window > 0 || ms > SELF_OVERRUNS : window == 2 && ms < SELF_OVERRUN_MS;

            CU_ASSERT_EQUAL(step(), late ? 1 << SELF_slots : 0);
        }
}

int main(void)
{
    CU_TestInfo tests[] = {
        { "a healthy board is well [ME-13]", test_a_healthy_board_is_well },
        { "each unit has its bit, and memory stays bad [ME-13]", test_each_unit_has_its_bit },
        { "stack and clock, exactly [ME-13]", test_limits_exactly },
        { "starts that were forced are told [ME-13]", test_forced_starts_are_told },
        { "three late steps in ten seconds [ME-13]", test_three_late_steps_in_ten_seconds },
        { "a board that tells nothing of itself is judged by what it measures [ME-13]", test_a_board_that_tells_nothing },
        { "the first unit of each level is named [ME-13]", test_the_first_unit_of_a_level },
        { "every bit has a name of its own [ME-13]", test_every_bit_has_a_name },
        { "a failed unit opens the contactors, a degraded one warns [ME-13]", test_a_failed_unit_opens_and_a_degraded_one_does_not },
        { "silent units and wrong relays are reported per unit [ME-13]", test_silent_units_and_wrong_relays_show },
        { "the window of late steps is exact [ME-13]", test_the_window_of_overruns_is_exact },
        CU_TEST_INFO_NULL,
    };

    return suite_run("self_check", tests);
}
