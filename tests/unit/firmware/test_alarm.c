/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>

#include "firmware/core/charge/charge.h"
#include "firmware/core/protection/alarm.h"
#include "firmware/core/protection/runaway.h"
#include "firmware/core/protection/trend.h"
#include "firmware/core/store/params.h"
#include "tests/unit/suite.h"

static struct alarms a;
static struct alarm_in in;
static int32_t values[PARAMS];

/* A quantity shows this value, at number 12. */
static void show(const struct alarm_row *row, int32_t value)
{
    struct measure_extreme x = { true, value, 12 };

    if (row->compare == ALARM_ABOVE)
        in.high[row->quantity] = x;
    else
        in.low[row->quantity] = x;
}

static void start(void)
{
    params_defaults(CHEMISTRY_NMC, values);
    alarm_init(&a);
    in = (struct alarm_in) { .dt_ms = 10, .released = true };
}

/* One step further towards trouble. */
static int32_t worse(const struct alarm_row *row, int32_t value)
{
    return row->compare == ALARM_ABOVE ? value + 1 : value - 1;
}

static int32_t better(const struct alarm_row *row, int32_t value)
{
    return row->compare == ALARM_ABOVE ? value - 1 : value + 1;
}

/* Calls until the row is (not) active; the ms that have passed since the first of them, or -1 after max_ms. */
static int32_t ms_until(int i, bool active, int32_t max_ms)
{
    for (int32_t t = 0; t <= max_ms; t += 10) {
        alarm_judge(&a, &in, values);
        if (a.row[i].active == active)
            return t;
    }
    return -1;
}

static int32_t up_to_10(int32_t ms)
{
    return (ms + 9) / 10 * 10;
}

static void every_row_limits_and_delays(enum chemistry chemistry)
{
    for (int i = 0; i < ALARMS; i++) {
        const struct alarm_row *row = &alarm_rows[i];

        start();
        params_defaults(chemistry, values);
        int32_t set_ms = up_to_10(values[row->set_ms]), clear_ms = up_to_10(values[row->clear_ms]);

        show(row, better(row, values[row->limit]));
        CU_ASSERT_EQUAL(ms_until(i, true, set_ms + 100), -1);
        show(row, values[row->limit]); /* exactly the limit sets it */
        CU_ASSERT_EQUAL(ms_until(i, true, set_ms + 100), set_ms);
        CU_ASSERT_EQUAL(a.row[i].raised.alarm, row->id);
        CU_ASSERT_EQUAL(a.row[i].raised.number, 12);
        CU_ASSERT_EQUAL(a.row[i].raised.value, values[row->limit]);
        CU_ASSERT_EQUAL(a.level, row->level);
        CU_ASSERT_EQUAL(a.open, values[row->reaction] == ALARM_REACT_OPEN);
        CU_ASSERT_EQUAL(a.end, values[row->reaction] == ALARM_REACT_END);
        show(row, worse(row, values[row->clear])); /* one short of the clear value keeps it */
        CU_ASSERT_EQUAL(ms_until(i, false, clear_ms + 100), -1);
        show(row, values[row->clear]);
        CU_ASSERT_EQUAL(ms_until(i, false, clear_ms + 100), clear_ms);
        CU_ASSERT(a.level < ALARM_MAJOR); /* a major one leaves its warning behind for a while */
        CU_ASSERT_FALSE(a.open || a.end);
    }
}

static void test_every_row_limits_and_delays(void)
{
    for (int c = 0; c < CHEMISTRIES; c++)
        every_row_limits_and_delays((enum chemistry)c);
}

static void test_a_short_excursion_starts_the_delay_afresh(void)
{
    const struct alarm_row *row = &alarm_rows[ALARM_cell_over_voltage];

    start();
    show(row, 4250);
    CU_ASSERT_EQUAL(ms_until(ALARM_cell_over_voltage, true, 90), -1); /* one call short */
    show(row, 4249);
    alarm_judge(&a, &in, values);
    show(row, 4250);
    CU_ASSERT_EQUAL(ms_until(ALARM_cell_over_voltage, true, 200), 100);
}

