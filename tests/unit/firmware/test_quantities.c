/* SPDX-License-Identifier: Apache-2.0 */
#include "firmware/core/protection/quantities.h"
#include "tests/unit/firmware/rig.h"
#include "tests/unit/suite.h"

static struct rig r;
static struct alarm_in q;

static void start(void)
{
    rig_init(&r, 48, 0);
    rig_start(&r);
    rig_run(&r, 500);
}

static void look(void)
{
    quantities_of(&r.biu, &r.in, 10, &q);
}

static bool is(const struct measure_extreme *x, int32_t value, unsigned number)
{
    return x->known && x->value == value && x->number == number;
}

static void test_the_hotter_of_two_inlets_is_named_while_charging(void)
{
    const struct measure_extreme *hot = &q.high[ALARM_Q_INLET_TEMPERATURE];

    start();
    r.biu.slow.connected = true;
    r.biu.inlet_ddegC[0] = r.biu.inlet_ddegC[1] = scalar_invalid(VALIDITY_NOT_FITTED);
    look();
    CU_ASSERT_FALSE(hot->known);
    r.biu.inlet_ddegC[1] = 400;
    look();
    CU_ASSERT(is(hot, 400, 2));
    r.biu.inlet_ddegC[0] = 400; /* the first of equals */
    look();
    CU_ASSERT(is(hot, 400, 1));
    r.biu.inlet_ddegC[1] = 401;
    look();
    CU_ASSERT(is(hot, 401, 2));
    r.biu.slow.connected = false; /* not in use: as hot as the sun makes it */
    look();
    CU_ASSERT(is(hot, r.biu.params.running[PARAM_inlet_over_temperature_warning_clear], 0));
    r.biu.relays = BIU_RELAY_CHARGE; /* RL3 is still closed */
    look();
    CU_ASSERT(is(hot, 401, 2));
}

static void test_either_plug_is_charging_and_holds_latched_alarms(void)
{
    start();
    r.biu.relays = 0;
    look();
    CU_ASSERT(q.released);
    r.biu.fast.connected = true;
    look();
    CU_ASSERT_FALSE(q.released);
    CU_ASSERT(is(&q.high[ALARM_Q_CHARGE_TEMPERATURE], 250, 1));
    r.biu.fast.connected = false;
    r.in.inputs = BIU_INPUT_KEYON;
    look();
    CU_ASSERT_FALSE(q.released);
    CU_ASSERT(is(&q.high[ALARM_Q_CHARGE_TEMPERATURE], r.biu.params.running[PARAM_charge_over_temperature_warning_clear], 0));
}

static void test_supplies(void)
{
    const struct measure_extreme *apart = &q.high[ALARM_Q_SUPPLY_APART];

    start();
    r.in.supply_mV = 24000;
    r.in.keyon_mV = 20000;
    r.in.charger_wake_mV = 22000; /* the further one counts, whichever it is */
    look();
    CU_ASSERT(is(apart, 4000, 0) && is(&q.low[ALARM_Q_SUPPLY], 24000, 0));
    r.in.charger_wake_mV = 29000;
    look();
    CU_ASSERT(is(apart, 5000, 0));
    r.in.keyon_mV = r.in.charger_wake_mV = 4999; /* no rail there */
    look();
    CU_ASSERT(is(apart, 0, 0));
    r.in.supply_mV = scalar_invalid(VALIDITY_OPEN);
    look();
    CU_ASSERT(!apart->known && !q.low[ALARM_Q_SUPPLY].known && !q.high[ALARM_Q_SUPPLY].known);
}

static void test_the_total_voltage_needs_cells_and_a_reading(void)
{
    start();
    r.in.pack_voltage_mV = 48 * 3700 + 4800;
    look();
    CU_ASSERT(is(&q.high[ALARM_Q_PACK_VOLTAGE], 3800, 0) && is(&q.high[ALARM_Q_SUM_APART], 100, 0));
    r.in.pack_voltage_mV = 48 * 3700 - 4800;
    look();
    CU_ASSERT(is(&q.high[ALARM_Q_SUM_APART], 100, 0));
    r.in.pack_voltage_mV = scalar_invalid(VALIDITY_STALE);
    look();
    CU_ASSERT(!q.high[ALARM_Q_PACK_VOLTAGE].known && !q.high[ALARM_Q_SUM_APART].known);
    r.in.pack_voltage_mV = 177600;
    r.biu.topology.cells = 0;
    look();
    CU_ASSERT_FALSE(q.high[ALARM_Q_PACK_VOLTAGE].known);
}

