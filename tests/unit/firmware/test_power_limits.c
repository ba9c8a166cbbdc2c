/* SPDX-License-Identifier: Apache-2.0 */
#include "firmware/core/protection/limits.h"
#include "firmware/core/store/params.h"
#include "tests/unit/suite.h"

static struct topology topology = { .devices = 1, .cells = 16, .probes = 4 };
static struct measure m;
static struct alarms alarms;
static struct limits l;
static struct limits_in in;
static int32_t params[PARAMS];

static void start(enum chemistry chemistry)
{
    params_defaults(chemistry, params);
    params[PARAM_limit_recover_percent_per_s] = 100;
    m = (struct measure) { .topology = &topology,
                           .cell = { .min = { true, 3700, 1 }, .max = { true, 3700, 2 }, .valid = 16, .mean = 3700 },
                           .temp = { .min = { true, 250, 1 }, .max = { true, 250, 2 }, .valid = 4, .mean = 250 } };
    alarms = (struct alarms) { 0 };
    limits_init(&l);
    in = (struct limits_in) { .dt_ms = 10,
                              .measure = &m,
                              .alarms = &alarms,
                              .soc_permyriad = 5000,
                              .pack_mV = 59200,
                              .predicted_discharge_mA = scalar_invalid(VALIDITY_NOT_FITTED),
                              .predicted_charge_mA = scalar_invalid(VALIDITY_NOT_FITTED),
                              .params = params };
}

static void settle(void)
{
    for (int t = 0; t < 2000; t += 10)
        limits_step(&l, &in);
}

static void test_everything_well_gives_the_maximum(void)
{
    start(CHEMISTRY_NMC);
    CU_ASSERT(l.discharge_dA == 0 && l.charge_dA == 0); /* not before the first step */
    CU_ASSERT_EQUAL(l.alarm_percent, 100);
    settle();
    CU_ASSERT_EQUAL(l.discharge_dA, 3300);
    CU_ASSERT_EQUAL(l.charge_dA, 1800);
    CU_ASSERT_EQUAL(l.discharge_W, 3300 * 592 / 100);
    CU_ASSERT_EQUAL(l.charge_W, 1800 * 592 / 100);
    CU_ASSERT_EQUAL(l.alarm_percent, 100);
    in.pack_mV = scalar_invalid(VALIDITY_STALE); /* then the sum of the cells */
    settle();
    CU_ASSERT_EQUAL(l.discharge_W, 3300 * 592 / 100);
}

/* The quantity at `none`, one unit before it, halfway, one before `full` and at `full`. */
static void ramp(int32_t *quantity, enum param none, enum param full, const int32_t *limit_dA, int32_t most_dA)
{
    int32_t at_none = params[none], at_full = params[full], unit = at_full > at_none ? 1 : -1;

    *quantity = at_none - unit;
    settle();
    CU_ASSERT_EQUAL(*limit_dA, 0);
    *quantity = at_none;
    settle();
    CU_ASSERT_EQUAL(*limit_dA, 0);
    *quantity = at_none + unit;
    settle();
    CU_ASSERT(*limit_dA > 0 || most_dA < (at_full - at_none) * unit);
    CU_ASSERT(*limit_dA < most_dA / 2);
    *quantity = (at_none + at_full) / 2;
    settle();
    CU_ASSERT(*limit_dA >= most_dA / 2 - most_dA / 20 && *limit_dA <= most_dA / 2 + most_dA / 20);
    *quantity = at_full - unit;
    settle();
    CU_ASSERT(*limit_dA < most_dA);
    *quantity = at_full;
    settle();
    CU_ASSERT_EQUAL(*limit_dA, most_dA);
}

