/* SPDX-License-Identifier: Apache-2.0 */
/* The whole board on the simulated world: what is wrong outside is found, and named, in the sample. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/err.h"
#include "firmware/core/measure/afe_faults.h"
#include "proto/can0.h"
#include "sim/board.h"
#include "tests/unit/suite.h"

enum { CELLS = 40 }; /* three chips: 14, 13 and 13 cells */

static struct world w;
static struct board b;
static struct can_bus bus;
static struct sample last;
static uint8_t memory[NVM_SIZE];
static uint64_t utc_ms;
static int samples;

static int memory_read(void *ctx, size_t offset, uint8_t *buf, size_t n)
{
    (void)ctx;
    memcpy(buf, memory + offset, n);
    return BMS_ERR_OK;
}

static int memory_write(void *ctx, size_t offset, const uint8_t *data, size_t n)
{
    (void)ctx;
    memcpy(memory + offset, data, n);
    return BMS_ERR_OK;
}

static const struct nvm_port nvm = { .size = NVM_SIZE, .read = memory_read, .write = memory_write };

static void live(int ms)
{
    for (; ms > 0; ms -= WORLD_STEP_MS) {
        struct can_frame f;

        world_step(&w);
        if (csu_step(&w.csu, w.current_A, &f))
            can_bus_send(&bus, CAN_BUS_NODES_MAX, &f);
        utc_ms += WORLD_STEP_MS;
        const struct sample *s = board_step(&b, utc_ms);

        if (s) {
            last = *s;
            samples++;
        }
    }
}

static void start(int cells)
{
    struct wiring t;
    int32_t factory[PARAMS];

    memset(memory, 0xFF, sizeof(memory));
    bus = (struct can_bus) { 0 };
    utc_ms = 1700000000000;
    samples = 0;
    CU_ASSERT_EQUAL_FATAL(wiring_init(&t, cells, 0), BMS_ERR_OK);
    wiring_params(&t, CHEMISTRY_NMC, factory);
    factory[PARAM_sample_period_ms] = 100;
    world_init(&w, &t, 0.2, 5);
    for (int i = 0; i < cells; i++)
        world_set_cell(&w, i, 3600 + i);
    for (int i = 0; i < t.chips * AFE_TEMPS; i++)
        world_set_probe(&w, i / AFE_TEMPS, i % AFE_TEMPS, 20 + i);
    world_set_pack_V(&w, 3.62 * cells);
    w.current_A = 12.5;
    w.inputs.inputs |= BIU_INPUT_KEYON;
    CU_ASSERT_EQUAL_FATAL(board_init(&b, &w, &bus, &nvm, factory, utc_ms, NULL), BMS_ERR_OK);
    live(2000);
}

/* The alarm `row` for this number is active in the last sample. */
static bool tells(enum alarm row, int number)
{
    for (int i = 0; i < last.alarms; i++) {
        if (last.alarm[i].alarm == alarm_rows[row].id && last.alarm[i].number == number)
            return true;
    }
    return false;
}

static void test_a_healthy_pack_is_measured_as_it_is(void)
{
    start(CELLS);
    CU_ASSERT_EQUAL(last.cells, CELLS);
    CU_ASSERT_EQUAL(last.temps, 12);
    CU_ASSERT_EQUAL(last.alarms, 0);
    CU_ASSERT_EQUAL(last.utc_ms, utc_ms);
    for (int i = 0; i < CELLS; i++)
        CU_ASSERT_TRUE(last.cell_mV[i] >= 3598 + i && last.cell_mV[i] <= 3602 + i);
    for (int i = 0; i < 12; i++)
        CU_ASSERT_TRUE(last.temp_ddegC[i] >= 198 + 10 * i && last.temp_ddegC[i] <= 202 + 10 * i);
    CU_ASSERT_EQUAL(last.scalar[SAMPLE_pack_current_mA], 12500);
    CU_ASSERT_EQUAL(last.scalar[SAMPLE_pack_voltage_mV], 144800);
    CU_ASSERT_EQUAL(last.scalar[SAMPLE_link_voltage_mV], 144800);
    CU_ASSERT_EQUAL(last.scalar[SAMPLE_contactors_feedback], BIU_RELAY_DISCHARGE);
    CU_ASSERT_EQUAL(last.scalar[SAMPLE_mode], PACK_MODE_DRIVING);
}

