/* SPDX-License-Identifier: Apache-2.0 */
/* Vehicle and charger obey the board: whole charges and drives of every chemistry, the board in the loop. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "common/err.h"
#include "sim/board.h"
#include "sim/dc_charger.h"
#include "sim/model.h"
#include "tests/unit/suite.h"

enum { CELLS = 8, HOUR_STEPS = 360000 };

static struct world w;
static struct board b;
static struct can_bus bus, can2;
static struct dc_charger dc;
static bool fast; /* the charger is a post on CAN2 */
static struct model m;
static uint8_t memory[NVM_SIZE];
static uint64_t utc_ms;

static struct {
    double over_A;   /* the most that flowed beyond the limit of the step before */
    double most_A;   /* the largest limit of discharging */
    unsigned alarms; /* worst level */
    bool derated;
} seen;

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

static void start(enum chemistry chemistry, enum scenario scenario, double soc)
{
    struct wiring t;
    int32_t factory[PARAMS];

    memset(memory, 0xFF, sizeof(memory));
    memset(&seen, 0, sizeof(seen));
    bus = can2 = (struct can_bus) { 0 };
    fast = false;
    utc_ms = 1700000000000;
    CU_ASSERT_EQUAL_FATAL(wiring_init(&t, CELLS, 0), BMS_ERR_OK);
    wiring_params(&t, chemistry, factory);
    world_init(&w, &t, 0.2, 5);
    model_init(&m, scenario, chemistry, param_rows[PARAM_capacity_mAh].dflt[chemistry], CELLS, 11);
    for (int i = 0; i < CELLS; i++)
        m.cells.cell[i].soc = soc;
    CU_ASSERT_EQUAL_FATAL(board_init(&b, &w, &bus, &nvm, factory, utc_ms, NULL), BMS_ERR_OK);
}

static void step(void)
{
    struct world_told told = w.told;
    struct can_frame f;

    if (fast) { /* as drive.c */
        dc.plugged = dc.started = m.phase == MODEL_CHARGE;
        m.fast_A = dc_charger_step(&dc, &w);
        m.fast_gives_A = -dc.gbt.output_mA / 1000.0;
        m.fast_over = dc.gbt.phase == CHARGER_DONE;
    }
    model_step(&m, &w);
    double over_A = w.current_A > 0 ? w.current_A - told.discharge_A : -w.current_A - told.charge_A;

    seen.over_A = fmax(seen.over_A, over_A);
    seen.most_A = fmax(seen.most_A, isinf(told.discharge_A) ? 0 : told.discharge_A);
    world_step(&w);
    if (csu_step(&w.csu, w.current_A, &f))
        can_bus_send(&bus, CAN_BUS_NODES_MAX, &f);
    utc_ms += WORLD_STEP_MS;
    (void)board_step(&b, utc_ms);
    if (b.app.biu.alarms.level > seen.alarms)
        seen.alarms = b.app.biu.alarms.level;
    seen.derated = seen.derated || b.app.biu.alarms.derate;
}

static void test_a_charge_ends_full_without_an_alarm(void)
{
    static const double from[CHEMISTRIES] = { 0.80, 0.90, 0.90, 0.60 };

    for (int c = 0; c < CHEMISTRIES; c++) {
        int steps = 0;

        start((enum chemistry)c, SCENARIO_CHARGE, from[c]);
        while (m.phase == MODEL_CHARGE && steps++ < 3 * HOUR_STEPS)
            step();
        printf("(%s %d min, %.3f V, level %u) ", chemistry_word(c), steps / 6000, cells_highest_V(&m.cells), seen.alarms);
        CU_ASSERT_EQUAL(m.phase, MODEL_REST_FULL);
        CU_ASSERT(steps < 3 * HOUR_STEPS);
        CU_ASSERT(b.app.biu.charge.end == CHARGE_END_FULL || b.app.biu.charge.end == CHARGE_END_UNPLUGGED); /* the charger was first */
        CU_ASSERT(cells_highest_V(&m.cells) > m.cells.type.max_V - 0.005);
        CU_ASSERT(seen.over_A < 0.001);
        CU_ASSERT_EQUAL(seen.alarms, ALARM_NONE);
        CU_ASSERT(cells_highest_V(&m.cells) * 1000 < param_rows[PARAM_cell_over_voltage_warning_limit].dflt[c]);
        for (int i = 0; i < 500; i++) /* the plug is pulled, RL3 opens */
            step();
        CU_ASSERT_EQUAL(w.contactors.closed, 0);
    }
}

static void test_a_drive_keeps_the_limits(void)
{
    for (int c = 0; c < CHEMISTRIES; c++) {
        start((enum chemistry)c, SCENARIO_DRIVE, 0.60);
        for (int i = 0; i < HOUR_STEPS / 6; i++)
            step();
        CU_ASSERT(seen.over_A < 0.001);
        CU_ASSERT(seen.most_A > 0);
        CU_ASSERT(seen.alarms < ALARM_MAJOR);
    }
}

/* A probe says 55 degC: the tier that asks for less power halves what the temperature has left, and the vehicle takes no more. */
static void test_less_power_is_obeyed(void)
{
    start(CHEMISTRY_NMC, SCENARIO_DRIVE, 0.60);
    for (int i = 0; i < 3000; i++)
        step();
    double before_A = w.told.discharge_A;

    CU_ASSERT(before_A > 150);
    for (int i = 0; i < 6000; i++) {
        model_step(&m, &w);
        world_set_probe(&w, 0, 1, 55);
        double over_A = w.current_A - w.told.discharge_A;
        struct can_frame f;

        CU_ASSERT(over_A < 0.001);
        world_step(&w);
        if (csu_step(&w.csu, w.current_A, &f))
            can_bus_send(&bus, CAN_BUS_NODES_MAX, &f);
        (void)board_step(&b, utc_ms += WORLD_STEP_MS);
    }
    CU_ASSERT(b.app.out.less_power);
    CU_ASSERT(w.told.discharge_A > 60 && w.told.discharge_A < before_A / 2);
}