static void test_a_weld_and_a_fault_of_the_charger(void)
{
    start();
    look();
    CU_ASSERT(is(&q.high[ALARM_Q_WELD], 0, 0) && is(&q.high[ALARM_Q_CHARGE_FAULT], 0, 0));
    r.biu.contactor.held = true; /* one of them, nobody knows which */
    look();
    CU_ASSERT(is(&q.high[ALARM_Q_WELD], 1, 0));
    r.biu.contactor.held = false;
    r.biu.contactor.welded = 3;
    look();
    CU_ASSERT(is(&q.high[ALARM_Q_WELD], 1, 3));
    r.biu.charge.end = CHARGE_END_BROKEN;
    look();
    CU_ASSERT(is(&q.high[ALARM_Q_CHARGE_FAULT], 0, 0)); /* an end is no fault */
    r.biu.charge.state = CHARGE_FAULT;
    look();
    CU_ASSERT(is(&q.high[ALARM_Q_CHARGE_FAULT], CHARGE_END_BROKEN, 0));
}

/* A full pack is no alarm; one that is full and still being charged is. */
static void test_a_full_pack_counts_while_current_flows_into_it(void)
{
    start();
    int32_t soc = soc_permyriad(&r.biu.soc);

    r.biu.params.running[PARAM_soc_high_warning_clear] = soc - 100;
    r.biu.current.mA = 0;
    look();
    CU_ASSERT(is(&q.high[ALARM_Q_SOC], soc - 100, 0) && is(&q.low[ALARM_Q_SOC], soc, 0));
    r.biu.current.mA = -100 * r.biu.params.running[PARAM_charge_end_dA];
    look();
    CU_ASSERT(is(&q.high[ALARM_Q_SOC], soc, 0));
    r.biu.current.mA++; /* 1 mA less flows */
    look();
    CU_ASSERT(is(&q.high[ALARM_Q_SOC], soc - 100, 0));
    r.biu.current.mA = scalar_invalid(VALIDITY_STALE);
    look();
    CU_ASSERT(is(&q.high[ALARM_Q_SOC], soc - 100, 0));
    r.biu.params.running[PARAM_soc_high_warning_clear] = soc + 1;
    look();
    CU_ASSERT(is(&q.high[ALARM_Q_SOC], soc, 0));
}

static void test_outputs_are_named_by_their_relay(void)
{
    start();
    r.biu.outputs.welded = true;
    r.biu.outputs.wrong = 6;
    look();
    CU_ASSERT(is(&q.high[ALARM_Q_HEATING_WELD], 1, 4) && is(&q.high[ALARM_Q_OUTPUT_WRONG], 1, 6));
}

int main(void)
{
    CU_TestInfo tests[] = {
        { "the hotter of two inlets is named, while charging [ME-7] [AC-6]", test_the_hotter_of_two_inlets_is_named_while_charging },
        { "either plug is charging, and holds latched alarms [AC-6]", test_either_plug_is_charging_and_holds_latched_alarms },
        { "supplies: the rail that is further off, if it is there [ME-8]", test_supplies },
        { "the total voltage needs cells and a reading [AC-6]", test_the_total_voltage_needs_cells_and_a_reading },
        { "a weld, and a fault of the charger [AC-2] [AC-6]", test_a_weld_and_a_fault_of_the_charger },
        { "a full pack counts while current flows into it [AC-6]", test_a_full_pack_counts_while_current_flows_into_it },
        { "outputs are named by their relay [AC-2]", test_outputs_are_named_by_their_relay },
        CU_TEST_INFO_NULL,
    };

    return suite_run("quantities", tests);
}