static void test_a_broken_link_names_the_first_silent_chip(void)
{
    for (int link = 0; link < 3; link++) {
        start(CELLS);
        w.chain.broken_link = link;
        live(1000);
        CU_ASSERT_TRUE(tells(ALARM_afe_silent, link + 1));
        CU_ASSERT_EQUAL(last.scalar[SAMPLE_contactors_feedback], 0);
        for (int i = 0; i < CELLS; i++) {
            int chip = i < 14 ? 0 : i < 27 ? 1 : 2;

            CU_ASSERT_EQUAL(cell_validity(last.cell_mV[i]), chip < link ? VALIDITY_OK : VALIDITY_STALE);
        }
        w.chain.broken_link = AFE_LINK_WHOLE;
        live(4000);
        CU_ASSERT_FALSE(tells(ALARM_afe_silent, link + 1));
        CU_ASSERT_EQUAL(cell_validity(last.cell_mV[CELLS - 1]), VALIDITY_OK);
    }
}

static void test_an_open_sense_wire_names_the_cell(void)
{
    for (int tap = 1; tap < 13; tap++) {
        start(CELLS);
        w.chain.chip[1].faults.open_taps = 1u << tap; /* between cells 14 + tap and 15 + tap of the pack */
        live(1000);
        bool below = tells(ALARM_cell_tap_open, 14 + tap), above = tells(ALARM_cell_tap_open, 15 + tap);

        CU_ASSERT_TRUE(below || above);
        CU_ASSERT_EQUAL(last.scalar[SAMPLE_contactors_feedback], 0);
        CU_ASSERT_EQUAL(cell_validity(last.cell_mV[0]), VALIDITY_OK);
    }
}

static void test_a_chip_that_resets_comes_back(void)
{
    for (int chip = 0; chip < 3; chip++) {
        start(CELLS);
        uint16_t before = last.cell_mV[39];

        chip_reset(&w.chain.chip[chip]);
        live(2000);
        CU_ASSERT_TRUE(w.chain.chip[chip].addressed);
        for (int i = 0; i < CELLS; i++)
            CU_ASSERT_EQUAL(cell_validity(last.cell_mV[i]), VALIDITY_OK);
        CU_ASSERT_TRUE(last.cell_mV[39] >= before - 2 && last.cell_mV[39] <= before + 2);
    }
}

static void test_bad_checksums_are_counted_and_never_believed(void)
{
    start(CELLS);
    w.chain.bad_crc_permille = 50;
    for (int i = 0; i < 200; i++) {
        live(100);
        for (int k = 0; k < CELLS; k++)
            CU_ASSERT_TRUE(last.cell_mV[k] >= 3598 + k && last.cell_mV[k] <= 3602 + k);
    }
    CU_ASSERT_TRUE(last.scalar[SAMPLE_afe_errors] > 50);
    CU_ASSERT_EQUAL(last.alarms, 0);
}

static void test_a_silent_current_sensor_is_an_alarm_and_no_zero(void)
{
    start(CELLS);
    w.csu.silent = true;
    live(1000);
    CU_ASSERT_TRUE(tells(ALARM_current_sensor_silent, 0));
    CU_ASSERT_EQUAL(scalar_validity(last.scalar[SAMPLE_pack_current_mA]), VALIDITY_STALE);
    CU_ASSERT_EQUAL(last.scalar[SAMPLE_contactors_feedback], 0);
    start(CELLS);
    w.csu.bad_crc = true;
    live(1000);
    CU_ASSERT_TRUE(tells(ALARM_current_sensor_silent, 0));
    CU_ASSERT_TRUE(last.scalar[SAMPLE_can_errors] >= 90);
}

static void test_an_over_voltage_names_the_cell_and_opens(void)
{
    static const int cells[] = { 1, 14, 15, 27, 28, 40 };

    for (size_t i = 0; i < sizeof(cells) / sizeof(cells[0]); i++) {
        start(CELLS);
        world_set_cell(&w, cells[i] - 1, 4300);
        live(300);
        CU_ASSERT_TRUE(tells(ALARM_cell_over_voltage, cells[i]));
        CU_ASSERT_EQUAL(w.contactors.closed, 0);
        CU_ASSERT_EQUAL(last.scalar[SAMPLE_alarm_level], ALARM_MAJOR);
    }
}