static void test_one_alarm_is_one_event_and_names_who_raised_it(void)
{
    struct sample_alarm list[SAMPLE_ALARMS_MAX];
    int events = 0;

    start();
    in.high[ALARM_Q_CELL_VOLTAGE] = (struct measure_extreme) { true, 4300, 48 };
    for (int t = 0; t < 1000; t += 10)
        events += alarm_judge(&a, &in, values);
    CU_ASSERT_EQUAL(events, 2); /* the alarm, then the warning with the plea for less power */
    in.high[ALARM_Q_CELL_VOLTAGE] = (struct measure_extreme) { true, 4400, 3 };
    for (int t = 0; t < 1000; t += 10)
        events += alarm_judge(&a, &in, values);
    CU_ASSERT_EQUAL(events, 2);
    CU_ASSERT_EQUAL(alarm_list(&a, list), 3);
    CU_ASSERT_EQUAL(list[1].alarm, 2);
    CU_ASSERT_EQUAL(list[1].number, 48);
    CU_ASSERT_EQUAL(list[1].value, 4300);
    CU_ASSERT_EQUAL(a.active, 3);
    CU_ASSERT(a.derate);
    CU_ASSERT_EQUAL(a.row[ALARM_cell_over_voltage].count, 1);
}

static void test_a_quantity_that_is_not_known_changes_nothing(void)
{
    start();
    in.high[ALARM_Q_CELL_VOLTAGE] = (struct measure_extreme) { true, 4300, 1 };
    ms_until(ALARM_cell_over_voltage, true, 1000);
    in.high[ALARM_Q_CELL_VOLTAGE] = (struct measure_extreme) { false, 0, 0 };
    CU_ASSERT_EQUAL(ms_until(ALARM_cell_over_voltage, false, 60000), -1);
    CU_ASSERT(a.open);
    CU_ASSERT_FALSE(a.row[ALARM_cell_under_voltage].active); /* and the missing value is not 0 */
}

static void test_clear_set_beyond_the_limit_does_not_chatter(void)
{
    int events = 0;

    start();
    values[PARAM_cell_over_voltage_clear] = 4300;
    values[PARAM_cell_over_voltage_clear_ms] = 0;
    values[PARAM_cell_over_voltage_set_ms] = 0;
    values[PARAM_cell_over_voltage_warning_limit] = 5000;
    values[PARAM_cell_over_voltage_derate_limit] = 5000;
    in.high[ALARM_Q_CELL_VOLTAGE] = (struct measure_extreme) { true, 4260, 1 };
    for (int t = 0; t < 1000; t += 10)
        events += alarm_judge(&a, &in, values);
    CU_ASSERT_EQUAL(events, 1);
}

static void test_long_spans_do_not_wrap(void)
{
    start();
    values[PARAM_cell_over_voltage_set_ms] = 60000;
    show(&alarm_rows[ALARM_cell_over_voltage], 4300);
    alarm_judge(&a, &in, values);
    in.dt_ms = UINT32_MAX;
    alarm_judge(&a, &in, values);
    CU_ASSERT(a.row[ALARM_cell_over_voltage].active);
}

static void test_a_sleep_does_not_count(void)
{
    start();
    show(&alarm_rows[ALARM_cell_over_voltage], 4300);
    CU_ASSERT_EQUAL(ms_until(ALARM_cell_over_voltage, true, 90), -1);
    alarm_hold(&a);
    CU_ASSERT_EQUAL(ms_until(ALARM_cell_over_voltage, true, 200), 100);
}

static void test_value_saturates(void)
{
    start();
    in.high[ALARM_Q_AFE_AGE] = (struct measure_extreme) { true, AFE_AGE_MAX, 5 };
    alarm_judge(&a, &in, values);
    CU_ASSERT_EQUAL(a.row[ALARM_afe_silent].raised.value, INT16_MAX);
    CU_ASSERT_EQUAL(a.row[ALARM_afe_silent].raised.number, 5);
}

