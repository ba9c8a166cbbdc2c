/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/bytes.h"
#include "common/err.h"
#include "proto/can0.h"
#include "tests/unit/firmware/rig.h"
#include "tests/unit/suite.h"

enum { PROMISE_MS = 300 }; /* from the limit crossed, or the silence begun, to the contactors open */

static struct rig r;

/* A pack on the road: KeyOn, contactors closed, nothing wrong. `offset_ms` shifts what comes next against the scans. */
static void drive(int cells, uint32_t start_ms, uint32_t offset_ms)
{
    rig_init(&r, cells, start_ms);
    CU_ASSERT_EQUAL_FATAL(rig_start(&r), BMS_ERR_OK);
    r.in.inputs = BIU_INPUT_KEYON;
    rig_run(&r, 2000 + offset_ms);
    CU_ASSERT_EQUAL_FATAL(r.out.contactors, BIU_RELAY_DISCHARGE);
}

static bool is_open(const struct rig *x)
{
    return x->out.contactors == 0;
}

static void test_measures_and_streams(void)
{
    for (int cells = PACK_CELLS_MIN; cells <= PACK_CELLS_MAX; cells += 13) {
        rig_init(&r, cells, 0);
        CU_ASSERT_EQUAL_FATAL(rig_start(&r), BMS_ERR_OK);
        r.current_mA = -12345;
        rig_run(&r, 5100);
        CU_ASSERT_EQUAL(r.samples, 5);
        CU_ASSERT_EQUAL(r.last.no, 5);
        CU_ASSERT_EQUAL(r.last.boot, 7);
        CU_ASSERT_EQUAL(r.last.cells, cells);
        CU_ASSERT_EQUAL(r.last.temps, 4 * ((cells + 15) / 16));
        CU_ASSERT_EQUAL(r.last.alarms, 0);
        CU_ASSERT_EQUAL(r.last.utc_ms, 1700000005000u);
        CU_ASSERT_EQUAL(r.last.scalar[SAMPLE_pack_current_mA], -12345);
        CU_ASSERT_EQUAL(r.last.scalar[SAMPLE_mode], PACK_MODE_PARKED);
        CU_ASSERT_EQUAL(r.last.scalar[SAMPLE_afe_errors], 0);
        CU_ASSERT_EQUAL(r.last.scalar[SAMPLE_soh_permyriad], 10000); /* the nameplate, until windows tell */
        for (int i = 0; i < cells; i++)
            CU_ASSERT_EQUAL(r.last.cell_mV[i], 3700);
        CU_ASSERT_EQUAL(can0_get(&r.seen[r.seen_count - 1], CAN0_SIG_sample_no), 5);
    }
}

/* One cell goes over its limit between two scans, at every phase of the scan: the worst case counts. */
static void reaction(int cells, int limit_mV, enum alarm alarm, uint32_t *worst_ms)
{
    for (uint32_t offset = 0; offset < 40; offset += 10) {
        drive(cells, 0, offset);
        rig_set_cell(&r, (unsigned)cells / 2 + 1, limit_mV);
        uint32_t took = rig_until(&r, is_open, 1000);

        CU_ASSERT(took <= PROMISE_MS);
        CU_ASSERT(rig_has_alarm(&r, alarm));
        CU_ASSERT_EQUAL(r.biu.alarms.row[alarm].raised.number, cells / 2 + 1);
        CU_ASSERT_EQUAL(r.biu.alarms.row[alarm].raised.value, limit_mV);
        if (took > *worst_ms)
            *worst_ms = took;
    }
}

/* Default parameters: scan <= 20 ms + answer 10 ms + set_ms 100 ms; opened in the step that sets the alarm. */
static void test_cell_voltage_opens_within_300_ms(void)
{
    uint32_t worst_ms = 0;

    reaction(4, 4250, ALARM_cell_over_voltage, &worst_ms);
    reaction(48, 4250, ALARM_cell_over_voltage, &worst_ms);
    reaction(160, 4250, ALARM_cell_over_voltage, &worst_ms);
    reaction(48, 2750, ALARM_cell_under_voltage, &worst_ms);
    reaction(160, 2750, ALARM_cell_under_voltage, &worst_ms);
    CU_ASSERT(worst_ms <= 130);
    printf("(%u ms) ", (unsigned)worst_ms);
}

