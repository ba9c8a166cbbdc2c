/* SPDX-License-Identifier: Apache-2.0 */
#include "firmware/core/protection/alarm.h"

#include "common/span.h"
#include "firmware/core/charge/charge.h"
#include "firmware/core/protection/runaway.h"
#include "firmware/core/protection/trend.h"

enum { ALARM_STEP_MS = 10 };

static bool at_least(const struct alarm_row *row, int32_t value, int32_t limit)
{
    return row->compare == ALARM_ABOVE ? value >= limit : value <= limit;
}

static bool at_most(const struct alarm_row *row, int32_t value, int32_t limit)
{
    return row->compare == ALARM_ABOVE ? value <= limit : value >= limit;
}

static int32_t least(int32_t a, int32_t b)
{
    return a < b ? a : b;
}

static int32_t larger(int32_t a, int32_t b)
{
    return a > b ? a : b;
}

static int16_t saturated(int32_t v)
{
    return (int16_t)larger(least(v, INT16_MAX), INT16_MIN);
}

/* Returns true when the row's alarm has come or gone. */
static bool judge_row(struct alarm_state *s, const struct alarm_row *row, const struct measure_extreme *x, const int32_t *params,
                      const struct alarm_in *in)
{
    bool beyond = at_least(row, x->value, params[row->limit]);
    bool inside = !beyond && at_most(row, x->value, params[row->clear]); /* a clear value set beyond the limit does not make it chatter */
    bool may_go = !row->latch || in->released;
    bool now = s->active ? inside : beyond, before = s->active ? s->inside : s->beyond;

    s->for_ms = before ? span_add(s->for_ms, in->dt_ms) : 0; /* the first time counts as 0 */
    s->beyond = beyond;
    s->inside = inside;
    if (!now || (s->active && !may_go) || s->for_ms < (uint32_t)params[s->active ? row->clear_ms : row->set_ms])
        return false;
    s->active = !s->active;
    if (s->active && s->count < UINT16_MAX)
        s->count++;
    s->raised = (struct sample_alarm) { .alarm = row->id, .level = row->level, .number = x->number, .value = saturated(x->value) };
    return true;
}

/* By what is measured, or by a tester. */
static bool is_set(const struct alarm_state *s)
{
    return s->active || s->simulated_ms;
}

enum alarm_reaction alarm_asks(const struct alarms *a, enum alarm row, const int32_t *params)
{
    return is_set(&a->row[row]) ? (enum alarm_reaction)params[alarm_rows[row].reaction] : ALARM_REACT_NONE;
}

static void sum_up(struct alarms *a, const int32_t *params)
{
    a->active = 0;
    a->level = ALARM_NONE;
    a->open = a->end = a->derate = false;
    for (int i = 0; i < ALARMS; i++) {
        if (!is_set(&a->row[i]))
            continue;
        enum alarm_reaction asked = alarm_asks(a, (enum alarm)i, params);

        a->active++;
        a->open = a->open || asked == ALARM_REACT_OPEN;
        a->end = a->end || asked == ALARM_REACT_END;
        a->derate = a->derate || asked == ALARM_REACT_DERATE;
        a->level = (uint8_t)larger(a->level, alarm_rows[i].level);
    }
}

void alarm_init(struct alarms *a)
{
    *a = (struct alarms) { 0 };
}

/* Returns true when a simulation ends. */
static bool pass_simulation(struct alarm_state *s, uint32_t dt_ms)
{
    bool was = s->simulated_ms != 0;

    s->simulated_ms -= dt_ms < s->simulated_ms ? dt_ms : s->simulated_ms;
    return was && s->simulated_ms == 0;
}

void alarm_simulate(struct alarms *a, enum alarm row, uint32_t ms)
{
    uint32_t most_ms = (uint32_t)ALARM_SIMULATED_MAX_S * 1000;

    a->row[row].simulated_ms = ms < most_ms ? ms : most_ms;
    a->simulation_changed = true;
}

bool alarm_judge(struct alarms *a, const struct alarm_in *in, const int32_t *params)
{
    bool changed = a->simulation_changed;

    a->simulation_changed = false;
    for (int i = 0; i < ALARMS; i++) {
        const struct alarm_row *row = &alarm_rows[i];
        const struct measure_extreme *x = row->compare == ALARM_ABOVE ? &in->high[row->quantity] : &in->low[row->quantity];

        changed = pass_simulation(&a->row[i], in->dt_ms) || changed;
        if (x->known)
            changed = judge_row(&a->row[i], row, x, params, in) || changed;
        else
            a->row[i].beyond = a->row[i].inside = false;
    }
    if (changed || a->active) /* a reaction may have been changed under way */
        sum_up(a, params);
    return changed;
}

