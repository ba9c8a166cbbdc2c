/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "common/bytes.h"
#include "tests/unit/firmware/tester_rig.h"
#include "tests/unit/suite.h"

static struct tester_rig t;
static struct alarms alarms;
static struct contactor contactor;
static struct alarm_in quantities;
static uint8_t out[UDS_RESPONSE_MAX];
static size_t n;

static void start(void)
{
    tester_rig_init(&t);
    alarm_init(&alarms);
    contactor_init(&contactor);
    memset(&quantities, 0, sizeof(quantities));
    quantities.dt_ms = 10;
    t.uds.alarms = &alarms;
    t.uds.contactor = &contactor;
    t.uds.board = (struct uds_board) { .pack_mV = 74000 };
}

static void ask(const uint8_t *req, size_t len)
{
    memset(out, 0xEE, sizeof(out));
    n = uds_request(&t.uds, req, len, out);
}
#define ASK(...) ask((const uint8_t[]) { __VA_ARGS__ }, sizeof((const uint8_t[]) { __VA_ARGS__ }))

static bool refused(uint8_t nrc)
{
    return n == 3 && out[0] == UDS_NEGATIVE && out[1] == 0x31 && out[2] == nrc;
}

static void unlock(void)
{
    uint8_t req[6] = { 0x27, 0x02 };

    ASK(0x10, 0x03);
    ASK(0x27, 0x01);
    put_be32(req + 2, uds_key(get_be32(out + 2)));
    ask(req, sizeof(req));
}

/* --- simulated failures --- */

static void test_simulation_needs_key_and_session(void)
{
    start();
    ASK(0x31, 0x01, 0x02, 0x07, 2, 0, 1);
    CU_ASSERT(refused(UDS_NRC_RANGE));
    ASK(0x10, 0x03);
    ASK(0x31, 0x01, 0x02, 0x07, 2, 0, 1);
    CU_ASSERT(refused(UDS_NRC_SECURITY));
    unlock();
    ASK(0x31, 0x01, 0x02, 0x07, 2, 0, 1);
    CU_ASSERT_EQUAL(n, 4);
    ASK(0x31, 0x01, 0x02, 0x07, 0, 0, 1); /* no such alarm */
    CU_ASSERT(refused(UDS_NRC_RANGE));
    ASK(0x31, 0x01, 0x02, 0x07, 2, 0, 0);
    CU_ASSERT(refused(UDS_NRC_RANGE));
    ASK(0x31, 0x01, 0x02, 0x07, 2, ALARM_SIMULATED_MAX_S >> 8, (ALARM_SIMULATED_MAX_S & 0xFF) + 1);
    CU_ASSERT(refused(UDS_NRC_RANGE));
    ASK(0x31, 0x01, 0x02, 0x07, 2, ALARM_SIMULATED_MAX_S >> 8, ALARM_SIMULATED_MAX_S & 0xFF);
    CU_ASSERT_EQUAL(n, 4);
    ASK(0x31, 0x01, 0x02, 0x07, 2, 0);
    CU_ASSERT(refused(UDS_NRC_LENGTH));
}

static void test_simulation_is_marked_and_ends(void)
{
    struct sample_alarm list[SAMPLE_ALARMS_MAX];

    start();
    unlock();
    CU_ASSERT_FALSE(alarm_judge(&alarms, &quantities, t.params.running));
    ASK(0x31, 0x01, 0x02, 0x07, alarm_rows[ALARM_cell_over_voltage].id, 0, 1);
    CU_ASSERT(alarm_judge(&alarms, &quantities, t.params.running)); /* a sample is taken at once */
    CU_ASSERT(alarms.open && alarms.level == ALARM_MAJOR && alarms.active == 1);
    CU_ASSERT_EQUAL(alarm_list(&alarms, list), 1);
    CU_ASSERT(list[0].number == SAMPLE_ALARM_SIMULATED && list[0].alarm == alarm_rows[ALARM_cell_over_voltage].id);
    CU_ASSERT_EQUAL(alarms.row[ALARM_cell_over_voltage].count, 0);
    ASK(0x31, 0x03, 0x02, 0x07);
    CU_ASSERT(n == 7 && out[4] == alarm_rows[ALARM_cell_over_voltage].id && get_be16(out + 5) == 1);
    for (int ms = 20; ms < 1000; ms += 10)
        CU_ASSERT_FALSE(alarm_judge(&alarms, &quantities, t.params.running));
    CU_ASSERT(alarm_judge(&alarms, &quantities, t.params.running));
    CU_ASSERT(!alarms.open && alarms.active == 0);
    ASK(0x31, 0x03, 0x02, 0x07);
    CU_ASSERT_EQUAL(n, 4);
    ASK(0x31, 0x01, 0x02, 0x07, 2, 0, 9);
    alarm_judge(&alarms, &quantities, t.params.running);
    ASK(0x31, 0x02, 0x02, 0x07);
    CU_ASSERT(alarm_judge(&alarms, &quantities, t.params.running) && alarms.active == 0);
    ASK(0x31, 0x01, 0x02, 0x07, 2, 0, 9);
    alarm_judge(&alarms, &quantities, t.params.running);
    uds_poll(&t.uds, UDS_S3_MS + 1, BIU_NVM_IDLE, out); /* the tester is gone */
    CU_ASSERT(alarm_judge(&alarms, &quantities, t.params.running) && alarms.active == 0);
}