static void test_one_short_of_the_limit_opens_nothing(void)
{
    drive(48, 0, 0);
    rig_set_cell(&r, 17, 4249);
    rig_set_cell(&r, 18, 2751);
    rig_run(&r, 3000);
    CU_ASSERT_EQUAL(r.out.contactors, BIU_RELAY_DISCHARGE);
    CU_ASSERT(rig_has_alarm(&r, ALARM_cell_over_voltage_warning));
    CU_ASSERT_FALSE(rig_has_alarm(&r, ALARM_cell_over_voltage));
    CU_ASSERT_FALSE(rig_has_alarm(&r, ALARM_cell_under_voltage));
}

static void test_silent_chip_opens_within_300_ms(void)
{
    for (int chip = 0; chip < 10; chip++)
        for (uint32_t offset = 0; offset < 40; offset += 10) {
            drive(160, 0, offset);
            r.chain.chip[chip].dead = true;
            CU_ASSERT(rig_until(&r, is_open, 1000) <= PROMISE_MS);
            CU_ASSERT(rig_has_alarm(&r, ALARM_afe_silent));
            CU_ASSERT_EQUAL(r.biu.alarms.row[ALARM_afe_silent].raised.number, chip + 1);
            CU_ASSERT_EQUAL(cell_validity(r.last.cell_mV[16 * chip]), VALIDITY_STALE);
        }
}

static void test_silent_current_sensor_opens_within_300_ms(void)
{
    drive(48, 0, 0);
    r.csu_silent = true;
    CU_ASSERT(rig_until(&r, is_open, 1000) <= PROMISE_MS);
    CU_ASSERT(rig_has_alarm(&r, ALARM_current_sensor_silent));
    CU_ASSERT_EQUAL(scalar_validity(r.last.scalar[SAMPLE_pack_current_mA]), VALIDITY_STALE);

    drive(48, 0, 0);
    r.csu_stuck = true;
    CU_ASSERT(rig_until(&r, is_open, 1000) <= PROMISE_MS);
}

static void test_open_tap_opens_within_300_ms(void)
{
    drive(48, 0, 0);
    rig_set_cell(&r, 33, 0);
    CU_ASSERT(rig_until(&r, is_open, 1000) <= PROMISE_MS);
    CU_ASSERT(rig_has_alarm(&r, ALARM_cell_tap_open));
    CU_ASSERT_EQUAL(r.biu.alarms.row[ALARM_cell_tap_open].raised.number, 33);
    CU_ASSERT_FALSE(rig_has_alarm(&r, ALARM_cell_under_voltage));
}

static void test_alarm_is_sampled_at_once(void)
{
    drive(48, 0, 0);
    unsigned before = r.samples;

    rig_set_cell(&r, 5, 4300);
    rig_until(&r, is_open, 1000);
    CU_ASSERT_PTR_NOT_NULL(r.out.sample); /* in the very step */
    CU_ASSERT_EQUAL(r.samples, before + 1);
    CU_ASSERT_EQUAL(r.last.scalar[SAMPLE_alarm_level], ALARM_MAJOR);
    CU_ASSERT_EQUAL(r.last.scalar[SAMPLE_mode], PACK_MODE_FAULT);
    CU_ASSERT_EQUAL(r.last.scalar[SAMPLE_contactors_closed], 0);
    CU_ASSERT_EQUAL(r.last.alarms, 1);
    CU_ASSERT_EQUAL(r.last.alarm[0].alarm, 2);
    CU_ASSERT_EQUAL(r.last.alarm[0].number, 5);
    CU_ASSERT_EQUAL(r.last.alarm[0].value, 4300);
    rig_set_cell(&r, 5, 3700);
    rig_run(&r, 8000);
    CU_ASSERT_EQUAL(r.last.alarms, 0);
    CU_ASSERT_EQUAL(r.last.scalar[SAMPLE_mode], PACK_MODE_DRIVING);
}

static void test_nothing_closes_before_all_is_measured(void)
{
    rig_init(&r, 48, 0);
    rig_start(&r);
    r.in.inputs = BIU_INPUT_KEYON;
    r.chain.chip[2].mute = true;
    for (int i = 0; i < 300; i++) {
        rig_step(&r);
        CU_ASSERT_EQUAL(r.out.contactors, 0);
    }
    CU_ASSERT_EQUAL(cell_validity(r.last.cell_mV[32]), VALIDITY_NEVER);
    CU_ASSERT(rig_has_alarm(&r, ALARM_afe_silent));
    r.chain.chip[2].mute = false;
    rig_run(&r, 4000);
    CU_ASSERT_EQUAL(r.out.contactors, BIU_RELAY_DISCHARGE);
}