static void soak_and_start(enum chemistry chemistry, double ambient_C)
{
    start(chemistry, SCENARIO_CHARGE, 0.5);
    model_soak(&m, ambient_C);
}

/* What a charge in the cold does until a current flows, or for so long. Returns the minutes. */
static double minutes_until_it_charges(int most_min, bool *heated, double *coldest_C)
{
    int i = 0;

    *heated = false;
    for (; i < most_min * 6000 && !(w.current_A < -1); i++) {
        *coldest_C = cells_coldest_C(&m.cells);
        step();
        *heated = *heated || (w.contactors.closed & BIU_RELAY_HEATING);
        if (w.contactors.closed & BIU_RELAY_HEATING)
            CU_ASSERT_FALSE_FATAL(w.contactors.closed & (BIU_RELAY_CHARGE | BIU_RELAY_DISCHARGE));
    }
    return i / 6000.0;
}

/* End to end: cold cells, RL4, warm cells, RL3; no alarm, and never a current into cold cells. */
static void test_a_cold_pack_heats_itself_before_it_charges(void)
{
    bool heated;
    double coldest_C = 99;

    soak_and_start(CHEMISTRY_NMC, -15);
    double minutes = minutes_until_it_charges(90, &heated, &coldest_C);

    printf("(%.1f min to %.1f degC) ", minutes, coldest_C);
    CU_ASSERT(heated && minutes > 5 && minutes < 60);
    CU_ASSERT(coldest_C * 10 > param_rows[PARAM_heat_on_ddegC].dflt[CHEMISTRY_NMC] && w.current_A < -1);
    CU_ASSERT_EQUAL(w.contactors.closed, BIU_RELAY_CHARGE);
    CU_ASSERT_EQUAL(b.app.biu.outputs.wear[0].closed, 1);
    CU_ASSERT(seen.alarms < ALARM_MAJOR);
    for (int i = 0; i < 6000; i++)
        step();
    CU_ASSERT(m.cells.heater_W <= 0);
}

/* The same with a post: it feeds the heater within its session, RL3 open, and then charges. */
static void test_a_post_feeds_the_heater_before_it_charges(void)
{
    bool heated;
    double coldest_C = 99;

    soak_and_start(CHEMISTRY_NMC, -15);
    CU_ASSERT_EQUAL_FATAL(board_wire(&b, BOARD_CAN2, &can2), BMS_ERR_OK);
    CU_ASSERT_EQUAL_FATAL(dc_charger_init(&dc, &can2, &dc_charger_usual), BMS_ERR_OK);
    fast = m.fast = true;
    double minutes = minutes_until_it_charges(90, &heated, &coldest_C);

    printf("(%.1f min to %.1f degC) ", minutes, coldest_C);
    CU_ASSERT(heated && minutes > 5 && minutes < 60);
    CU_ASSERT(coldest_C * 10 > param_rows[PARAM_heat_on_ddegC].dflt[CHEMISTRY_NMC] && w.current_A < -1);
    CU_ASSERT(seen.alarms < ALARM_MAJOR);
    for (int i = 0; i < 6000; i++)
        step();
    CU_ASSERT(m.cells.heater_W <= 0 && w.current_A < -10);
    CU_ASSERT_EQUAL(dc.gbt.phase, CHARGER_CHARGING);
}

static void test_a_warm_pack_does_not_heat(void)
{
    bool heated;
    double coldest_C = 99;

    soak_and_start(CHEMISTRY_NMC, 10);
    CU_ASSERT(minutes_until_it_charges(5, &heated, &coldest_C) < 1);
    CU_ASSERT_FALSE(heated);
}

/* A heater that warms nothing, for its wire is off: the charge ends cold after its time, RL3 never closes. */
static void test_a_heater_that_does_not_heat_ends_the_charge(void)
{
    soak_and_start(CHEMISTRY_NMC, -15);
    b.app.biu.params.running[PARAM_heat_max_min] = 2;
    for (int i = 0; i < 5 * 6000; i++) {
        step();
        CU_ASSERT_FALSE_FATAL(w.contactors.closed & BIU_RELAY_CHARGE);
        for (int k = 0; k < CELLS; k++)
            m.cells.cell[k].temp_C = -15;
    }
    CU_ASSERT_EQUAL(b.app.biu.charge.end, CHARGE_END_COLD);
    CU_ASSERT_EQUAL(w.contactors.closed, 0);
}

int main(void)
{
    CU_TestInfo tests[] = {
        { "a charge of every chemistry ends full, without an alarm, within what the board asks for [AC-3] [PK-4]",
          test_a_charge_ends_full_without_an_alarm },
        { "a drive keeps the limits that the board tells [ES-3]", test_a_drive_keeps_the_limits },
        { "less power is obeyed [AC-6]", test_less_power_is_obeyed },
        { "a cold pack heats itself before it charges, end to end [AC-5]", test_a_cold_pack_heats_itself_before_it_charges },
        { "a post feeds the heater before it charges, end to end [AC-5]", test_a_post_feeds_the_heater_before_it_charges },
        { "a warm pack does not heat [AC-5]", test_a_warm_pack_does_not_heat },
        { "a heater that does not heat ends the charge, and nothing flows into cold cells [AC-5]",
          test_a_heater_that_does_not_heat_ends_the_charge },
        CU_TEST_INFO_NULL,
    };

    return suite_run("obey", tests);
}