static void test_a_latched_alarm_waits_until_nothing_is_asked_for(void)
{
    int latched = 0;

    for (int i = 0; i < ALARMS; i++) {
        const struct alarm_row *row = &alarm_rows[i];

        start();
        in.released = false;
        show(row, values[row->limit]);
        CU_ASSERT(ms_until(i, true, 700000) >= 0);
        show(row, values[row->clear]);
        CU_ASSERT_EQUAL(ms_until(i, false, 700000) < 0, row->latch);
        in.released = true;
        CU_ASSERT(ms_until(i, false, 0) == 0);
        latched += row->latch;
    }
    CU_ASSERT_EQUAL(latched, 13);
}

static void test_a_warning_alone_asks_for_nothing(void)
{
    start();
    show(&alarm_rows[ALARM_supply_low_warning], 8000);
    CU_ASSERT(ms_until(ALARM_supply_low_warning, true, 1000) >= 0);
    CU_ASSERT(a.active == 1 && !a.derate && !a.open);
    show(&alarm_rows[ALARM_discharge_over_current_warning], 3500);
    CU_ASSERT(ms_until(ALARM_discharge_over_current_warning, true, 1000) >= 0);
    CU_ASSERT(a.active == 2 && a.derate && !a.open);
}

static void test_occurrences_are_counted(void)
{
    start();
    values[PARAM_cell_over_voltage_set_ms] = values[PARAM_cell_over_voltage_clear_ms] = 0;
    for (int i = 1; i <= 5; i++) {
        show(&alarm_rows[ALARM_cell_over_voltage], 4250);
        alarm_judge(&a, &in, values);
        CU_ASSERT_EQUAL(a.row[ALARM_cell_over_voltage].count, i);
        show(&alarm_rows[ALARM_cell_over_voltage], 4000);
        alarm_judge(&a, &in, values);
    }
    a.row[ALARM_cell_over_voltage].count = UINT16_MAX;
    show(&alarm_rows[ALARM_cell_over_voltage], 4250);
    alarm_judge(&a, &in, values);
    CU_ASSERT_EQUAL(a.row[ALARM_cell_over_voltage].count, UINT16_MAX);
}

static void test_a_list_that_is_full_keeps_the_major_ones(void)
{
    struct sample_alarm list[SAMPLE_ALARMS_MAX];
    int majors = 0, warnings = 0, listed_majors = 0;

    start();
    for (int i = 0; i < ALARMS; i++) { /* all warnings, and every second major one */
        bool major = alarm_rows[i].level == ALARM_MAJOR;

        a.row[i].active = !major || majors++ % 2;
        a.row[i].raised = (struct sample_alarm) { alarm_rows[i].id, alarm_rows[i].level, 0, 0 };
        warnings += !major;
    }
    CU_ASSERT(majors / 2 < SAMPLE_ALARMS_MAX && majors / 2 + warnings > SAMPLE_ALARMS_MAX);
    CU_ASSERT_EQUAL(alarm_list(&a, list), SAMPLE_ALARMS_MAX);
    for (int i = 0; i < SAMPLE_ALARMS_MAX; i++) {
        listed_majors += list[i].level == ALARM_MAJOR;
        CU_ASSERT(i == 0 || list[i].alarm > list[i - 1].alarm);
    }
    CU_ASSERT_EQUAL(listed_majors, majors / 2);
    for (int i = 0; i < ALARMS; i++)
        a.row[i].active = true;
    CU_ASSERT(majors > SAMPLE_ALARMS_MAX);
    CU_ASSERT_EQUAL(alarm_list(&a, list), SAMPLE_ALARMS_MAX);
    for (int i = 0; i < SAMPLE_ALARMS_MAX; i++)
        CU_ASSERT_EQUAL(list[i].level, ALARM_MAJOR);
}