static void test_charger_closes_rl3(void)
{
    rig_init(&r, 48, 0);
    rig_start(&r);
    r.in.inputs = BIU_INPUT_CHARGER;
    r.current_mA = -20000;
    rig_run(&r, 1000);
    CU_ASSERT_EQUAL(r.out.contactors, BIU_RELAY_CHARGE);
    CU_ASSERT_EQUAL(r.last.scalar[SAMPLE_mode], PACK_MODE_CHARGING);
    r.in.inputs = 0;
    rig_step(&r);
    CU_ASSERT_EQUAL(r.out.contactors, BIU_RELAY_CHARGE); /* not under load */
    CU_ASSERT(r.out.no_power);
    r.current_mA = 0;
    rig_step(&r);
    CU_ASSERT_EQUAL(r.out.contactors, 0);
}

static void test_parked_after_the_time_of_the_parameter(void)
{
    drive(48, 0, 0);
    r.in.inputs = 0;
    rig_run(&r, 59990);
    CU_ASSERT_EQUAL(r.biu.mode, PACK_MODE_DRIVING);
    rig_run(&r, 10);
    CU_ASSERT_EQUAL(r.biu.mode, PACK_MODE_PARKED);
}

/* ms of the next two seconds in which the bypass of cell 20 is on, and it alone. */
static int bypass_ms(void)
{
    int ms = 0;

    for (int t = 0; t < 2000; t += BIU_STEP_MS) {
        rig_step(&r);
        CU_ASSERT(r.chain.chip[1].cbenbl == 0 || r.chain.chip[1].cbenbl == 1u << 3);
        ms += r.chain.chip[1].cbenbl ? BIU_STEP_MS : 0;
    }
    return ms;
}

static void test_balances_while_charging_and_not_with_an_alarm(void)
{
    rig_init(&r, 48, 0);
    rig_start(&r);
    r.in.inputs = BIU_INPUT_CHARGER;
    rig_run(&r, 1000);
    rig_set_cell(&r, 20, 3900);
    rig_run(&r, 2000);
    int on_ms = bypass_ms();

    CU_ASSERT(on_ms >= 1600 && on_ms <= 1760); /* 85 % */
    CU_ASSERT_EQUAL(r.last.balancing[1], 1u << 3);
    rig_set_cell(&r, 20, 4200);
    rig_run(&r, 300); /* a warning asks for nothing: a cell too high is just what balancing is for */
    CU_ASSERT(rig_has_alarm(&r, ALARM_cell_over_voltage_warning));
    CU_ASSERT(bypass_ms() >= 1600);
    rig_set_cell(&r, 20, 4215);
    rig_run(&r, 1000);
    CU_ASSERT(rig_has_alarm(&r, ALARM_cell_over_voltage_derate));
    CU_ASSERT_EQUAL(bypass_ms(), 0);
}

static void test_sync_takes_a_sample_now(void)
{
    struct can_frame f = can0_begin(CAN0_SYNC, CAN0_ADDR_DTU);

    drive(48, 0, 150);
    unsigned before = r.samples;

    can0_finish(&f, 0);
    r.rx[r.rx_count++] = f;
    rig_step(&r);
    CU_ASSERT_PTR_NOT_NULL(r.out.sample);
    CU_ASSERT_EQUAL(r.samples, before + 1);
    rig_run(&r, 830);
    CU_ASSERT_EQUAL(r.samples, before + 1);
    rig_run(&r, 20); /* the schedule has not moved */
    CU_ASSERT_EQUAL(r.samples, before + 2);
}

static void test_board_without_a_clock_takes_the_dtu_s(void)
{
    struct can_frame f = can0_begin(CAN0_DTU_Clock, CAN0_ADDR_DTU);

    rig_init(&r, 48, 0);
    r.in.utc_ms = 0;
    rig_start(&r);
    rig_run(&r, 1000);
    CU_ASSERT_EQUAL(r.last.utc_ms, 0);
    can0_put_raw(&f, 16, 48, 1700000000000u);
    can0_finish(&f, 0);
    r.rx[r.rx_count++] = f;
    rig_run(&r, 1000);
    CU_ASSERT_EQUAL(r.last.utc_ms, 1700000000000u + 990);
}

