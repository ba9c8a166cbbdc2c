/* SPDX-License-Identifier: Apache-2.0 */
/* Exactly at the limit and one short of it, through the chips: for every cell, and for what else a BIU compares (firmware/core/protection/quantities.h). */
#include "common/err.h"
#include "firmware/core/protection/quantities.h"
#include "tests/unit/firmware/rig.h"
#include "tests/unit/suite.h"

enum { CELLS = 160, LONG_MS = 1500 };

static struct rig r;

static void start(int cells)
{
    rig_init(&r, cells, 0);
    CU_ASSERT_EQUAL_FATAL(rig_start(&r), BMS_ERR_OK);
    rig_run(&r, 500);
}

static void cell_limits(enum alarm alarm, int limit_mV, int inside_mV)
{
    start(CELLS);
    r.biu.params.running[PARAM_cell_over_voltage_clear_ms] = r.biu.params.running[PARAM_cell_under_voltage_clear_ms] = 0;
    for (unsigned cell = 1; cell <= CELLS; cell++) {
        rig_set_cell(&r, cell, inside_mV);
        rig_run(&r, 160);
        CU_ASSERT_FALSE(rig_has_alarm(&r, alarm));
        rig_set_cell(&r, cell, limit_mV);
        rig_run(&r, 160);
        CU_ASSERT(rig_has_alarm(&r, alarm));
        CU_ASSERT_EQUAL(r.biu.alarms.row[alarm].raised.number, cell);
        CU_ASSERT_EQUAL(r.biu.alarms.row[alarm].raised.value, limit_mV);
        rig_set_cell(&r, cell, 3700);
        rig_run(&r, 60);
        CU_ASSERT_FALSE(rig_has_alarm(&r, alarm));
    }
}

static void test_every_cell_has_its_limits(void)
{
    cell_limits(ALARM_cell_over_voltage, 4250, 4249);
    cell_limits(ALARM_cell_under_voltage, 2750, 2751);
}

/* The alarm stands after these inputs have stood for a while. */
static bool raises(enum alarm alarm, int32_t *input, int32_t value)
{
    start(48);
    *input = value;
    rig_run(&r, LONG_MS);
    return rig_has_alarm(&r, alarm);
}

static void test_supplies_that_differ(void)
{
    int32_t *rails[] = { &r.in.keyon_mV, &r.in.charger_wake_mV };

    for (int i = 0; i < 2; i++) { /* VCC is 24 V */
        CU_ASSERT_FALSE(raises(ALARM_supply_apart_warning, rails[i], 21001));
        CU_ASSERT(raises(ALARM_supply_apart_warning, rails[i], 21000));
        CU_ASSERT_FALSE(raises(ALARM_supply_apart_warning, rails[i], 26999));
        CU_ASSERT(raises(ALARM_supply_apart_warning, rails[i], 27000));
        CU_ASSERT(raises(ALARM_supply_apart_warning, rails[i], 5000));
        CU_ASSERT_FALSE(raises(ALARM_supply_apart_warning, rails[i], 4999)); /* not there: nobody has turned the key */
        CU_ASSERT_FALSE(raises(ALARM_supply_apart_warning, rails[i], scalar_invalid(VALIDITY_OPEN)));
    }
    CU_ASSERT(raises(ALARM_supply_low_warning, &r.in.supply_mV, 9000));
    CU_ASSERT_FALSE(raises(ALARM_supply_low_warning, &r.in.supply_mV, 9001));
    CU_ASSERT(raises(ALARM_supply_high_warning, &r.in.supply_mV, 32000));
    CU_ASSERT_FALSE(raises(ALARM_supply_high_warning, &r.in.supply_mV, 31999));
}

/* The alarm stands after the positive rail has leaked for a while. */
static bool leaks(enum alarm alarm, double kohm)
{
    start(48);
    r.pos_kohm = kohm;
    rig_run(&r, 8000);
    return rig_has_alarm(&r, alarm);
}

static void test_total_voltage_and_insulation(void)
{
    CU_ASSERT(raises(ALARM_pack_over_voltage, &r.in.pack_voltage_mV, 4250 * 48));
    CU_ASSERT_FALSE(raises(ALARM_pack_over_voltage, &r.in.pack_voltage_mV, 4250 * 48 - 1));
    CU_ASSERT(raises(ALARM_pack_under_voltage, &r.in.pack_voltage_mV, 2750 * 48 + 47)); /* whole mV of each cell */
    CU_ASSERT_FALSE(raises(ALARM_pack_under_voltage, &r.in.pack_voltage_mV, 2751 * 48));
    CU_ASSERT_FALSE(raises(ALARM_pack_under_voltage, &r.in.pack_voltage_mV, scalar_invalid(VALIDITY_STALE)));
    CU_ASSERT(leaks(ALARM_insulation_warning, 88)); /* 177.6 V: 495 ohm/V */
    CU_ASSERT_FALSE(leaks(ALARM_insulation_warning, 89.2));
    CU_ASSERT(leaks(ALARM_insulation, 17.9));
    CU_ASSERT_FALSE(leaks(ALARM_insulation, 18));
    CU_ASSERT_FALSE(r.biu.alarms.open); /* a vehicle that moves is not stopped by a first fault of the insulation */
}

static void test_current_limits(void)
{
    CU_ASSERT(raises(ALARM_discharge_over_current_peak, &r.current_mA, 500000));
    CU_ASSERT_FALSE(raises(ALARM_discharge_over_current_peak, &r.current_mA, 499999));
    CU_ASSERT(raises(ALARM_charge_over_current_peak, &r.current_mA, -350000));
    CU_ASSERT_FALSE(raises(ALARM_charge_over_current_peak, &r.current_mA, -349999));
}

/* An alarm of charging goes when charging does, so that a cold pack can be driven. */
static void test_charge_temperature_counts_while_charging(void)
{
    start(48);
    r.biu.params.running[PARAM_charge_under_temperature_limit] = 250; /* the probes read 25 degC */
    r.biu.params.running[PARAM_charge_under_temperature_clear] = 260;
    r.biu.params.running[PARAM_charge_under_temperature_warning_clear] = 260;
    rig_run(&r, LONG_MS);
    CU_ASSERT_FALSE(rig_has_alarm(&r, ALARM_charge_under_temperature));
    r.in.inputs = BIU_INPUT_CHARGER;
    rig_run(&r, LONG_MS);
    CU_ASSERT(rig_has_alarm(&r, ALARM_charge_under_temperature));
    CU_ASSERT_EQUAL(r.out.contactors, 0);
    CU_ASSERT_EQUAL(r.biu.contactor.wear[2].closed, 0); /* not even for a moment */
    r.in.inputs = BIU_INPUT_KEYON;
    rig_run(&r, 13000);
    CU_ASSERT_FALSE(rig_has_alarm(&r, ALARM_charge_under_temperature));
    CU_ASSERT_EQUAL(r.out.contactors, BIU_RELAY_DISCHARGE);
}

int main(void)
{
    CU_TestInfo tests[] = {
        { "every cell: at the limit it is named, one short nothing is [AC-6] [PK-2]", test_every_cell_has_its_limits },
        { "supplies that differ by 3 V are told [ME-8]", test_supplies_that_differ },
        { "total voltage and insulation, exactly [AC-6]", test_total_voltage_and_insulation },
        { "currents, exactly [AC-6]", test_current_limits },
        { "a temperature of charging counts while charging [AC-5] [AC-6]", test_charge_temperature_counts_while_charging },
        CU_TEST_INFO_NULL,
    };

    return suite_run("limits", tests);
}
