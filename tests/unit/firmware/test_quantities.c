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
    r.biu.inlet_ddegC[1] = -50;
    look();
    CU_ASSERT(is(hot, -50, 2)); /* frost is a temperature */
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

/* A cold pack is plugged in; the alarm would block the heater that makes it warm. */
static void test_cold_is_no_alarm_where_the_charge_heats_first(void)
{
    const struct measure_extreme *cold = &q.low[ALARM_Q_CHARGE_TEMPERATURE];
    int32_t *p = r.biu.params.running;

    for (int s = CHARGE_IDLE; s < CHARGE_STATES; s++)
        for (int below = 0; below < 2; below++) {
            bool spared = s == CHARGE_HEATING || (s < CHARGE_HEATING && below);

            start();
            r.biu.slow.connected = true;
            r.biu.charge.state = (enum charge_state)s;
            p[PARAM_heat_on_ddegC] = 250 + below; /* the probes read 25 degC */
            look();
            CU_ASSERT(is(cold, spared ? p[PARAM_charge_under_temperature_warning_clear] : 250, spared ? 0 : 1));
            p[PARAM_heater_fitted] = 0;
            look();
            CU_ASSERT(is(cold, 250, 1));
            p[PARAM_heater_fitted] = 1;
            r.biu.relays = BIU_RELAY_CHARGE;
            look();
            CU_ASSERT(is(cold, 250, 1));
        }
    start();
    r.biu.slow.connected = true;
    r.biu.charge.state = CHARGE_PLUGGED;
    r.biu.measure.temp.min.known = false; /* it cannot be told that a heater will help */
    look();
    CU_ASSERT_FALSE(cold->known);
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
    r.in.keyon_mV = 5000; /* a rail, and a bad one */
    look();
    CU_ASSERT(is(apart, 19000, 0));
    r.in.keyon_mV = scalar_invalid(VALIDITY_STALE);
    look();
    CU_ASSERT(is(apart, 0, 0));
    r.in.supply_mV = -2000000000; /* readings of nonsense are far apart, and no more */
    r.in.keyon_mV = 2000000000;
    look();
    CU_ASSERT(is(apart, INT32_MAX, 0));
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

/* Each is another value: none may stand for its neighbour. */
static void test_each_measurement_reaches_its_own_quantity(void)
{
    struct measure *m = &r.biu.measure;
    const struct pair {
        struct measure_extreme *measured, *compared;
    } pairs[] = {
        { &m->cell.max, &q.high[ALARM_Q_CELL_VOLTAGE] },          { &m->cell.min, &q.low[ALARM_Q_CELL_VOLTAGE] },
        { &m->cell.apart, &q.high[ALARM_Q_CELL_SPREAD] },         { &m->cell.invalid, &q.high[ALARM_Q_CELL_INVALID] },
        { &m->temp.max, &q.high[ALARM_Q_TEMPERATURE] },           { &m->temp.min, &q.low[ALARM_Q_TEMPERATURE] },
        { &m->temp.apart, &q.high[ALARM_Q_TEMPERATURE_SPREAD] },  { &m->temp.invalid, &q.high[ALARM_Q_PROBE_INVALID] },
        { &m->rise, &q.high[ALARM_Q_TEMPERATURE_RISE] },          { &m->afe_age, &q.high[ALARM_Q_AFE_AGE] },
        { &m->chip_apart, &q.high[ALARM_Q_CHIP_APART] },          { &r.biu.trend.jump, &q.high[ALARM_Q_SOC_JUMP] },
        { &r.biu.trend.rate, &q.high[ALARM_Q_TEMPERATURE_RATE] }, { &r.biu.runaway.suspected, &q.high[ALARM_Q_RUNAWAY] },
    };
    enum { PAIRS = sizeof(pairs) / sizeof(pairs[0]) };

    start();
    for (int i = 0; i < PAIRS; i++)
        *pairs[i].measured = (struct measure_extreme) { true, 1000 + i, (uint16_t)(i + 1) };
    r.biu.slow.connected = true;
    look();
    for (int i = 0; i < PAIRS; i++)
        CU_ASSERT(is(pairs[i].compared, 1000 + i, (unsigned)i + 1));
    CU_ASSERT(is(&q.high[ALARM_Q_CHARGE_TEMPERATURE], m->temp.max.value, m->temp.max.number));
    CU_ASSERT(is(&q.low[ALARM_Q_CHARGE_TEMPERATURE], m->temp.min.value, m->temp.min.number));
    for (int i = 0; i < PAIRS; i++)
        pairs[i].measured->known = false;
    look();
    for (int i = 0; i < PAIRS; i++)
        CU_ASSERT_FALSE(pairs[i].compared->known);
}

static void test_a_value_that_is_not_there_is_not_compared(void)
{
    start();
    r.biu.current.mA = -123456;
    r.biu.current.age_ms = 70;
    r.in.sense.hvil = 1;
    r.biu.insulation.ohm_per_V = 499;
    look();
    CU_ASSERT(is(&q.high[ALARM_Q_CURRENT], -1234, 0) && is(&q.low[ALARM_Q_CURRENT], -1234, 0));
    CU_ASSERT(is(&q.high[ALARM_Q_CURRENT_AGE], 70, 0));
    CU_ASSERT(is(&q.high[ALARM_Q_HVIL], 0, 0));
    CU_ASSERT(is(&q.low[ALARM_Q_INSULATION], 499, 0));
    r.in.sense.hvil = 0; /* open */
    look();
    CU_ASSERT(is(&q.high[ALARM_Q_HVIL], 1, 0));
    r.biu.current.mA = r.in.sense.hvil = r.biu.insulation.ohm_per_V = scalar_invalid(VALIDITY_STALE);
    look();
    CU_ASSERT(!q.high[ALARM_Q_CURRENT].known && !q.low[ALARM_Q_CURRENT].known);
    CU_ASSERT(!q.high[ALARM_Q_HVIL].known && !q.low[ALARM_Q_INSULATION].known);
}

/* Of the probes of chips that answer: how many in a hundred have no value. */
static void test_lost_probes_are_a_share_of_those_whose_chip_answers(void)
{
    const struct measure_extreme *lost = &q.high[ALARM_Q_PROBES_LOST], *charging = &q.high[ALARM_Q_PROBES_LOST_CHARGING];
    struct measure *m = &r.biu.measure;

    start();
    unsigned chips = m->topology->devices, fitted = m->topology->probes;

    CU_ASSERT_FATAL(chips >= 2 && fitted >= 4);
    look();
    CU_ASSERT(is(lost, 0, 0) && is(charging, 0, 0));
    m->temp.valid = fitted - 1;
    m->temp.invalid = (struct measure_extreme) { true, VALIDITY_OPEN, 3 };
    look();
    CU_ASSERT(is(lost, (int32_t)(100 / fitted), 3));
    CU_ASSERT(is(charging, 0, 0)); /* nothing charges */
    r.biu.slow.connected = true;
    look();
    CU_ASSERT(is(charging, (int32_t)(100 / fitted), 3));
    m->chip[0] = VALIDITY_STALE; /* its probes are the silent chip's matter */
    unsigned left = fitted - m->topology->chip[0].probe_count;

    m->temp.valid = left - 1;
    look();
    CU_ASSERT(is(lost, (int32_t)(100 / left), 3));
    m->temp.valid = 0;
    look();
    CU_ASSERT(is(lost, 100, 3));
    for (unsigned k = 0; k < chips; k++)
        m->chip[k] = VALIDITY_NEVER;
    look();
    CU_ASSERT(!lost->known && !charging->known);
}

static void test_units_relays_and_partners_are_named(void)
{
    start();
    look();
    CU_ASSERT(is(&q.high[ALARM_Q_UNIT_DEGRADED], 0, 0) && is(&q.high[ALARM_Q_UNIT_FAILED], 0, 0));
    CU_ASSERT(is(&q.high[ALARM_Q_STUCK], 0, 0) && is(&q.high[ALARM_Q_OUTPUT_WRONG], 0, 0) && is(&q.high[ALARM_Q_PRECHARGE], 0, 0));
    CU_ASSERT(is(&q.high[ALARM_Q_CHARGER_ERROR], 0, 0));
    r.biu.self.failed = 0xFFFF;
    unsigned degraded = self_check_first(&r.biu.self, SELF_DEGRADED), failed = self_check_first(&r.biu.self, SELF_FAILED);

    CU_ASSERT(degraded != 0 && failed != 0 && degraded != failed);
    r.biu.contactor.stuck = 2;
    r.biu.contactor.why = CONTACTOR_WHY_SHORT;
    r.biu.session.bms.phase = GBT_FAILED;
    r.biu.vehicle.age_ms = 700;
    r.biu.params.running[PARAM_vcu_orders] = 0;
    look();
    CU_ASSERT(is(&q.high[ALARM_Q_UNIT_DEGRADED], (int32_t)degraded, degraded));
    CU_ASSERT(is(&q.high[ALARM_Q_UNIT_FAILED], (int32_t)failed, failed));
    CU_ASSERT(is(&q.high[ALARM_Q_STUCK], 1, 2));
    CU_ASSERT(is(&q.high[ALARM_Q_PRECHARGE], CONTACTOR_WHY_SHORT, 0));
    CU_ASSERT(is(&q.high[ALARM_Q_CHARGER_ERROR], fast_charge_trouble(&r.biu.session), 0));
    CU_ASSERT(q.high[ALARM_Q_CHARGER_ERROR].value > 0);
    CU_ASSERT(is(&q.high[ALARM_Q_VCU_AGE], 0, 0)); /* nobody waits for the vehicle's orders */
    r.biu.params.running[PARAM_vcu_orders] = 1;
    look();
    CU_ASSERT(is(&q.high[ALARM_Q_VCU_AGE], 700, 0));
}

int main(void)
{
    CU_TestInfo tests[] = {
        { "cold is no alarm where the charge heats first [AC-5] [AC-6]", test_cold_is_no_alarm_where_the_charge_heats_first },
        { "the hotter of two inlets is named, while charging [ME-7] [AC-6]", test_the_hotter_of_two_inlets_is_named_while_charging },
        { "either plug is charging, and holds latched alarms [AC-6]", test_either_plug_is_charging_and_holds_latched_alarms },
        { "supplies: the rail that is further off, if it is there [ME-8]", test_supplies },
        { "the total voltage needs cells and a reading [AC-6]", test_the_total_voltage_needs_cells_and_a_reading },
        { "a weld, and a fault of the charger [AC-2] [AC-6]", test_a_weld_and_a_fault_of_the_charger },
        { "a full pack counts while current flows into it [AC-6]", test_a_full_pack_counts_while_current_flows_into_it },
        { "outputs are named by their relay [AC-2]", test_outputs_are_named_by_their_relay },
        { "each measurement reaches its own quantity [AC-6]", test_each_measurement_reaches_its_own_quantity },
        { "a value that is not there is not compared [AC-6]", test_a_value_that_is_not_there_is_not_compared },
        { "lost probes are a share of those whose chip answers [AC-6]", test_lost_probes_are_a_share_of_those_whose_chip_answers },
        { "units, relays and partners are named [AC-2] [AC-6] [ME-13]", test_units_relays_and_partners_are_named },
        CU_TEST_INFO_NULL,
    };

    return suite_run("quantities", tests);
}