static void test_bad_can_frames_are_counted_and_nothing_else(void)
{
    drive(48, 0, 0);
    for (int i = 0; i < 100; i++) {
        struct can_frame f = can0_begin(CAN0_CSU_Current, CAN0_ADDR_CSU);

        can0_put(&f, CAN0_SIG_csu_current_mA, 500000);
        can0_finish(&f, (uint8_t)(i + 100));
        f.data[1 + i % 7] ^= 0x10;
        r.rx[r.rx_count++] = f;
        r.rx[r.rx_count++] = (struct can_frame) { .id = 0x123, .len = 3 }; /* somebody else's: not ours to judge */
        rig_step(&r);
        CU_ASSERT_EQUAL(r.biu.current.mA, 0);
    }
    CU_ASSERT_EQUAL(r.biu.can_errors, 100);
    CU_ASSERT_EQUAL(r.out.contactors, BIU_RELAY_DISCHARGE);
}

static void test_current_and_clock_count_from_their_senders_alone(void)
{
    struct can_frame f = can0_begin(CAN0_CSU_Current, CAN0_ADDR_DTU), clock = can0_begin(CAN0_DTU_Clock, CAN0_ADDR_CSU);

    drive(48, 0, 0);
    can0_put(&f, CAN0_SIG_csu_current_mA, 500000);
    can0_finish(&f, 200);
    can0_put_raw(&clock, 16, 48, 1700000000000u);
    can0_finish(&clock, 0);
    r.in.utc_ms = 0;
    r.csu_silent = true; /* for this step */
    r.rx[r.rx_count++] = f;
    r.rx[r.rx_count++] = clock;
    rig_step(&r);
    CU_ASSERT_EQUAL(r.biu.current.mA, 0);
    CU_ASSERT_EQUAL(r.biu.current.age_ms, 10);
    CU_ASSERT_EQUAL(r.biu.dtu_utc_ms, 0);
    CU_ASSERT_EQUAL(r.biu.can_errors, 0);
}

static const struct can_frame *find_answer(void)
{
    for (size_t i = 0; i < r.out.can_tx_count; i++)
        if (r.out.can_tx[i].id == CAN0_ISOTP_FROM_BIU)
            return &r.out.can_tx[i];
    return NULL;
}

static void test_request_during_a_store_waits(void)
{
    struct can_frame store = { .id = CAN0_ISOTP_TO_BIU, .ext = true, .len = 8, .data = { 4, 0x31, 1, 2, 1 } };
    struct can_frame present = { .id = CAN0_ISOTP_TO_BIU, .ext = true, .len = 8, .data = { 2, 0x3E, 0 } };

    drive(48, 0, 0);
    r.rx[r.rx_count++] = store;
    rig_step(&r);
    r.rx[r.rx_count++] = present;
    rig_step(&r);
    CU_ASSERT_PTR_NULL(find_answer());
    r.in.nvm = BIU_NVM_DONE;
    rig_step(&r);
    CU_ASSERT_PTR_NOT_NULL_FATAL(find_answer());
    CU_ASSERT_EQUAL(find_answer()->data[1], 0x71);
    rig_step(&r);
    CU_ASSERT_PTR_NOT_NULL_FATAL(find_answer());
    CU_ASSERT_EQUAL(find_answer()->data[1], 0x7E);
}

static void test_requests_over_iso_tp(void)
{
    static const uint8_t read[] = { 0x22, 0x20, 80, 0x30, 80 }, write[] = { 0x2E, 0x20, 80, 0, 0, 0, 77 };
    uint8_t answer[64];

    drive(48, 0, 0);
    CU_ASSERT_EQUAL(rig_ask(&r, write, sizeof(write), answer, sizeof(answer)), 3);
    CU_ASSERT_EQUAL(answer[0], 0x6E);
    CU_ASSERT_EQUAL(rig_ask(&r, read, sizeof(read), answer, sizeof(answer)), 13);
    CU_ASSERT_EQUAL(get_be32(answer + 3), 77);
    CU_ASSERT_EQUAL(get_be32(answer + 9), 50);
    rig_run(&r, 1000);
    CU_ASSERT_NOT_EQUAL(r.last.scalar[SAMPLE_param_running_hash], r.last.scalar[SAMPLE_param_stored_hash]);
}