static void test_simulation_hides_nothing(void)
{
    struct sample_alarm list[SAMPLE_ALARMS_MAX];
    struct measure_extreme *high = &quantities.high[ALARM_Q_CELL_VOLTAGE];
    const int32_t *p = t.params.running;

    start();
    unlock();
    t.params.running[PARAM_cell_over_voltage_set_ms] = t.params.running[PARAM_cell_over_voltage_clear_ms] = 0;
    ASK(0x31, 0x01, 0x02, 0x07, alarm_rows[ALARM_cell_over_voltage].id, 0, 1);
    alarm_judge(&alarms, &quantities, p);
    *high = (struct measure_extreme) { .known = true, .value = p[PARAM_cell_over_voltage_limit], .number = 5 };
    CU_ASSERT(alarm_judge(&alarms, &quantities, p));
    CU_ASSERT(alarm_list(&alarms, list) >= 1);
    for (uint8_t i = 0; i < alarm_list(&alarms, list); i++)
        CU_ASSERT(list[i].number == 5);
    for (int ms = 0; ms < 2000; ms += 10) /* the simulation ends, the alarm stays */
        alarm_judge(&alarms, &quantities, p);
    CU_ASSERT(alarms.open && alarms.row[ALARM_cell_over_voltage].active);
}

static void test_trouble_code_of_a_simulation(void)
{
    struct dtc_snapshot now = { .pack_mV = 74000 };
    struct sample_alarm a = { .alarm = alarm_rows[ALARM_cell_over_voltage].id, .level = ALARM_MAJOR, .number = SAMPLE_ALARM_SIMULATED };
    const struct dtc_row *row = &t.dtc.row[ALARM_cell_over_voltage];

    start();
    dtc_step(&t.dtc, &a, 1, true, &now);
    CU_ASSERT(row->occurrences == 1 && row->snapshot.alarm.number == SAMPLE_ALARM_SIMULATED);
    a.number = 7; /* a real one comes while it is simulated */
    dtc_step(&t.dtc, &a, 1, true, &now);
    CU_ASSERT(row->occurrences == 2 && row->snapshot.alarm.number == 7);
    dtc_step(&t.dtc, &a, 1, true, &now);
    CU_ASSERT_EQUAL(row->occurrences, 2);
    dtc_step(&t.dtc, NULL, 0, true, &now);
    a.number = SAMPLE_ALARM_SIMULATED;
    dtc_step(&t.dtc, &a, 1, true, &now);
    CU_ASSERT(row->occurrences == 3 && row->snapshot.alarm.number == 7);
}

/* --- contactor test --- */

static uint8_t step(uint8_t feedback, bool drive, bool must_open)
{
    struct contactor_in in = {
        .dt_ms = 10, .feedback = feedback, .drive = drive, .must_open = must_open, .pack_mV = 74000, .params = t.params.running
    };

    return contactor_step(&contactor, &in);
}