void alarm_hold(struct alarms *a)
{
    for (int i = 0; i < ALARMS; i++)
        a->row[i].beyond = a->row[i].inside = false;
}

uint8_t alarm_list(const struct alarms *a, struct sample_alarm *out)
{
    uint8_t n = 0, room = SAMPLE_ALARMS_MAX;

    for (int i = 0; i < ALARMS; i++) /* the places that major ones need */
        room = (uint8_t)(room - (a->row[i].active && alarm_rows[i].level == ALARM_MAJOR && room > 0));
    for (int i = 0; i < ALARMS && n < SAMPLE_ALARMS_MAX; i++) {
        bool major = alarm_rows[i].level == ALARM_MAJOR;

        if (!a->row[i].active || (!major && room == 0))
            continue;
        room = (uint8_t)(room - !major);
        out[n++] = a->row[i].raised;
    }
    for (int i = 0; i < ALARMS && n < SAMPLE_ALARMS_MAX; i++) /* where there is room: real ones first */
        if (!a->row[i].active && a->row[i].simulated_ms)
            out[n++] = (struct sample_alarm) { .alarm = alarm_rows[i].id, .level = alarm_rows[i].level, .number = SAMPLE_ALARM_SIMULATED };
    return n;
}

/* How old what is compared can be. */
static int32_t latency_ms(const struct alarm_row *row, const int32_t *params)
{
    int32_t scan_ms = params[PARAM_afe_scan_ms];

    switch (row->quantity) {
    case ALARM_Q_AFE_AGE:
        return params[row->limit] + scan_ms + ALARM_STEP_MS;
    case ALARM_Q_CURRENT_AGE:
    case ALARM_Q_VCU_AGE:
        return params[row->limit] + ALARM_STEP_MS;
    case ALARM_Q_TEMPERATURE_RISE:
        return 2 * MEASURE_RISE_MS + scan_ms;
    case ALARM_Q_INSULATION: /* a change during a phase shows in full after the next two (insulation.h) */
        return 3 * params[PARAM_insulation_settle_ms] + ALARM_STEP_MS;
    case ALARM_Q_PRECHARGE: /* one try: the relay, the ramp, and that the step after it judges */
        return params[PARAM_relay_feedback_ms] + params[PARAM_precharge_max_ms] + ALARM_STEP_MS;
    case ALARM_Q_WELD:
    case ALARM_Q_STUCK:
    case ALARM_Q_HEATING_WELD:
    case ALARM_Q_OUTPUT_WRONG:
        return params[PARAM_relay_feedback_ms] + ALARM_STEP_MS;
    case ALARM_Q_CHARGE_FAULT: /* the longest that is not a wait for the charger: more than was asked for, once RL3 has closed */
        return params[PARAM_relay_feedback_ms] + CHARGE_BEYOND_MS + ALARM_STEP_MS;
    case ALARM_Q_SOC_JUMP:
    case ALARM_Q_TEMPERATURE_RATE:
        return TREND_TICK_MS + scan_ms;
    case ALARM_Q_RUNAWAY:
        return params[PARAM_runaway_rise_s] * 1000 + 2 * RUNAWAY_TICK_MS + scan_ms;
    case ALARM_Q_PROBES_LOST:
    case ALARM_Q_PROBES_LOST_CHARGING:
    case ALARM_Q_CELL_VOLTAGE:
    case ALARM_Q_CELL_SPREAD:
    case ALARM_Q_CELL_INVALID:
    case ALARM_Q_TEMPERATURE:
    case ALARM_Q_CHARGE_TEMPERATURE:
    case ALARM_Q_TEMPERATURE_SPREAD:
    case ALARM_Q_PROBE_INVALID:
    case ALARM_Q_SUM_APART:
    case ALARM_Q_CHIP_APART:
    case ALARM_Q_DIE_TEMPERATURE:
        return scan_ms;
    default:
        return 0;
    }
}

uint32_t alarm_promise_ms(const struct alarm_row *row, const int32_t *params)
{
    int32_t set_ms = (params[row->set_ms] + ALARM_STEP_MS - 1) / ALARM_STEP_MS * ALARM_STEP_MS;

    int32_t wait_ms = params[row->reaction] == ALARM_REACT_END ? params[PARAM_alarm_open_wait_ms] : 0;

    return (uint32_t)(latency_ms(row, params) + set_ms + wait_ms + ALARM_STEP_MS);
}