static void test_read_of_64_parameters_over_iso_tp(void)
{
    uint8_t req[1 + 2 * UDS_DIDS_MAX] = { 0x22 }, answer[UDS_RESPONSE_MAX];

    drive(160, 0, 0);
    for (uint16_t i = 0; i < UDS_DIDS_MAX; i++)
        put_be16(req + 1 + 2 * i, (uint16_t)(0x2000 + param_rows[i].id));
    CU_ASSERT_EQUAL(rig_ask(&r, req, sizeof(req), answer, sizeof(answer)), UDS_READ_MAX);
    for (int i = 0; i < UDS_DIDS_MAX; i++)
        CU_ASSERT_EQUAL((int32_t)get_be32(answer + 3 + 6 * i), r.params[i]);
}

static void test_store_and_restart(void)
{
    static const uint8_t write[] = { 0x2E, 0x20, 80, 0, 0, 0, 77 }, store[] = { 0x31, 1, 2, 1 }, restart[] = { 0x11, 1 };
    uint8_t answer[64];
    struct can_frame f = { .id = CAN0_ISOTP_TO_BIU, .ext = true, .len = 8, .data = { 4, 0x31, 1, 2, 1 } };

    drive(48, 0, 0);
    rig_ask(&r, write, sizeof(write), answer, sizeof(answer));
    r.rx[r.rx_count++] = f;
    rig_step(&r);
    CU_ASSERT_PTR_NOT_NULL_FATAL(r.out.nvm_write);
    CU_ASSERT_EQUAL(r.out.nvm_write[PARAM_balance_start_mV], 77);
    rig_step(&r);
    CU_ASSERT_PTR_NULL(r.out.nvm_write); /* asked once */
    r.in.nvm = BIU_NVM_DONE;
    rig_step(&r);
    CU_ASSERT_EQUAL(r.biu.params.stored[PARAM_balance_start_mV], 77);
    r.in.nvm = BIU_NVM_DONE; /* a result that nobody waits for */
    rig_step(&r);
    CU_ASSERT_EQUAL(rig_ask(&r, store, 3, answer, sizeof(answer)), 3);

    CU_ASSERT_EQUAL(rig_ask(&r, restart, sizeof(restart), answer, sizeof(answer)), 2);
    CU_ASSERT_EQUAL(answer[0], 0x51);
    CU_ASSERT(r.out.restart); /* in the step that gave the answer out */
}

static void test_restart_parameter_waits_for_the_restart(void)
{
    static const uint8_t write[] = { 0x2E, 0x20, 1, 0, 0, 0, CHEMISTRY_LFP }, devices[] = { 0x2E, 0x20, 3, 0, 0, 0, 1 };
    uint8_t answer[64];

    drive(48, 0, 0);
    rig_ask(&r, write, sizeof(write), answer, sizeof(answer));
    rig_ask(&r, devices, sizeof(devices), answer, sizeof(answer));
    rig_run(&r, 1000);
    CU_ASSERT_EQUAL(r.last.cells, 48);
    CU_ASSERT_PTR_EQUAL(r.biu.soc.mean.model.p, &est_profile_nmc);
    CU_ASSERT_EQUAL(r.out.contactors, BIU_RELAY_DISCHARGE);
}

static void test_resend_over_can(void)
{
    static const uint8_t resend[] = { 0x31, 1, 2, 2, 0, 0, 0, 1 };
    uint8_t answer[64];
    unsigned ends[16] = { 0 };

    drive(48, 0, 0);
    rig_run(&r, 3500);
    r.seen_count = 0;
    CU_ASSERT_EQUAL(rig_ask(&r, resend, sizeof(resend), answer, sizeof(answer)), 12);
    CU_ASSERT_EQUAL(get_be32(answer + 4), 1);
    CU_ASSERT_EQUAL(get_be32(answer + 8), 5);
    rig_run(&r, 200);
    for (size_t i = 0; i < r.seen_count; i++)
        if (r.seen[i].id == CAN0_ID_FROM(CAN0_BIU_SampleEnd, CAN0_ADDR_BIU))
            ends[can0_get(&r.seen[i], CAN0_SIG_sample_no)]++;
    for (int no = 1; no <= 5; no++)
        CU_ASSERT_EQUAL(ends[no], 1);
}

