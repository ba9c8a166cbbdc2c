/* SPDX-License-Identifier: Apache-2.0 */
/* api_view.c -- see api_view.h. */
#include "server/api/api_view.h"

#include "proto/tables.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

_Static_assert(ALARMS <= sizeof((struct view_running *)0)->limit_known, "room for the limit of each alarm");

void view_running_take(struct view_running *running, int param, int32_t value)
{
    if (param == PARAM_sample_period_ms)
        running->sample_period_ms = value;
    for (int a = 0; param >= 0 && a < ALARMS; a++) {
        if ((int)alarm_rows[a].limit != param)
            continue;
        running->limit_known[a] = true;
        running->limit[a] = value;
    }
}

const char *view_state_word(enum view_state state)
{
    static const char *const words[VIEW_STATES] = {
        [VIEW_ALARM] = "alarm", [VIEW_WARNING] = "warning", [VIEW_OFFLINE] = "offline", [VIEW_OK] = "ok"
    };

    return words[state];
}

static void cells_of(const struct sample *s, struct view *v)
{
    int64_t sum = 0, count = 0;

    for (int i = 0; i < s->cells; i++) {
        int32_t mV = s->cell_mV[i];

        if (cell_validity(s->cell_mV[i]) != VALIDITY_OK)
            continue;
        v->cell_min_mV = count == 0 || mV < v->cell_min_mV ? mV : v->cell_min_mV;
        v->cell_max_mV = count == 0 || mV > v->cell_max_mV ? mV : v->cell_max_mV;
        sum += mV;
        count++;
    }
    v->has_cells = count > 0;
    v->cell_mean_mV = count > 0 ? (int32_t)((sum + count / 2) / count) : 0;
}

static void temps_of(const struct sample *s, struct view *v)
{
    for (int i = 0; i < s->temps; i++) {
        int32_t t = s->temp_ddegC[i];

        if (temp_validity(s->temp_ddegC[i]) != VALIDITY_OK)
            continue;
        v->temp_min_ddegC = !v->has_temps || t < v->temp_min_ddegC ? t : v->temp_min_ddegC;
        v->temp_max_ddegC = !v->has_temps || t > v->temp_max_ddegC ? t : v->temp_max_ddegC;
        v->has_temps = true;
    }
}

/* The highest level; of equals the one that stands longest. */
static const struct fleet_alarm *worst_of(const struct fleet_vehicle *vehicle)
{
    const struct fleet_alarm *worst = NULL;

    for (size_t i = 0; i < vehicle->alarm_count; i++) {
        const struct fleet_alarm *a = &vehicle->alarms[i];

        if (worst == NULL || a->alarm.level > worst->alarm.level || (a->alarm.level == worst->alarm.level && a->since_ms < worst->since_ms))
            worst = a;
    }
    return worst;
}

static const char *mode_of(const struct fleet_vehicle *vehicle)
{
    if (!vehicle->has_sample)
        return "unknown";
    switch (vehicle->sample.scalar[SAMPLE_mode]) {
    case PACK_MODE_PARKED:
        return "parked";
    case PACK_MODE_DRIVING:
        return "driving";
    case PACK_MODE_CHARGING:
        return "charging";
    default:
        return "unknown";
    }
}

void view_of(const struct fleet_vehicle *vehicle, const struct view_running *running, int64_t now_ms, struct view *v)
{
    *v = (struct view) { .state = VIEW_OK, .mode = mode_of(vehicle), .worst = worst_of(vehicle) };
    v->online = vehicle->link.known ? vehicle->link.online : vehicle->has_sample && now_ms - vehicle->received_at_ms < VIEW_SILENT_MS;
    if (vehicle->has_sample) {
        cells_of(&vehicle->sample, v);
        temps_of(&vehicle->sample, v);
    }
    if (!v->online)
        v->state = VIEW_OFFLINE;
    else if (v->worst != NULL)
        v->state = v->worst->alarm.level >= ALARM_MAJOR ? VIEW_ALARM : VIEW_WARNING;
    v->period_ms = running != NULL && running->sample_period_ms > 0 ? running->sample_period_ms : VIEW_PERIOD_MS;
}

bool view_alarm_limit(const struct sample_alarm *alarm, const struct view_running *running, int32_t *limit)
{
    int i = alarm_by_id(alarm->alarm);

    if (running == NULL || i < 0 || !running->limit_known[i])
        return false;
    *limit = running->limit[i];
    return true;
}