static void test_contactor_test(void)
{
    uint32_t ms = 0;

    start();
    unlock();
    ASK(0x31, 0x03, 0x02, 0x06);
    CU_ASSERT(refused(UDS_NRC_SEQUENCE));
    ASK(0x31, 0x01, 0x02, 0x06, BIU_RELAY_PRECHARGE);
    CU_ASSERT_EQUAL(n, 4);
    ASK(0x31, 0x03, 0x02, 0x06);
    CU_ASSERT(n == 5 && out[4] == UDS_TEST_RUNNING);
    CU_ASSERT_EQUAL(step(0, false, false), BIU_RELAY_PRECHARGE);
    while (step(BIU_RELAY_PRECHARGE, false, false) == BIU_RELAY_PRECHARGE && ms < 5000)
        ms += 10;
    CU_ASSERT(ms > 0 && ms <= 2 * (uint32_t)t.params.running[PARAM_relay_feedback_ms]);
    ASK(0x31, 0x03, 0x02, 0x06);
    CU_ASSERT_EQUAL(out[4], UDS_TEST_PASSED);
    ASK(0x31, 0x01, 0x02, 0x06, BIU_RELAY_PRECHARGE);
    for (ms = 0; ms < 5000; ms += 10)
        step(0, false, false); /* it never reads closed */
    ASK(0x31, 0x03, 0x02, 0x06);
    CU_ASSERT_EQUAL(out[4], UDS_TEST_FAILED);
}

static void test_contactor_test_is_stopped(void)
{
    start();
    unlock();
    ASK(0x31, 0x01, 0x02, 0x06, BIU_RELAY_PRECHARGE);
    step(0, false, false);
    CU_ASSERT_EQUAL(step(BIU_RELAY_PRECHARGE, true, false) & BIU_RELAY_PRECHARGE, 0); /* KeyOn */
    ASK(0x31, 0x03, 0x02, 0x06);
    CU_ASSERT_EQUAL(out[4], UDS_TEST_STOPPED);
    contactor_init(&contactor);
    ASK(0x31, 0x01, 0x02, 0x06, BIU_RELAY_PRECHARGE);
    step(0, false, false);
    CU_ASSERT_EQUAL(step(BIU_RELAY_PRECHARGE, false, true), 0); /* an alarm opens */
    contactor_init(&contactor);
    ASK(0x31, 0x01, 0x02, 0x06, BIU_RELAY_PRECHARGE);
    step(0, false, false);
    ASK(0x31, 0x02, 0x02, 0x06);
    CU_ASSERT_EQUAL(n, 4);
    CU_ASSERT_EQUAL(step(BIU_RELAY_PRECHARGE, false, false), 0);
    ASK(0x31, 0x02, 0x02, 0x06);
    CU_ASSERT(refused(UDS_NRC_SEQUENCE));
}

static void test_contactor_test_only_when_safe(void)
{
    static const struct uds_board safe = { .pack_mV = 74000 };
    struct uds_board bad[8];

    start();
    ASK(0x31, 0x01, 0x02, 0x06, BIU_RELAY_PRECHARGE);
    CU_ASSERT(refused(UDS_NRC_RANGE));
    ASK(0x10, 0x03);
    ASK(0x31, 0x01, 0x02, 0x06, BIU_RELAY_PRECHARGE);
    CU_ASSERT(refused(UDS_NRC_SECURITY));
    unlock();
    for (int i = 0; i < 8; i++)
        bad[i] = safe;
    bad[0].relays = BIU_RELAY_DISCHARGE;
    bad[1].feedback = BIU_RELAY_DISCHARGE;
    bad[2].asked = true;
    bad[3].major = true;
    bad[4].current_mA = 1001;
    bad[5].current_mA = scalar_invalid(VALIDITY_STALE);
    bad[6].link_mV = 60000;
    bad[7].pack_mV = scalar_invalid(VALIDITY_NEVER);
    for (int i = 0; i < 8; i++) {
        t.uds.board = bad[i];
        ASK(0x31, 0x01, 0x02, 0x06, BIU_RELAY_PRECHARGE);
        CU_ASSERT(refused(UDS_NRC_CONDITIONS));
    }
    t.uds.board = safe;
    ASK(0x31, 0x01, 0x02, 0x06, BIU_RELAY_DISCHARGE);
    CU_ASSERT(refused(UDS_NRC_CONDITIONS)); /* onto an empty link */
    t.uds.board.link_mV = 70300;
    ASK(0x31, 0x01, 0x02, 0x06, BIU_RELAY_DISCHARGE);
    CU_ASSERT_EQUAL(n, 4);
    t.uds.board = safe;
    ASK(0x31, 0x01, 0x02, 0x06, BIU_RELAY_HEATING);
    CU_ASSERT(refused(UDS_NRC_RANGE));
    ASK(0x31, 0x01, 0x02, 0x06, 0x03);
    CU_ASSERT(refused(UDS_NRC_RANGE));
    ASK(0x31, 0x01, 0x02, 0x06);
    CU_ASSERT(refused(UDS_NRC_LENGTH));
}