static void test_a_restart_counts_and_keeps_what_is_stored(void)
{
    struct can_frame f = { .id = CAN0_ISOTP_TO_BIU, .ext = true, .len = 8, .data = { 2, 0x11, 1 } };

    start(CELLS);
    uint32_t boot = last.boot;

    can_bus_send(&bus, CAN_BUS_NODES_MAX, &f);
    live(3000);
    CU_ASSERT_EQUAL(b.restarts, 1);
    CU_ASSERT_EQUAL(last.boot, boot + 1);
    CU_ASSERT_TRUE(last.no < 31);
    CU_ASSERT_EQUAL(last.alarms, 0);
    CU_ASSERT_EQUAL(cell_validity(last.cell_mV[39]), VALIDITY_OK);
}

static void test_the_same_world_gives_the_same_samples(void)
{
    start(CELLS);
    live(5000);
    struct sample first = last;
    int n = samples;

    start(CELLS);
    live(5000);
    CU_ASSERT_EQUAL(samples, n);
    CU_ASSERT_TRUE(sample_is_equal(&first, &last));
}

static void test_after_a_sleep_everything_is_measured_afresh(void)
{
    start(CELLS);
    world_set_cell(&w, 0, 3333);
    board_sleep(&b, 3600000);
    live(400);
    CU_ASSERT_TRUE(last.cell_mV[0] >= 3331 && last.cell_mV[0] <= 3335);
    CU_ASSERT_EQUAL(last.scalar[SAMPLE_pack_current_mA], 12500);
}

static bool has(const char *alarm)
{
    for (int i = 0; i < last.alarms; i++)
        if (strcmp(alarm_rows[alarm_by_id(last.alarm[i].alarm)].name, alarm) == 0)
            return true;
    return false;
}

static void test_a_leak_is_measured_at_its_rail(void)
{
    start(96); /* 350 V */
    live(6000);
    CU_ASSERT(abs(last.scalar[SAMPLE_insulation_kohm] - 2400) <= 24);
    w.senses.neg_kohm = 30;
    live(7000);
    CU_ASSERT(abs(last.scalar[SAMPLE_insulation_neg_kohm] - 30) <= 1);
    CU_ASSERT(abs(last.scalar[SAMPLE_insulation_pos_kohm] - 2400) <= 48);
    CU_ASSERT_EQUAL(last.scalar[SAMPLE_insulation_kohm], last.scalar[SAMPLE_insulation_neg_kohm]);
    CU_ASSERT(last.scalar[SAMPLE_insulation_ohm_per_V] > 75 && last.scalar[SAMPLE_insulation_ohm_per_V] < 95);
    CU_ASSERT(has("insulation"));
}

static void test_the_inputs_of_the_board_are_in_the_sample(void)
{
    start(CELLS);
    w.inputs.inputs = BIU_INPUT_ACC | BIU_INPUT_HIGH;
    w.senses.analog_V[0] = 1.234;
    w.senses.analog_V[2] = 30;
    w.senses.inlet_C[0] = 61;
    w.senses.inlet_C[1] = -12.5;
    live(500);
    CU_ASSERT_EQUAL(last.scalar[SAMPLE_inputs], 3);
    CU_ASSERT_EQUAL(last.scalar[SAMPLE_analog_1_mV], 1234);
    CU_ASSERT_EQUAL(last.scalar[SAMPLE_analog_2_mV], 0);
    CU_ASSERT_EQUAL(last.scalar[SAMPLE_analog_3_mV], 30000);
    CU_ASSERT(abs(last.scalar[SAMPLE_inlet_1_ddegC] - 610) <= 1);
    CU_ASSERT(abs(last.scalar[SAMPLE_inlet_2_ddegC] + 125) <= 1);
    CU_ASSERT_EQUAL(last.scalar[SAMPLE_hvil_closed], 1);
}