static void test_no_room_holds_the_stream_back(void)
{
    drive(48, 0, 0);
    rig_run(&r, 50); /* the sample before is out */
    r.in.can_room = 0;
    rig_run(&r, 2000);
    r.seen_count = 0;
    r.in.can_room = BIU_CAN_TX_MAX;
    rig_run(&r, 50);
    CU_ASSERT_EQUAL(can0_get(&r.seen[r.seen_count - 1], CAN0_SIG_sample_no), (int32_t)r.biu.sampler.last_no);
    CU_ASSERT_EQUAL(r.seen_count, 2u * stream_frames(&r.biu.stream, &r.last)); /* two samples, none lost */
}

static void test_wake_forgets_what_was_measured(void)
{
    drive(48, 0, 0);
    r.in.now_ms += 8 * 3600 * 1000;
    biu_wake(&r.biu, r.in.now_ms);
    r.chain.chip[0].mute = true;
    r.chain.out_len = 0;
    rig_step(&r);
    CU_ASSERT_EQUAL(r.out.contactors, 0);
    CU_ASSERT_EQUAL(r.biu.alarms.active, 0); /* the night is not an age */
    rig_run(&r, 1000);
    CU_ASSERT_EQUAL(cell_validity(r.last.cell_mV[0]), VALIDITY_NEVER);
    CU_ASSERT_EQUAL(r.last.cell_mV[47], 3700);
    r.chain.chip[0].mute = false;
    rig_run(&r, 4000);
    CU_ASSERT_EQUAL(r.last.cell_mV[0], 3700);
    CU_ASSERT_EQUAL(r.out.contactors, BIU_RELAY_DISCHARGE);
}

static void test_impossible_pack_stays_open_and_can_be_mended(void)
{
    static const uint8_t write[] = { 0x2E, 0x20, 5, 0, 0, 0, 0 }, store[] = { 0x31, 1, 2, 1 };
    uint8_t answer[64];

    rig_init(&r, 48, 0);
    r.params[PARAM_bmu02_devices] = 1;
    CU_ASSERT_EQUAL(rig_start(&r), BMS_ERR_RANGE);
    CU_ASSERT_EQUAL(r.biu.topology_error, TOPOLOGY_BMU_GAP);
    r.in.inputs = BIU_INPUT_KEYON;
    rig_run(&r, 2000);
    CU_ASSERT_EQUAL(r.out.contactors, 0);
    CU_ASSERT_EQUAL(r.last.cells, 0);
    CU_ASSERT_EQUAL(r.last.scalar[SAMPLE_mode], PACK_MODE_FAULT);
    CU_ASSERT_EQUAL(rig_ask(&r, store, sizeof(store), answer, sizeof(answer)), 3);
    CU_ASSERT_EQUAL(answer[2], UDS_NRC_CONDITIONS);
    CU_ASSERT_EQUAL(rig_ask(&r, write, sizeof(write), answer, sizeof(answer)), 3);
    CU_ASSERT_EQUAL(answer[0], 0x6E);
}

static void test_ring_of_two_is_the_smallest(void)
{
    rig_init(&r, 48, 0);
    CU_ASSERT_EQUAL(biu_init(&r.biu, &(struct biu_config) { .params = r.params, .boot = 1, .ring = r.ring, .ring_size = 1 }, 0),
                    BMS_ERR_RANGE);
    CU_ASSERT_EQUAL(biu_init(&r.biu, &(struct biu_config) { .params = r.params, .boot = 1, .ring = r.ring, .ring_size = 2 }, 0),
                    BMS_ERR_OK);
    rig_run(&r, 5000);
    CU_ASSERT_EQUAL(r.last.no, 5);
}

static void test_clock_wrap_changes_nothing(void)
{
    static struct rig other;

    drive(48, UINT32_MAX - 2500, 0);
    rig_set_cell(&r, 9, 4300);
    rig_run(&r, 3000);
    other = r;
    drive(48, 0, 0);
    rig_set_cell(&r, 9, 4300);
    rig_run(&r, 3000);
    CU_ASSERT_EQUAL(r.samples, other.samples);
    CU_ASSERT(sample_is_equal(&r.last, &other.last));
    CU_ASSERT_EQUAL(r.seen_count, other.seen_count);
    CU_ASSERT_EQUAL(memcmp(r.seen, other.seen, sizeof(r.seen)), 0);
}

