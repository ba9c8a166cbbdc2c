/* SPDX-License-Identifier: Apache-2.0 */
#include <math.h>

#include "common/err.h"
#include "firmware/core/biu/biu_io.h"
#include "proto/can0.h"
#include "sim/model.h"
#include "sim/world.h"
#include "tests/unit/suite.h"

static struct world w;
static struct model m;

static void test_every_number_of_cells_is_wired_as_the_boards_are(void)
{
    struct wiring t;
    int32_t values[PARAMS];

    for (int cells = PACK_CELLS_MIN; cells <= PACK_CELLS_MAX; cells++) {
        int sum = 0, chips = 0;

        CU_ASSERT_EQUAL_FATAL(wiring_init(&t, cells, 0), BMS_ERR_OK);
        wiring_params(&t, CHEMISTRY_LFP, values);
        for (int i = 0; i < AFE_DEVICES_MAX; i++) {
            int32_t n = values[PARAM_afe01_cells + i];

            sum += n;
            CU_ASSERT_TRUE(n == 0 || n >= (t.chips == 1 ? 4 : 6));
        }
        for (int i = 0; i <= BMU_COUNT_MAX; i++)
            chips += values[PARAM_biu_devices + i];
        CU_ASSERT_EQUAL(sum, cells);
        CU_ASSERT_EQUAL(chips, t.chips);
        for (int i = 0; i < PARAMS; i++)
            CU_ASSERT_TRUE(values[i] >= param_rows[i].min && values[i] <= param_rows[i].max);
    }
    CU_ASSERT_EQUAL(wiring_init(&t, PACK_CELLS_MIN - 1, 0), BMS_ERR_RANGE);
    CU_ASSERT_EQUAL(wiring_init(&t, PACK_CELLS_MAX + 1, 0), BMS_ERR_RANGE);
}

static void test_many_probes_take_more_chips(void)
{
    static const bool fitted[] = { true, false, true, true, true };
    struct wiring t;

    CU_ASSERT_EQUAL(wiring_init(&t, 87, 45), BMS_ERR_OK);
    CU_ASSERT_EQUAL(t.chips, 12);
    CU_ASSERT_EQUAL(wiring_init(&t, 96, 64), BMS_ERR_OK);
    CU_ASSERT_EQUAL(t.chips, 16);
    CU_ASSERT_EQUAL(wiring_init(&t, 95, 64), BMS_ERR_RANGE); /* fewer than 6 cells on a chip */
    CU_ASSERT_EQUAL(wiring_init(&t, 160, 65), BMS_ERR_RANGE);
    CU_ASSERT_EQUAL(wiring_init(&t, 48, 5), BMS_ERR_OK);
    wiring_fit_probes(&t, fitted, 5);
    CU_ASSERT_EQUAL(t.chip_probes[0], 0x0D);
    CU_ASSERT_EQUAL(t.chip_probes[1], 0x01);
    CU_ASSERT_EQUAL(t.chip_probes[2], 0x00);
}

static void test_a_probe_reads_half_at_25_degrees(void)
{
    struct probe p = { .r25_ohm = 100000, .beta_K = 4250 };

    CU_ASSERT_EQUAL(probe_code(&p, 25), 32768);
    for (double t = -40; t < 125; t += 0.1)
        CU_ASSERT_TRUE(probe_code(&p, t) > probe_code(&p, t + 0.1));
    CU_ASSERT_TRUE(probe_code(&p, -40) < PROBE_OPEN);
}

static void test_contactors_take_their_time(void)
{
    struct contactors c = { 0 };

    contactors_drive(&c, 0x05);
    contactors_step(&c, 20);
    CU_ASSERT_EQUAL(c.closed, 0);
    contactors_step(&c, 10);
    CU_ASSERT_EQUAL(c.closed, 0x05);
    contactors_drive(&c, 0x04);
    contactors_step(&c, 10);
    CU_ASSERT_EQUAL(c.closed, 0x04);
    c.welded = 0x04;
    c.jammed = 0x01;
    contactors_drive(&c, 0x01);
    for (int i = 0; i < 100; i++)
        contactors_step(&c, 10);
    CU_ASSERT_EQUAL(c.closed, 0x04);
}