static void test_ramps_of_every_chemistry(void)
{
    for (int chemistry = 0; chemistry < CHEMISTRIES; chemistry++) {
        int32_t most_d, most_c;

        start((enum chemistry)chemistry);
        m.cell.min.value = params[PARAM_discharge_cell_full_mV];
        m.cell.max.value = params[PARAM_charge_cell_full_mV];
        most_d = params[PARAM_discharge_max_dA];
        most_c = params[PARAM_charge_max_dA];
        ramp(&m.temp.min.value, PARAM_discharge_cold_none_ddegC, PARAM_discharge_cold_full_ddegC, &l.discharge_dA, most_d);
        m.temp.min.value = 250;
        ramp(&m.temp.max.value, PARAM_discharge_hot_none_ddegC, PARAM_discharge_hot_full_ddegC, &l.discharge_dA, most_d);
        m.temp.max.value = 250;
        ramp(&in.soc_permyriad, PARAM_discharge_soc_none, PARAM_discharge_soc_full, &l.discharge_dA, most_d);
        in.soc_permyriad = 5000;
        ramp(&m.cell.min.value, PARAM_discharge_cell_none_mV, PARAM_discharge_cell_full_mV, &l.discharge_dA, most_d);
        ramp(&m.temp.min.value, PARAM_charge_cold_none_ddegC, PARAM_charge_cold_full_ddegC, &l.charge_dA, most_c);
        m.temp.min.value = 250;
        ramp(&m.temp.max.value, PARAM_charge_hot_none_ddegC, PARAM_charge_hot_full_ddegC, &l.charge_dA, most_c);
        m.temp.max.value = 250;
        ramp(&in.soc_permyriad, PARAM_charge_soc_none, PARAM_charge_soc_full, &l.charge_dA, most_c);
        in.soc_permyriad = 5000;
        ramp(&m.cell.max.value, PARAM_charge_cell_none_mV, PARAM_charge_cell_full_mV, &l.charge_dA, most_c);
    }
}

/* No power is promised where an alarm would open. */
static void test_limits_end_before_the_alarms_open(void)
{
    for (int c = 0; c < CHEMISTRIES; c++) {
        start((enum chemistry)c);
        CU_ASSERT(params[PARAM_discharge_cold_none_ddegC] >= params[PARAM_under_temperature_limit]);
        CU_ASSERT(params[PARAM_discharge_hot_none_ddegC] <= params[PARAM_over_temperature_limit]);
        CU_ASSERT(params[PARAM_charge_cold_none_ddegC] >= params[PARAM_charge_under_temperature_limit]);
        CU_ASSERT(params[PARAM_charge_hot_none_ddegC] <= params[PARAM_charge_over_temperature_limit]);
        CU_ASSERT(params[PARAM_discharge_cell_none_mV] > params[PARAM_cell_under_voltage_limit]);
        CU_ASSERT(params[PARAM_charge_cell_none_mV] < params[PARAM_cell_over_voltage_limit]);
        CU_ASSERT(params[PARAM_discharge_max_dA] < params[PARAM_discharge_over_current_warning_limit]);
        CU_ASSERT(params[PARAM_charge_max_dA] < -params[PARAM_charge_over_current_warning_limit]);
        CU_ASSERT(params[PARAM_charge_cell_mV] < params[PARAM_cell_over_voltage_warning_limit]);
        CU_ASSERT(params[PARAM_charge_cell_full_mV] > params[PARAM_charge_cell_mV]);
        CU_ASSERT(params[PARAM_heat_on_ddegC] > params[PARAM_charge_under_temperature_clear]);
        CU_ASSERT(params[PARAM_heat_off_ddegC] > params[PARAM_heat_on_ddegC]);
        CU_ASSERT(params[PARAM_fan_off_ddegC] < params[PARAM_fan_on_ddegC]);
    }
}

static void raise(enum alarm alarm)
{
    alarms = (struct alarms) { 0 };
    alarms.row[alarm].active = true;
    alarms.open = params[alarm_rows[alarm].reaction] == ALARM_REACT_OPEN;
    alarms.end = params[alarm_rows[alarm].reaction] == ALARM_REACT_END;
    alarms.derate = params[alarm_rows[alarm].reaction] == ALARM_REACT_DERATE;
    settle();
}