/* The tier of a row: what it asks for, then how loud it is. */
static int tier(const struct alarm_row *row)
{
    return param_rows[row->reaction].dflt[CHEMISTRY_NMC] * 4 + row->level;
}

static bool is_further(const struct alarm_row *row, int32_t one, int32_t other)
{
    return row->compare == ALARM_ABOVE ? one > other : one < other;
}

static void test_every_profile_is_in_order(void)
{
    int pairs = 0;

    for (int c = 0; c < CHEMISTRIES; c++)
        for (int i = 0; i < ALARMS; i++) {
            const struct alarm_row *mild = &alarm_rows[i];
            int32_t limit = param_rows[mild->limit].dflt[c], clear = param_rows[mild->clear].dflt[c];

            if (!is_further(mild, limit, clear))
                printf("%s of %s clears at %d\n", mild->name, chemistry_word(c), clear);
            CU_ASSERT(is_further(mild, limit, clear));
            for (int k = 0; k < ALARMS; k++) {
                const struct alarm_row *hard = &alarm_rows[k];

                if (hard->quantity != mild->quantity || hard->compare != mild->compare || tier(mild) >= tier(hard))
                    continue;
                pairs++;
                if (!is_further(mild, param_rows[hard->limit].dflt[c], limit))
                    printf("%s of %s is not inside %s\n", mild->name, chemistry_word(c), hard->name);
                CU_ASSERT(is_further(mild, param_rows[hard->limit].dflt[c], limit));
            }
        }
    CU_ASSERT(pairs >= 4 * 20);
}

static void test_every_row_is_a_parameter_with_hard_limits(void)
{
    for (int i = 0; i < ALARMS; i++) {
        const enum param params[] = { alarm_rows[i].limit, alarm_rows[i].clear, alarm_rows[i].set_ms, alarm_rows[i].clear_ms,
                                      alarm_rows[i].reaction };

        for (int k = 0; k < 5; k++) {
            const struct param_row *p = &param_rows[params[k]];

            CU_ASSERT(p->min <= p->max);
            for (int c = 0; c < CHEMISTRIES; c++)
                CU_ASSERT(p->dflt[c] >= p->min && p->dflt[c] <= p->max);
            CU_ASSERT(params_check(params[k], p->min - 1) != 0 && params_check(params[k], p->max + 1) != 0);
        }
    }
}

/* The least is what the row of the safety table says; a warning opens nothing. */
static void test_a_reaction_is_never_milder_than_its_row(void)
{
    for (int i = 0; i < ALARMS; i++) {
        const struct alarm_row *row = &alarm_rows[i];
        const struct param_row *p = &param_rows[row->reaction];

        CU_ASSERT_EQUAL(p->min, (int32_t)row->least);
        CU_ASSERT_EQUAL(p->max, row->level == ALARM_MAJOR ? (int32_t)ALARM_REACT_OPEN : (int32_t)ALARM_REACT_DERATE);
        CU_ASSERT_EQUAL(p->id, 700 + row->id);
    }
}

static bool asks_for(enum alarm_reaction reaction)
{
    return a.open == (reaction == ALARM_REACT_OPEN) && a.end == (reaction == ALARM_REACT_END) &&
           a.derate == (reaction == ALARM_REACT_DERATE);
}