static void test_an_open_interlock_is_told(void)
{
    start(CELLS);
    live(500);
    CU_ASSERT_FALSE(has("hvil_open"));
    w.senses.hvil_closed = false;
    live(200);
    CU_ASSERT(has("hvil_open"));
    CU_ASSERT_EQUAL(last.scalar[SAMPLE_hvil_closed], 0);
}

/* While its chip's other cells move, a reading that does not is found and named. */
static void test_a_stuck_reading_names_the_cell(void)
{
    start(CELLS);
    live(500);
    w.chain.chip[1].faults.stuck_cells = 1 << 4;
    for (int i = 0; i < 100; i++) {
        for (int k = 0; k < CELLS; k++)
            world_set_cell(&w, k, 3600 - i);
        live(50);
    }
    CU_ASSERT(has("cell_tap_open"));
    CU_ASSERT_EQUAL(cell_validity(last.cell_mV[14 + 4]), VALIDITY_IMPLAUSIBLE);
    CU_ASSERT_EQUAL(b.app.biu.alarms.row[ALARM_cell_tap_open].raised.number, 14 + 5);
    for (int k = 0; k < CELLS; k++)
        CU_ASSERT(k == 18 || cell_validity(last.cell_mV[k]) == VALIDITY_OK);
}

static bool unit_fails(int unit)
{
    return last.scalar[SAMPLE_self_check] >> unit & 1;
}

static void test_a_board_that_is_not_well_says_so(void)
{
    start(CELLS);
    CU_ASSERT_EQUAL(last.scalar[SAMPLE_self_check], 0);
    CU_ASSERT_EQUAL(last.scalar[SAMPLE_slot_overruns], 0);
    CU_ASSERT(b.app.self.ram_passes > 1 && b.app.self.flash_passes > 1); /* running, too */
    w.board.flash_bit = true;
    live(500);
    CU_ASSERT(unit_fails(SELF_flash));
    CU_ASSERT(has("unit_failed"));
    start(CELLS);
    w.board.ram_bit = true;
    live(500);
    CU_ASSERT(unit_fails(SELF_ram));
    start(CELLS);
    w.board.late = true;
    live(100);
    CU_ASSERT(unit_fails(SELF_slots));
    CU_ASSERT(last.scalar[SAMPLE_slot_overruns] > 0);
    CU_ASSERT(has("unit_degraded_warning"));
    start(CELLS);
    w.board.clock_ppm = 30000;
    live(100);
    CU_ASSERT(unit_fails(SELF_clock));
}

/* What is broken before the start is found before the first step. */
static void test_power_on_finds_what_is_broken(void)
{
    start(CELLS);
    w.board.flash_bit = true;
    w.board.watchdog = true;
    (void)biu_app_init(&b.app, &b.ports, b.factory, b.ring, BOARD_RING);
    CU_ASSERT(b.app.self.flash_bad);
    live(500);
    CU_ASSERT(unit_fails(SELF_reset));
    CU_ASSERT(unit_fails(SELF_flash));
    CU_ASSERT_EQUAL(b.app.out.contactors, 0);
}

static struct afe_fault faults[AFE_FAULTS_MAX];

static size_t find_faults(void)
{
    const struct biu *biu = &b.app.biu;

    return afe_faults_of(&biu->afe, &biu->measure, (uint32_t)biu->params.running[PARAM_afe_silent_limit], faults, AFE_FAULTS_MAX);
}

static void check_fault(enum afe_fault_kind kind, unsigned board, unsigned chip, unsigned cell)
{
    CU_ASSERT_EQUAL(faults[0].kind, kind);
    CU_ASSERT_EQUAL(faults[0].at.board, board);
    CU_ASSERT_EQUAL(faults[0].at.chip, chip);
    CU_ASSERT_EQUAL(faults[0].cell, cell);
}