static void test_tiers_of_the_alarms(void)
{
    start(CHEMISTRY_NMC);
    raise(ALARM_cell_over_voltage_warning);
    CU_ASSERT(l.discharge_dA == 3300 && l.charge_dA == 1800 && l.alarm_percent == 100);
    raise(ALARM_cell_over_voltage_derate);
    CU_ASSERT(l.discharge_dA == 3300 && l.charge_dA == 900 && l.alarm_percent == 50);
    raise(ALARM_cell_under_voltage_derate);
    CU_ASSERT(l.discharge_dA == 1650 && l.charge_dA == 1800);
    raise(ALARM_discharge_over_current_warning);
    CU_ASSERT(l.discharge_dA == 1650 && l.charge_dA == 1800);
    raise(ALARM_charge_over_current_warning);
    CU_ASSERT(l.discharge_dA == 3300 && l.charge_dA == 900);
    raise(ALARM_charge_over_temperature_warning);
    CU_ASSERT(l.discharge_dA == 3300 && l.charge_dA == 900);
    raise(ALARM_over_temperature_derate);
    CU_ASSERT(l.discharge_dA == 1650 && l.charge_dA == 900);
    raise(ALARM_over_temperature);
    CU_ASSERT(l.discharge_dA == 0 && l.charge_dA == 0 && l.alarm_percent == 0 && l.discharge_W == 0 && l.charge_W == 0);
}

static void test_down_at_once_up_slowly(void)
{
    start(CHEMISTRY_NMC);
    params[PARAM_limit_recover_percent_per_s] = 10;
    for (int t = 0; t < 10000; t += 10)
        limits_step(&l, &in);
    CU_ASSERT_EQUAL(l.discharge_dA, 3300);
    m.cell.min.value = 3050; /* half */
    limits_step(&l, &in);
    CU_ASSERT_EQUAL(l.discharge_dA, 1650);
    m.cell.min.value = 3700;
    for (int t = 0; t < 1000; t += 10)
        limits_step(&l, &in);
    CU_ASSERT_EQUAL(l.discharge_dA, 1980); /* a tenth in a second */
    in.dt_ms = UINT32_MAX;
    limits_step(&l, &in);
    CU_ASSERT_EQUAL(l.discharge_dA, 3300);
}

static void test_what_is_not_known_is_not_promised(void)
{
    start(CHEMISTRY_NMC);
    m.cell = (struct measure_worst) { 0 };
    settle();
    CU_ASSERT(l.discharge_dA == 0 && l.charge_dA == 0);
    start(CHEMISTRY_NMC);
    m.temp = (struct measure_worst) { 0 };
    settle();
    CU_ASSERT(l.discharge_dA == 1650 && l.charge_dA == 0); /* home, but nothing in */
    topology.probes = 0;
    settle();
    CU_ASSERT(l.discharge_dA == 3300 && l.charge_dA == 1800); /* a pack without probes */
    topology.probes = 4;
    start(CHEMISTRY_NMC);
    in.soc_permyriad = scalar_invalid(VALIDITY_NEVER);
    settle();
    CU_ASSERT(l.discharge_dA == 3300 && l.charge_dA == 1800);
}

static void test_a_prediction_only_lowers(void)
{
    start(CHEMISTRY_NMC);
    in.predicted_discharge_mA = 100000;
    in.predicted_charge_mA = 999000;
    settle();
    CU_ASSERT(l.discharge_dA == 1000 && l.charge_dA == 1800);
    raise(ALARM_over_temperature_derate);
    CU_ASSERT(l.discharge_dA == 500);
    in.predicted_discharge_mA = in.predicted_charge_mA = -1;
    settle();
    CU_ASSERT(l.discharge_dA == 0 && l.charge_dA == 45); /* a charge can begin: 5 %, and half of it for the alarm */
    alarms = (struct alarms) { 0 };
    settle();
    CU_ASSERT_EQUAL(l.charge_dA, 90);
    m.cell.max.value = params[PARAM_charge_cell_none_mV]; /* but not against what is measured */
    settle();
    CU_ASSERT_EQUAL(l.charge_dA, 0);
}