/* Every row, every reaction that it can be set to, set before the alarm comes or while it stands. */
static void test_every_row_reacts_as_its_parameter_says(void)
{
    for (int i = 0; i < ALARMS; i++) {
        const struct alarm_row *row = &alarm_rows[i];
        const struct param_row *p = &param_rows[row->reaction];

        for (int32_t reaction = p->min; reaction <= p->max; reaction++) {
            start();
            for (int k = 0; k < ALARMS; k++) /* that of other rows with the same quantity does not matter here */
                values[alarm_rows[k].reaction] = k == i ? reaction : (int32_t)ALARM_REACT_NONE;
            show(row, values[row->limit]);
            CU_ASSERT_FATAL(ms_until(i, true, values[row->set_ms] + 100) >= 0);
            CU_ASSERT(asks_for((enum alarm_reaction)reaction));
            CU_ASSERT_EQUAL(alarm_asks(&a, (enum alarm)i, values), (enum alarm_reaction)reaction);
            for (int32_t other = p->min; other <= p->max; other++) {
                values[row->reaction] = other;
                alarm_judge(&a, &in, values);
                CU_ASSERT(asks_for((enum alarm_reaction)other));
            }
        }
        alarm_init(&a);
        CU_ASSERT_EQUAL(alarm_asks(&a, (enum alarm)i, values), ALARM_REACT_NONE);
    }
}

static void test_value_saturates_downwards(void)
{
    start();
    in.low[ALARM_Q_CURRENT] = (struct measure_extreme) { true, -40000, 0 }; /* -4,000 A */
    CU_ASSERT(ms_until(ALARM_charge_over_current_peak, true, 1000) >= 0);
    CU_ASSERT_EQUAL(a.row[ALARM_charge_over_current_peak].raised.value, INT16_MIN);
}

/* What has to be measured, the delay of the row up to a whole step, and one step. */
static void test_every_row_promises_a_time(void)
{
    static const struct {
        enum alarm alarm;
        int32_t measured_ms; /* with the parameters of NMC */
    } rows[] = { { ALARM_cell_over_voltage, 20 },      { ALARM_pack_over_voltage, 0 },     { ALARM_temperature_rise, 2020 },
                 { ALARM_contactor_welded, 100 + 10 }, { ALARM_heating_welded, 100 + 10 }, { ALARM_soc_jump_warning, TREND_TICK_MS + 20 },
                 { ALARM_chip_apart_warning, 20 },     { ALARM_probe_open, 20 },           { ALARM_discharge_over_current_peak, 0 } };

    start();
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        const struct alarm_row *row = &alarm_rows[rows[i].alarm];

        values[row->set_ms] = 101; /* 110 in steps */
        CU_ASSERT_EQUAL(alarm_promise_ms(row, values), (uint32_t)rows[i].measured_ms + 110 + 10);
        values[row->set_ms] = 100;
        CU_ASSERT_EQUAL(alarm_promise_ms(row, values), (uint32_t)rows[i].measured_ms + 100 + 10);
    }
    const int32_t *p = values;
    const struct {
        enum alarm alarm;
        int32_t measured_ms;
    } by_parameter[] = { { ALARM_afe_silent, p[PARAM_afe_silent_limit] + 20 + 10 },
                         { ALARM_current_sensor_silent, p[PARAM_current_sensor_silent_limit] + 10 },
                         { ALARM_insulation, 3 * p[PARAM_insulation_settle_ms] + 10 },
                         { ALARM_precharge_failed, 100 + p[PARAM_precharge_max_ms] + 10 },
                         { ALARM_charge_failed, 100 + CHARGE_BEYOND_MS + 10 },
                         { ALARM_thermal_runaway, p[PARAM_runaway_rise_s] * 1000 + 2 * RUNAWAY_TICK_MS + 20 } };

    for (size_t i = 0; i < sizeof(by_parameter) / sizeof(by_parameter[0]); i++) {
        const struct alarm_row *row = &alarm_rows[by_parameter[i].alarm];

        values[row->set_ms] = 0;
        CU_ASSERT_EQUAL(alarm_promise_ms(row, values), (uint32_t)by_parameter[i].measured_ms + 10);
    }
}

