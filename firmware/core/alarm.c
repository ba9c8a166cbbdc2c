/* SPDX-License-Identifier: Apache-2.0 */
#include "firmware/core/alarm.h"

_Static_assert((int)ALARMS <= (int)SAMPLE_ALARMS_MAX, "a sample can name every alarm");

static bool at_least(const struct alarm_row *row, int32_t value, int32_t limit)
{
    return row->compare == ALARM_ABOVE ? value >= limit : value <= limit;
}

static bool at_most(const struct alarm_row *row, int32_t value, int32_t limit)
{
    return row->compare == ALARM_ABOVE ? value <= limit : value >= limit;
}

/* How long `now` has been true without a break, with this span; the first time counts as 0. */
static uint32_t held_ms(bool before, bool now, uint32_t for_ms, uint32_t dt_ms)
{
    if (!now || !before)
        return 0;
    return dt_ms >= UINT32_MAX - for_ms ? UINT32_MAX : for_ms + dt_ms;
}

static int16_t saturated(int32_t v)
{
    return v > INT16_MAX ? INT16_MAX : v < INT16_MIN ? INT16_MIN : (int16_t)v;
}

/* Returns true when the row's alarm has come or gone. */
static bool judge_row(struct alarm_state *s, const struct alarm_row *row, const struct measure_extreme *x, const int32_t *params,
                      uint32_t dt_ms)
{
    bool beyond = at_least(row, x->value, params[row->limit]);
    bool inside = !beyond && at_most(row, x->value, params[row->clear]); /* a clear value set beyond the limit does not make it chatter */
    bool now = s->active ? inside : beyond;

    s->for_ms = held_ms(s->active ? s->inside : s->beyond, now, s->for_ms, dt_ms);
    s->beyond = beyond;
    s->inside = inside;
    if (!now || s->for_ms < (uint32_t)params[s->active ? row->clear_ms : row->set_ms])
        return false;
    s->active = !s->active;
    s->for_ms = 0;
    s->raised = (struct sample_alarm) { .alarm = row->id, .level = row->level, .number = x->number, .value = saturated(x->value) };
    return true;
}

static void sum_up(struct alarms *a)
{
    a->active = 0;
    a->level = ALARM_NONE;
    a->open = false;
    for (int i = 0; i < ALARMS; i++) {
        if (!a->row[i].active)
            continue;
        a->active++;
        a->open = a->open || alarm_rows[i].reaction == ALARM_REACT_OPEN;
        if (alarm_rows[i].level > a->level)
            a->level = alarm_rows[i].level;
    }
}

void alarm_init(struct alarms *a)
{
    *a = (struct alarms) { 0 };
}

bool alarm_judge(struct alarms *a, const struct alarm_in *in, const int32_t *params)
{
    bool changed = false;

    for (int i = 0; i < ALARMS; i++) {
        const struct alarm_row *row = &alarm_rows[i];
        const struct measure_extreme *x = row->compare == ALARM_ABOVE ? &in->high[row->quantity] : &in->low[row->quantity];

        if (x->known)
            changed = judge_row(&a->row[i], row, x, params, in->dt_ms) || changed;
        else
            a->row[i].beyond = a->row[i].inside = false;
    }
    if (changed)
        sum_up(a);
    return changed;
}

void alarm_hold(struct alarms *a)
{
    for (int i = 0; i < ALARMS; i++)
        a->row[i].beyond = a->row[i].inside = false;
}

uint8_t alarm_list(const struct alarms *a, struct sample_alarm *out)
{
    uint8_t n = 0;

    for (int i = 0; i < ALARMS; i++)
        if (a->row[i].active)
            out[n++] = a->row[i].raised;
    return n;
}