/* --- calibration --- */

static void test_zero_and_gain(void)
{
    start();
    t.uds.board.current_mA = 350;
    ASK(0x31, 0x01, 0x02, 0x05, UDS_CALIBRATE_ZERO);
    CU_ASSERT(n == 12 && (int32_t)get_be32(out + 4) == -350);
    CU_ASSERT_EQUAL(t.params.running[PARAM_current_offset_mA], -350);
    CU_ASSERT_EQUAL(t.params.stored[PARAM_current_offset_mA], 0);
    t.uds.board.current_mA = 99650; /* a raw value of 100 A; 101 A flow */
    t.uds.board.relays = BIU_RELAY_DISCHARGE;
    ASK(0x31, 0x01, 0x02, 0x05, UDS_CALIBRATE_GAIN, 0, 1, 0x8A, 0x88);
    CU_ASSERT(n == 12 && (int32_t)get_be32(out + 8) == 13500); /* (101,000 + 350) / 100,000 */
    ASK(0x31, 0x01, 0x02, 0x05, UDS_CALIBRATE_ZERO);
    CU_ASSERT(refused(UDS_NRC_CONDITIONS)); /* something can flow */
    t.uds.board.relays = 0;
    t.uds.board.current_mA = 50000;
    ASK(0x31, 0x01, 0x02, 0x05, UDS_CALIBRATE_ZERO);
    CU_ASSERT(refused(UDS_NRC_RANGE));
    ASK(0x31, 0x01, 0x02, 0x05, UDS_CALIBRATE_GAIN, 0, 0, 0x27, 0x0F);
    CU_ASSERT(refused(UDS_NRC_RANGE)); /* 9,999 mA */
    t.uds.board.current_mA = scalar_invalid(VALIDITY_STALE);
    ASK(0x31, 0x01, 0x02, 0x05, UDS_CALIBRATE_ZERO);
    CU_ASSERT(refused(UDS_NRC_CONDITIONS));
    ASK(0x31, 0x01, 0x02, 0x05, UDS_CALIBRATE_GAIN, 0, 1, 0x8A, 0x88);
    CU_ASSERT(refused(UDS_NRC_CONDITIONS));
    ASK(0x31, 0x01, 0x02, 0x05, UDS_CALIBRATE_FACTORY);
    CU_ASSERT(n == 12 && get_be32(out + 4) == 0 && get_be32(out + 8) == 0);
    ASK(0x31, 0x01, 0x02, 0x05, 3);
    CU_ASSERT(refused(UDS_NRC_RANGE));
    ASK(0x31, 0x01, 0x02, 0x05);
    CU_ASSERT(refused(UDS_NRC_LENGTH));
    ASK(0x31, 0x01, 0x02, 0x05, UDS_CALIBRATE_GAIN, 0);
    CU_ASSERT(refused(UDS_NRC_LENGTH));
    params_set(&t.params, PARAM_write_needs_key, 1);
    ASK(0x31, 0x01, 0x02, 0x05, UDS_CALIBRATE_FACTORY);
    CU_ASSERT(refused(UDS_NRC_SECURITY));
}

int main(void)
{
    CU_TestInfo tests[] = {
        { "a failure is simulated by the key in the extended session alone, for a bounded time [UC-6]",
          test_simulation_needs_key_and_session },
        { "a simulated failure is marked, not counted, and ends with its time or the session [UC-6]", test_simulation_is_marked_and_ends },
        { "a simulated failure hides no real alarm [UC-6]", test_simulation_hides_nothing },
        { "the trouble code of a simulated failure says so and makes place for a real one [UC-6]", test_trouble_code_of_a_simulation },
        { "a contactor is closed for a moment and read back [AC-1]", test_contactor_test },
        { "a contactor test ends at once when anything is asked for or must open", test_contactor_test_is_stopped },
        { "a contactor is tested only when nothing can flow", test_contactor_test_only_when_safe },
        { "zero and gain of the current are calibrated inside their rows [ME-5]", test_zero_and_gain },
        CU_TEST_INFO_NULL,
    };

    return suite_run("uds_bench", tests);
}