/* The first call that sees it counts as 0 ms, and a break of a single call begins the delay afresh: set and clear, of every row. */
static void test_delays_are_exact_to_the_ms(void)
{
    for (int i = 0; i < ALARMS; i++) {
        const struct alarm_row *row = &alarm_rows[i];

        start();
        in.dt_ms = 1;
        values[row->set_ms] = values[row->clear_ms] = 25;
        for (int active = 0; active <= 1; active++) {
            int32_t towards = active ? values[row->clear] : values[row->limit], back = active ? values[row->limit] : values[row->clear];

            for (int ms = 0; ms < 25; ms++) {
                show(row, towards);
                alarm_judge(&a, &in, values);
            }
            show(row, back); /* 1 ms too early */
            alarm_judge(&a, &in, values);
            for (int ms = 0; ms < 25; ms++) {
                show(row, towards);
                alarm_judge(&a, &in, values);
            }
            alarm_hold(&a); /* nor does a sleep count */
            for (int ms = 0; ms < 25; ms++)
                alarm_judge(&a, &in, values);
            in.high[row->quantity].known = in.low[row->quantity].known = false; /* nor a time without a value */
            alarm_judge(&a, &in, values);
            show(row, towards);
            for (int ms = 0; ms < 25; ms++)
                alarm_judge(&a, &in, values);
            CU_ASSERT_EQUAL(a.row[i].active, active);
            alarm_judge(&a, &in, values);
            CU_ASSERT_EQUAL(a.row[i].active, !active);
        }
    }
}

/* A tester sees what the real one would do, told apart by its number, for as long as was asked for. */
static void test_a_simulated_alarm_acts_as_a_real_one_and_ends(void)
{
    struct sample_alarm list[SAMPLE_ALARMS_MAX];

    for (int i = 0; i < ALARMS; i++) {
        start();
        alarm_simulate(&a, (enum alarm)i, 30);
        CU_ASSERT(alarm_judge(&a, &in, values)); /* news */
        CU_ASSERT(a.active == 1 && a.level == alarm_rows[i].level);
        CU_ASSERT_EQUAL(a.open, values[alarm_rows[i].reaction] == ALARM_REACT_OPEN);
        CU_ASSERT_EQUAL(alarm_list(&a, list), 1);
        CU_ASSERT(list[0].alarm == alarm_rows[i].id && list[0].number == SAMPLE_ALARM_SIMULATED);
        CU_ASSERT_FALSE(alarm_judge(&a, &in, values)); /* told once */
        CU_ASSERT(a.active == 1);
        CU_ASSERT(alarm_judge(&a, &in, values)); /* and that it is over */
        CU_ASSERT(a.active == 0 && !a.open && a.level == ALARM_NONE && alarm_list(&a, list) == 0);
        CU_ASSERT_FALSE(alarm_judge(&a, &in, values));
    }
    start();
    in.dt_ms = 1000;
    alarm_simulate(&a, ALARM_cell_over_voltage, UINT32_MAX); /* ten minutes at most */
    for (int seconds = 1; seconds < ALARM_SIMULATED_MAX_S; seconds++)
        alarm_judge(&a, &in, values);
    in.dt_ms = 999;
    alarm_judge(&a, &in, values);
    CU_ASSERT(a.active == 1);
    in.dt_ms = 1;
    alarm_judge(&a, &in, values);
    CU_ASSERT(a.active == 0);
    alarm_simulate(&a, ALARM_cell_over_voltage, 20);
    alarm_judge(&a, &in, values);
    alarm_simulate(&a, ALARM_cell_over_voltage, 0); /* no longer */
    CU_ASSERT(alarm_judge(&a, &in, values));
    CU_ASSERT(a.active == 0);
}