/* With so large a pack that a millionth of it is 0.1 A. */
static void large_pack(void)
{
    start(CHEMISTRY_NMC);
    params[PARAM_discharge_max_dA] = params[PARAM_charge_max_dA] = 1000000;
    in.pack_mV = 1000;
}

static void test_nothing_is_exactly_nothing(void)
{
    large_pack();
    m.cell.min.value = params[PARAM_discharge_cell_none_mV];
    m.cell.max.value = params[PARAM_charge_cell_none_mV];
    settle();
    CU_ASSERT(l.discharge_dA == 0 && l.charge_dA == 0);
    large_pack();
    m.cell = (struct measure_worst) { 0 };
    topology.probes = 0; /* that a pack has no probes says nothing of its cells */
    settle();
    topology.probes = 4;
    CU_ASSERT(l.discharge_dA == 0 && l.charge_dA == 0);
    large_pack();
    raise(ALARM_over_temperature);
    CU_ASSERT(l.discharge_dA == 0 && l.charge_dA == 0);
    large_pack();
    alarms.end = true; /* an alarm that opens without load, if it can */
    settle();
    CU_ASSERT(l.discharge_dA == 0 && l.charge_dA == 0 && l.alarm_percent == 0);
}

static void test_a_ramp_without_width_is_a_step(void)
{
    large_pack();
    params[PARAM_discharge_hot_none_ddegC] = params[PARAM_discharge_hot_full_ddegC] = 400;
    m.temp.max.value = 399;
    settle();
    CU_ASSERT_EQUAL(l.discharge_dA, 1000000);
    m.temp.max.value = 400;
    settle();
    CU_ASSERT_EQUAL(l.discharge_dA, 0);
}

/* A pack may ask for less power by any of its warnings: the first of the table too. */
static void test_any_warning_may_be_set_to_ask_for_less(void)
{
    for (int i = 0; i < ALARMS; i++) {
        start(CHEMISTRY_NMC);
        params[alarm_rows[i].reaction] = ALARM_REACT_DERATE;
        raise((enum alarm)i);
        CU_ASSERT_EQUAL(l.alarm_percent, 50);
        CU_ASSERT(l.discharge_dA == 1650 || l.charge_dA == 900);
    }
}

int main(void)
{
    CU_TestInfo tests[] = {
        { "everything well gives the maximum, in A and W [ES-3]", test_everything_well_gives_the_maximum },
        { "temperature, SOC and cell voltage ramp both limits, exactly, in every chemistry [ES-3]", test_ramps_of_every_chemistry },
        { "limits end before the alarms open, in every chemistry [ES-3] [AC-6]", test_limits_end_before_the_alarms_open },
        { "less power leaves a share of the side it is about, opening leaves nothing [AC-6]", test_tiers_of_the_alarms },
        { "a limit falls at once and comes back slowly [ES-3]", test_down_at_once_up_slowly },
        { "what is not known is not promised [ES-3]", test_what_is_not_known_is_not_promised },
        { "a prediction only lowers [ES-3]", test_a_prediction_only_lowers },
        { "nothing is exactly nothing, in a large pack too [ES-3]", test_nothing_is_exactly_nothing },
        { "a ramp without width is a step, and nothing wins [ES-3]", test_a_ramp_without_width_is_a_step },
        { "any warning may be set to ask for less [AC-6]", test_any_warning_may_be_set_to_ask_for_less },
        CU_TEST_INFO_NULL,
    };

    return suite_run("power_limits", tests);
}