static void test_the_current_sensor_sends_what_flows(void)
{
    struct csu csu = { 0 };
    struct can_frame f;
    unsigned number;
    uint8_t address;

    static const struct {
        double A;
        int32_t mA;
    } rows[] = { { 12.3456, 12346 }, { -12.3456, -12346 }, { 0, 0 }, { 1000, 600000 }, { -1000, -600000 } };

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        CU_ASSERT_TRUE(csu_step(&csu, rows[i].A, &f));
        CU_ASSERT_EQUAL(can0_check(&f, &number, &address), BMS_ERR_OK);
        CU_ASSERT_EQUAL(number, CAN0_CSU_Current);
        CU_ASSERT_EQUAL(address, CAN0_ADDR_CSU);
        CU_ASSERT_EQUAL(f.data[1], i);
        CU_ASSERT_EQUAL(can0_get(&f, CAN0_SIG_csu_current_mA), rows[i].mA); /* positive on discharge */
    }
    csu.bad_crc = true;
    CU_ASSERT_TRUE(csu_step(&csu, 0, &f));
    CU_ASSERT_EQUAL(can0_check(&f, &number, &address), BMS_ERR_CORRUPT);
    csu.silent = true;
    CU_ASSERT_FALSE(csu_step(&csu, 0, &f));
}

static void start(enum scenario scenario, enum chemistry chemistry, int cells)
{
    struct wiring t;

    CU_ASSERT_EQUAL_FATAL(wiring_init(&t, cells, 0), BMS_ERR_OK);
    world_init(&w, &t, 0, 1);
    model_init(&m, scenario, chemistry, param_rows[PARAM_capacity_mAh].dflt[chemistry], cells, 1);
}

/* A board that closes what is wanted. */
static void live(int seconds)
{
    for (int i = 0; i < seconds * 100; i++) {
        uint8_t in = w.inputs.inputs;

        contactors_drive(&w.contactors, in & BIU_INPUT_CHARGER ? BIU_RELAY_CHARGE : in & BIU_INPUT_KEYON ? BIU_RELAY_DISCHARGE : 0);
        model_step(&m, &w);
        world_step(&w);
    }
}

static void test_nothing_flows_while_the_contactors_are_open(void)
{
    start(SCENARIO_DRIVE, CHEMISTRY_NMC, 48);
    for (int i = 0; i < 1000; i++) {
        model_step(&m, &w);
        world_step(&w);
        CU_ASSERT_DOUBLE_EQUAL(w.current_A, 0, 0);
    }
    CU_ASSERT_TRUE(w.inputs.inputs & BIU_INPUT_KEYON);
    CU_ASSERT_TRUE(w.inputs.link_voltage_mV == 0);
    live(30);
    CU_ASSERT_TRUE(w.current_A != 0);
    CU_ASSERT_EQUAL(w.inputs.link_voltage_mV, w.inputs.pack_voltage_mV);
}

static void test_hours_of_every_scenario_stay_inside_the_cells_limits(void)
{
    for (int scenario = 0; scenario < SCENARIOS; scenario++) {
        for (int chemistry = 0; chemistry < CHEMISTRIES; chemistry++) {
            const int32_t *low = &param_rows[PARAM_cell_under_voltage_warning_limit].dflt[chemistry];
            const int32_t *high = &param_rows[PARAM_cell_over_voltage_warning_limit].dflt[chemistry];
            bool drove = false, charged = false;

            start((enum scenario)scenario, (enum chemistry)chemistry, 6);
            for (int i = 0; i < 5 * 60; i++) {
                live(60);
                drove |= m.phase == MODEL_DRIVE;
                charged |= m.phase == MODEL_CHARGE;
                CU_ASSERT_TRUE(cells_lowest_V(&m.cells) * 1000 > *low);
                CU_ASSERT_TRUE(cells_highest_V(&m.cells) * 1000 < *high);
                CU_ASSERT_TRUE(m.cells.cell[3].temp_C > 15 && m.cells.cell[3].temp_C < 48);
            }
            CU_ASSERT_TRUE(drove);
            CU_ASSERT_TRUE(charged);
        }
    }
}

static void test_scenarios_have_names(void)
{
    CU_ASSERT_EQUAL(scenario_by_name("drive"), SCENARIO_DRIVE);
    CU_ASSERT_EQUAL(scenario_by_name("mixed"), SCENARIO_MIXED);
    CU_ASSERT_EQUAL(scenario_by_name("charge"), SCENARIO_CHARGE);
    CU_ASSERT_EQUAL(scenario_by_name("fly"), BMS_ERR_UNKNOWN);
}

int main(void)
{
    static CU_TestInfo tests[] = {
        { "every number of cells is wired as the boards are [PK-2] [PK-3]", test_every_number_of_cells_is_wired_as_the_boards_are },
        { "many probes take more chips", test_many_probes_take_more_chips },
        { "a probe reads half at 25 degrees", test_a_probe_reads_half_at_25_degrees },
        { "contactors take their time", test_contactors_take_their_time },
        { "the current sensor sends what flows [ME-5]", test_the_current_sensor_sends_what_flows },
        { "nothing flows while the contactors are open", test_nothing_flows_while_the_contactors_are_open },
        { "five hours of every scenario stay inside the cells' limits", test_hours_of_every_scenario_stay_inside_the_cells_limits },
        { "scenarios have names", test_scenarios_have_names },
        CU_TEST_INFO_NULL,
    };
    return suite_run("world", tests);
}