static void test_real_alarms_are_told_before_simulated_ones(void)
{
    struct sample_alarm list[SAMPLE_ALARMS_MAX + 1];

    start();
    show(&alarm_rows[ALARM_cell_over_voltage], 4300);
    CU_ASSERT(ms_until(ALARM_cell_over_voltage, true, 1000) >= 0);
    ms_until(ALARM_cell_over_voltage, false, 2000); /* its warning has come as well */
    for (int i = 0; i < ALARMS; i++)
        alarm_simulate(&a, (enum alarm)i, 1000);
    alarm_judge(&a, &in, values);
    CU_ASSERT(a.active == ALARMS); /* one that is both counts once */
    list[SAMPLE_ALARMS_MAX].alarm = 77;
    CU_ASSERT_EQUAL(alarm_list(&a, list), SAMPLE_ALARMS_MAX); /* as many as there is room for, the real ones first, once each */
    CU_ASSERT(list[0].alarm == 1 && list[0].number == 12 && list[1].alarm == 2 && list[1].number == 12);
    CU_ASSERT_EQUAL(list[SAMPLE_ALARMS_MAX].alarm, 77);
    for (int i = 1; i < SAMPLE_ALARMS_MAX; i++)
        for (int k = 0; k < i; k++)
            CU_ASSERT(list[i].alarm != list[k].alarm);
}

static void test_the_time_to_end_without_load_is_promised_too(void)
{
    const struct alarm_row *row = &alarm_rows[ALARM_cell_over_voltage];

    start();
    uint32_t open_ms = alarm_promise_ms(row, values);

    values[row->reaction] = ALARM_REACT_END;
    CU_ASSERT_EQUAL(alarm_promise_ms(row, values), open_ms + (uint32_t)values[PARAM_alarm_open_wait_ms]);
}

int main(void)
{
    CU_TestInfo tests[] = {
        { "every row and every chemistry: exact limits, exact delays, hysteresis, reaction [AC-6]", test_every_row_limits_and_delays },
        { "an excursion that is too short starts the delay afresh [AC-6]", test_a_short_excursion_starts_the_delay_afresh },
        { "one alarm is one event and names the cell that raised it [AC-6]", test_one_alarm_is_one_event_and_names_who_raised_it },
        { "a quantity that is not known changes nothing", test_a_quantity_that_is_not_known_changes_nothing },
        { "a clear value set beyond the limit does not make it chatter", test_clear_set_beyond_the_limit_does_not_chatter },
        { "long spans do not wrap", test_long_spans_do_not_wrap },
        { "a sleep does not count towards a delay", test_a_sleep_does_not_count },
        { "the reported value saturates", test_value_saturates },
        { "a latched alarm waits until nothing is asked for [AC-6]", test_a_latched_alarm_waits_until_nothing_is_asked_for },
        { "a warning alone asks for nothing, less power is a tier of its own [AC-6]", test_a_warning_alone_asks_for_nothing },
        { "occurrences are counted [AC-6]", test_occurrences_are_counted },
        { "every profile: clear inside the limit, warning inside less power inside open [AC-6] [PK-4]", test_every_profile_is_in_order },
        { "every threshold, hysteresis, delay and reaction is a parameter with hard limits [AC-6]",
          test_every_row_is_a_parameter_with_hard_limits },
        { "a reaction can be set harder than its row of the safety table, never milder [AC-6]",
          test_a_reaction_is_never_milder_than_its_row },
        { "every row reacts as its parameter says, from the moment it is changed [AC-6]", test_every_row_reacts_as_its_parameter_says },
        { "a list that is full keeps the major alarms, in order [AC-6]", test_a_list_that_is_full_keeps_the_major_ones },
        { "the reported value saturates downwards", test_value_saturates_downwards },
        { "every row promises a time: measuring, delay, one step [AC-6]", test_every_row_promises_a_time },
        { "the time to end without load is promised too [AC-6]", test_the_time_to_end_without_load_is_promised_too },
        { "delays are exact to the ms, and begin afresh after a break [AC-6]", test_delays_are_exact_to_the_ms },
        { "a simulated alarm acts as a real one, and ends [UC-6]", test_a_simulated_alarm_acts_as_a_real_one_and_ends },
        { "of real and simulated alarms the real ones are told first [UC-6]", test_real_alarms_are_told_before_simulated_ones },
        CU_TEST_INFO_NULL,
    };

    return suite_run("alarm", tests);
}