/* 80 cells: a BIU of three chips and a BMU of two, 16 cells each. */
static void test_chain_faults_are_named_with_board_chip_and_cell(void)
{
    start(80);
    CU_ASSERT_EQUAL(find_faults(), 0);
    w.chain.broken_link = 4;
    live(600);
    CU_ASSERT_EQUAL(find_faults(), 1);
    check_fault(AFE_FAULT_LINK, 1, 2, 0);
    CU_ASSERT(faults[0].near.board == 1 && faults[0].near.chip == 1);
    w.chain.broken_link = 3;
    live(600);
    CU_ASSERT_EQUAL(find_faults(), 1);
    check_fault(AFE_FAULT_LINK, 1, 1, 0);
    CU_ASSERT(faults[0].near.board == 0 && faults[0].near.chip == 3);
    w.chain.broken_link = 0;
    live(600);
    CU_ASSERT_EQUAL(find_faults(), 1);
    check_fault(AFE_FAULT_LINK, 0, 1, 0);
    CU_ASSERT(faults[0].near.board == 0 && faults[0].near.chip == 0);
    w.chain.broken_link = AFE_LINK_WHOLE;
    live(1200);
    CU_ASSERT_EQUAL(find_faults(), 0); /* mended, not reset */
    start(80);
    w.chain.chip[3].faults.open_taps = 1 << 16;
    world_set_cell(&w, 63, 0);
    live(300);
    CU_ASSERT_EQUAL(find_faults(), 1);
    check_fault(AFE_FAULT_WIRE, 1, 1, 64);
    start(80);
    chip_reset(&w.chain.chip[4]);
    live(300);
    CU_ASSERT_EQUAL(find_faults(), 1);
    check_fault(AFE_FAULT_RESET, 1, 2, 0);
    live(AFE_FAULT_RECENT_MS + 300);
    CU_ASSERT_EQUAL(find_faults(), 0);
    start(80);
    w.chain.chip[2].faults.bad_crc = true;
    live(100);
    CU_ASSERT_EQUAL(find_faults(), 1);
    check_fault(AFE_FAULT_CRC, 0, 3, 0);
    start(80);
    w.chain.chip[1].faults.stuck_cells = 1 << 4;
    for (int i = 0; i < 100; i++) {
        for (int k = 0; k < 80; k++)
            world_set_cell(&w, k, 3600 - i);
        live(50);
    }
    CU_ASSERT_EQUAL(find_faults(), 1);
    check_fault(AFE_FAULT_STUCK, 0, 2, 21);
}

int main(void)
{
    static CU_TestInfo tests[] = {
        { "a healthy pack is measured as it is [ME-1] [ME-2] [ME-4] [ME-5]", test_a_healthy_pack_is_measured_as_it_is },
        { "a broken link names the first silent chip [ME-12]", test_a_broken_link_names_the_first_silent_chip },
        { "an open sense wire names the cell [ME-12]", test_an_open_sense_wire_names_the_cell },
        { "a chip that resets comes back", test_a_chip_that_resets_comes_back },
        { "bad checksums are counted and never believed [ME-12]", test_bad_checksums_are_counted_and_never_believed },
        { "a silent current sensor is an alarm and no zero [ME-5]", test_a_silent_current_sensor_is_an_alarm_and_no_zero },
        { "an over-voltage names the cell and opens [AC-6]", test_an_over_voltage_names_the_cell_and_opens },
        { "a leak is measured at its rail, through the bridge [ME-6]", test_a_leak_is_measured_at_its_rail },
        { "digital, analog and temperature inputs are in the sample [ME-3] [ME-9] [ME-10]",
          test_the_inputs_of_the_board_are_in_the_sample },
        { "an open interlock is told [AC-6]", test_an_open_interlock_is_told },
        { "a stuck reading names the cell [ME-12]", test_a_stuck_reading_names_the_cell },
        { "a board that is not well says so, unit by unit [ME-13]", test_a_board_that_is_not_well_says_so },
        { "power-on finds what is broken [ME-13]", test_power_on_finds_what_is_broken },
        { "chain faults are named with board, chip and cell; a link from both ends [ME-12]",
          test_chain_faults_are_named_with_board_chip_and_cell },
        { "a restart counts and keeps what is stored", test_a_restart_counts_and_keeps_what_is_stored },
        { "the same world gives the same samples", test_the_same_world_gives_the_same_samples },
        { "after a sleep everything is measured afresh", test_after_a_sleep_everything_is_measured_afresh },
        CU_TEST_INFO_NULL,
    };
    return suite_run("board", tests);
}