/* A value in its unit, as people read it: 612 of "0.1 degC" is 61.2 °C. */
static void value_text(int32_t value, const char *unit, char *text, size_t size)
{
    int32_t magnitude = value < 0 ? -value : value;

    if (strcmp(unit, "0.1 degC") == 0)
        snprintf(text, size,
                 "%s%" PRId32 ".%" PRId32 " \xC2\xB0"
                 "C",
                 value < 0 ? "-" : "", magnitude / 10, magnitude % 10);
    else
        snprintf(text, size, "%" PRId32 "%s%s", value, unit[0] == '\0' ? "" : " ", unit);
}

/* What `number` counts, and the part of the row's text that repeats it ("cell over-voltage" of cell 47 is "Cell 47 over-voltage"). */
static void subject_of(const struct alarm_row *row, const char **noun, const char **rest)
{
    static const struct {
        enum alarm_quantity quantity;
        const char *noun, *prefix;
    } subjects[] = {
        { ALARM_Q_CELL_VOLTAGE, "Cell", "cell " },    { ALARM_Q_CELL_SPREAD, "Cell", "cell " },
        { ALARM_Q_TEMPERATURE, "Probe", "" },         { ALARM_Q_AFE_AGE, "AFE chip", "AFE chip " },
        { ALARM_Q_CELL_INVALID, "Cell", "cell " },    { ALARM_Q_PROBE_INVALID, "Probe", "temperature probe " },
        { ALARM_Q_CHARGE_TEMPERATURE, "Probe", "" },  { ALARM_Q_TEMPERATURE_SPREAD, "Probe", "" },
        { ALARM_Q_TEMPERATURE_RISE, "Probe", "" },    { ALARM_Q_WELD, "Contactor", "contactor " },
        { ALARM_Q_STUCK, "Contactor", "contactor " },
    };

    *noun = "No.";
    *rest = row->text;
    for (size_t i = 0; i < sizeof subjects / sizeof subjects[0]; i++) {
        size_t len = strlen(subjects[i].prefix);

        if (subjects[i].quantity != row->quantity)
            continue;
        *noun = subjects[i].noun;
        if (strncmp(row->text, subjects[i].prefix, len) == 0)
            *rest = row->text + len;
    }
}

static bool value_is_validity(const struct alarm_row *row)
{
    return row->quantity == ALARM_Q_CELL_INVALID || row->quantity == ALARM_Q_PROBE_INVALID;
}

static const char *validity_phrase(int value)
{
    static const char *const phrases[] = { "valid", "never received", "stale", "sensor open", "implausible", "not fitted" };

    return value >= 0 && (size_t)value < sizeof phrases / sizeof phrases[0] ? phrases[value] : "not valid";
}

static void measured_text(const struct alarm_row *row, const struct sample_alarm *alarm, const struct view_running *running, char *text,
                          size_t size)
{
    char value[40], limit[40];
    int32_t limit_value = 0;

    value_text(alarm->value, row->unit, value, sizeof value);
    if (value_is_validity(row)) {
        snprintf(text, size, "%s", validity_phrase(alarm->value));
    } else if (view_alarm_limit(alarm, running, &limit_value)) {
        value_text(limit_value, row->unit, limit, sizeof limit);
        snprintf(text, size, "%s (limit %s)", value, limit);
    } else {
        snprintf(text, size, "%s", value);
    }
}

void view_alarm_text(const struct sample_alarm *alarm, const struct view_running *running, char *text, size_t size)
{
    char measured[96];
    const char *noun, *rest;
    int i = alarm_by_id(alarm->alarm);

    if (i < 0) {
        snprintf(text, size, "Alarm %d, number %d: %d", alarm->alarm, alarm->number, alarm->value);
        return;
    }
    const struct alarm_row *row = &alarm_rows[i];

    subject_of(row, &noun, &rest);
    measured_text(row, alarm, running, measured, sizeof measured);
    if (alarm->number == SAMPLE_ALARM_SIMULATED)
        snprintf(measured, sizeof measured, "simulated by a tester");
    if (alarm->number > 0 && alarm->number != SAMPLE_ALARM_SIMULATED) {
        snprintf(text, size, "%s %d %s: %s", noun, alarm->number, rest, measured);
        return;
    }
    snprintf(text, size, "%s: %s", row->text, measured);
    if (text[0] >= 'a' && text[0] <= 'z')
        text[0] = (char)(text[0] - 'a' + 'A');
}