static void test_same_inputs_give_the_same_outputs(void)
{
    static struct can_frame first[RIG_FRAMES];
    size_t n = 0;

    for (int pass = 0; pass < 2; pass++) {
        drive(90, 1234, 0);
        r.chain.chip[3].spoil_crc = true;
        rig_run(&r, 500);
        r.chain.chip[3].spoil_crc = false;
        rig_run(&r, 2500);
        if (pass == 0) {
            n = r.seen_count;
            memcpy(first, r.seen, sizeof(first));
        }
    }
    CU_ASSERT_EQUAL(n, r.seen_count);
    CU_ASSERT_EQUAL(memcmp(first, r.seen, sizeof(first)), 0);
}

/* No globals: a thousand BIUs with voltages of their own, stepped in turn. */
static void test_a_thousand_in_one_process(void)
{
    enum { MANY = 1000 };
    struct rig *many = calloc(MANY, sizeof(*many));

    CU_ASSERT_PTR_NOT_NULL_FATAL(many);
    for (int i = 0; i < MANY; i++) {
        rig_init(&many[i], PACK_CELLS_MIN + i % 157, (uint32_t)i * 7919u);
        rig_start(&many[i]);
        rig_set_cell(&many[i], 3, 3500 + i % 300);
    }
    for (int t = 0; t < 105; t++)
        for (int i = 0; i < MANY; i++)
            rig_step(&many[i]);
    for (int i = 0; i < MANY; i++) {
        CU_ASSERT_EQUAL(many[i].last.cell_mV[2], 3500 + i % 300);
        CU_ASSERT_EQUAL(many[i].last.cell_mV[0], 3700);
    }
    free(many);
}

int main(void)
{
    CU_TestInfo tests[] = {
        { "4 to 160 cells are measured and streamed [PK-2] [FL-1]", test_measures_and_streams },
        { "a cell beyond its limit opens the contactors within 300 ms and is named [AC-6]", test_cell_voltage_opens_within_300_ms },
        { "one short of the limit opens nothing [AC-6]", test_one_short_of_the_limit_opens_nothing },
        { "a silent AFE chip opens within 300 ms and is named [ME-12]", test_silent_chip_opens_within_300_ms },
        { "a silent or stuck current sensor opens within 300 ms [ME-5]", test_silent_current_sensor_opens_within_300_ms },
        { "an open tap opens within 300 ms and names the cell [ME-12]", test_open_tap_opens_within_300_ms },
        { "an alarm is sampled at once, with the cell and the value [AC-6]", test_alarm_is_sampled_at_once },
        { "nothing closes before all is measured", test_nothing_closes_before_all_is_measured },
        { "a charger closes RL3 [AC-1] [AC-8]", test_charger_closes_rl3 },
        { "parked exactly after parked_after_ms [AC-8]", test_parked_after_the_time_of_the_parameter },
        { "balances while charging, not while an alarm asks for less power [AC-4]", test_balances_while_charging_and_not_with_an_alarm },
        { "SYNC takes a sample now and moves no schedule", test_sync_takes_a_sample_now },
        { "a board without a clock takes the DTU's", test_board_without_a_clock_takes_the_dtu_s },
        { "bad CAN frames are counted and change nothing", test_bad_can_frames_are_counted_and_nothing_else },
        { "current and clock count from their own senders alone", test_current_and_clock_count_from_their_senders_alone },
        { "a request during a store waits for its answer", test_request_during_a_store_waits },
        { "parameters are read and calibrated over ISO-TP [UC-5] [TA-1]", test_requests_over_iso_tp },
        { "64 parameters are read at once over ISO-TP [UC-3]", test_read_of_64_parameters_over_iso_tp },
        { "flash stores, restart answers first [UC-5]", test_store_and_restart },
        { "a restart parameter waits for the restart", test_restart_parameter_waits_for_the_restart },
        { "a resend gives every sample of the ring again, in order", test_resend_over_can },
        { "no room on the bus holds the stream back and loses nothing", test_no_room_holds_the_stream_back },
        { "a wake forgets what was measured [AC-8]", test_wake_forgets_what_was_measured },
        { "an impossible pack stays open and can be mended [PK-2]", test_impossible_pack_stays_open_and_can_be_mended },
        { "a ring of two samples is the smallest", test_ring_of_two_is_the_smallest },
        { "a clock that wraps changes nothing", test_clock_wrap_changes_nothing },
        { "the same inputs give the same outputs", test_same_inputs_give_the_same_outputs },
        { "a thousand in one process do not know each other", test_a_thousand_in_one_process },
        CU_TEST_INFO_NULL,
    };

    return suite_run("biu", tests);
}
