/* SPDX-License-Identifier: Apache-2.0 */
/* api_render.c -- see api_render.h. */
#include "server/api/api_render.h"

#include "proto/tables.h"

#include <stdio.h>
#include <string.h>

/* The recorded rows of signals.def, as the API names them. A plain field of 32 bits has no code for "not valid": it is shown as it is. */
static const struct {
    const char *name;
    bool plain;
} scalars[SAMPLE_SCALARS] = {
#define KIND_U 0
#define KIND_S 0
#define KIND_B 1
#define SCALAR_0(name, bits, kind)
#define SCALAR_1(name, bits, kind)                                                      [SAMPLE_##name] = { #name, KIND_##kind && (bits) == 32 },
#define SIGNAL(message, name, start_bit, bits, kind, unit, min, max, recorded, comment) SCALAR_##recorded(name, bits, kind)
#include "proto/signals.def"
#undef SIGNAL
};

static bool known_time(int64_t at_ms)
{
    return at_ms > 0;
}

static enum validity validity_of(size_t i, int32_t value)
{
    return scalars[i].plain ? VALIDITY_OK : scalar_validity(value);
}

static void member_scalar(struct jsonw *j, const char *name, const struct fleet_vehicle *vehicle, enum sample_scalar i)
{
    jsonw_member_opt(j, name, vehicle->has_sample && scalar_validity(vehicle->sample.scalar[i]) == VALIDITY_OK, vehicle->sample.scalar[i]);
}

void render_row(struct jsonw *j, const struct fleet_vehicle *vehicle, const struct render_extra *extra)
{
    struct view v;
    char text[ALARM_TEXT_SIZE];
    const char *dot = strchr(vehicle->device, '.');

    view_of(vehicle, extra->running, extra->now_ms, &v);
    jsonw_object(j);
    jsonw_member_str(j, "id", vehicle->device);
    jsonw_member_str(j, "name", dot == NULL ? vehicle->device : dot + 1);
    jsonw_member_str(j, "state", view_state_word(v.state));
    if (v.worst != NULL)
        view_alarm_text(&v.worst->alarm, extra->running, text, sizeof text);
    jsonw_member_str(j, "reason", v.worst == NULL ? NULL : text);
    jsonw_member_bool(j, "online", v.online);
    jsonw_member_opt(j, "link_at", known_time(vehicle->link.at_ms), vehicle->link.at_ms);
    jsonw_member_str(j, "mode", v.mode);
    jsonw_member_int(j, "period_ms", v.period_ms);
    jsonw_member_str(j, "chemistry", vehicle->link.chemistry);
    jsonw_member_int(j, "cells", vehicle->has_sample ? vehicle->sample.cells : 0);
    member_scalar(j, "soc_permyriad", vehicle, SAMPLE_soc_permyriad);
    member_scalar(j, "pack_voltage_mV", vehicle, SAMPLE_pack_voltage_mV);
    member_scalar(j, "pack_current_mA", vehicle, SAMPLE_pack_current_mA);
    jsonw_member_opt(j, "cell_max_mV", v.has_cells, v.cell_max_mV);
    jsonw_member_opt(j, "cell_min_mV", v.has_cells, v.cell_min_mV);
    jsonw_member_opt(j, "spread_mV", v.has_cells, v.cell_max_mV - v.cell_min_mV);
    jsonw_member_opt(j, "temp_max_ddegC", v.has_temps, v.temp_max_ddegC);
    jsonw_member_opt(j, "temp_min_ddegC", v.has_temps, v.temp_min_ddegC);
    jsonw_member_opt(j, "measured_at", vehicle->has_sample && vehicle->sample.utc_ms > 0, (int64_t)vehicle->sample.utc_ms);
    jsonw_member_opt(j, "received_at", vehicle->has_sample, vehicle->received_at_ms);
    jsonw_object_end(j);
}

static void render_scalars(struct jsonw *j, const struct sample *s)
{
    jsonw_key(j, "scalars");
    jsonw_object(j);
    for (size_t i = 0; i < SAMPLE_SCALARS; i++) {
        int64_t value = scalars[i].plain ? (int64_t)(uint32_t)s->scalar[i] : s->scalar[i];

        jsonw_member_opt(j, scalars[i].name, validity_of(i, s->scalar[i]) == VALIDITY_OK, value);
    }
    jsonw_object_end(j);
    jsonw_key(j, "quality");
    jsonw_object(j);
    for (size_t i = 0; i < SAMPLE_SCALARS; i++) {
        enum validity why = validity_of(i, s->scalar[i]);

        if (why != VALIDITY_OK)
            jsonw_member_str(j, scalars[i].name, validity_word(why));
    }
    jsonw_object_end(j);
}

static void quality_of(struct jsonw *j, int number, enum validity why)
{
    char name[8];

    if (why == VALIDITY_OK)
        return;
    snprintf(name, sizeof name, "%d", number);
    jsonw_member_str(j, name, validity_word(why));
}

static void render_cells(struct jsonw *j, const struct sample *s)
{
    jsonw_key(j, "cell_mV");
    jsonw_array(j);
    for (int i = 0; i < s->cells; i++) {
        if (cell_validity(s->cell_mV[i]) == VALIDITY_OK)
            jsonw_int(j, s->cell_mV[i]);
        else
            jsonw_null(j);
    }
    jsonw_array_end(j);
    jsonw_key(j, "cell_quality");
    jsonw_object(j);
    for (int i = 0; i < s->cells; i++)
        quality_of(j, i + 1, cell_validity(s->cell_mV[i]));
    jsonw_object_end(j);
}

static void render_temps(struct jsonw *j, const struct sample *s)
{
    jsonw_key(j, "temp_ddegC");
    jsonw_array(j);
    for (int i = 0; i < s->temps; i++) {
        if (temp_validity(s->temp_ddegC[i]) == VALIDITY_OK)
            jsonw_int(j, s->temp_ddegC[i]);
        else
            jsonw_null(j);
    }
    jsonw_array_end(j);
    jsonw_key(j, "temp_quality");
    jsonw_object(j);
    for (int i = 0; i < s->temps; i++)
        quality_of(j, i + 1, temp_validity(s->temp_ddegC[i]));
    jsonw_object_end(j);
}

static void render_balancing(struct jsonw *j, const struct sample *s)
{
    jsonw_key(j, "balancing");
    jsonw_array(j);
    for (int i = 0; i < s->cells; i++) {
        if ((s->balancing[i / 16] >> (i % 16) & 1) != 0)
            jsonw_int(j, i + 1);
    }
    jsonw_array_end(j);
}

void render_alarm(struct jsonw *j, const struct fleet_alarm *alarm, const struct view_running *running)
{
    char text[ALARM_TEXT_SIZE], name[16];
    int row = alarm_by_id(alarm->alarm.alarm);
    int32_t limit = 0;
    bool limited = view_alarm_limit(&alarm->alarm, running, &limit);

    view_alarm_text(&alarm->alarm, running, text, sizeof text);
    snprintf(name, sizeof name, "alarm_%d", alarm->alarm.alarm);
    jsonw_object(j);
    jsonw_member_str(j, "alarm", row < 0 ? name : alarm_rows[row].name);
    jsonw_member_str(j, "level", alarm->alarm.level >= ALARM_MAJOR ? "major" : "warning");
    jsonw_member_int(j, "number", alarm->alarm.number);
    jsonw_member_int(j, "value", alarm->alarm.value);
    jsonw_member_opt(j, "limit", limited, limit);
    jsonw_member_str(j, "unit", row < 0 ? "" : alarm_rows[row].unit);
    jsonw_member_str(j, "text", text);
    jsonw_member_int(j, "since", alarm->since_ms);
    jsonw_object_end(j);
}

void render_frame(struct jsonw *j, const struct fleet_vehicle *vehicle, const struct render_extra *extra)
{
    const struct sample *s = &vehicle->sample;

    if (!vehicle->has_sample) {
        jsonw_null(j);
        return;
    }
    jsonw_object(j);
    jsonw_member_str(j, "id", vehicle->device);
    jsonw_member_uint(j, "boot", s->boot);
    jsonw_member_uint(j, "no", s->no);
    jsonw_member_uint(j, "measured_at", s->utc_ms);
    jsonw_member_int(j, "received_at", vehicle->received_at_ms);
    render_scalars(j, s);
    render_cells(j, s);
    render_temps(j, s);
    render_balancing(j, s);
    jsonw_key(j, "alarms");
    jsonw_array(j);
    for (size_t i = 0; i < vehicle->alarm_count; i++)
        render_alarm(j, &vehicle->alarms[i], extra->running);
    jsonw_array_end(j);
    jsonw_object_end(j);
}

static void render_layout(struct jsonw *j, const struct fleet_vehicle *vehicle)
{
    int cell = 1, temp = 1;

    jsonw_key(j, "layout");
    jsonw_array(j);
    for (size_t i = 0; i < vehicle->link.module_count; i++) {
        const struct fleet_module *m = &vehicle->link.modules[i];

        jsonw_object(j);
        jsonw_member_str(j, "name", m->name);
        jsonw_member_int(j, "first_cell", cell);
        jsonw_member_int(j, "cells", m->cells);
        jsonw_member_int(j, "first_temp", temp);
        jsonw_member_int(j, "temps", m->temps);
        jsonw_object_end(j);
        cell += m->cells;
        temp += m->temps;
    }
    jsonw_array_end(j);
}

void render_vehicle(struct jsonw *j, const struct fleet_vehicle *vehicle, const struct render_extra *extra)
{
    const struct fleet_link *link = &vehicle->link;
    uint32_t boot = vehicle->has_sample ? vehicle->sample.boot : link->boot;
    char epoch[17];

    snprintf(epoch, sizeof epoch, "%016llx", (unsigned long long)link->epoch);
    jsonw_object(j);
    jsonw_key(j, "row");
    render_row(j, vehicle, extra);
    jsonw_key(j, "frame");
    render_frame(j, vehicle, extra);
    jsonw_member_str(j, "version", link->version);
    jsonw_member_opt(j, "boot", boot > 0, boot);
    jsonw_member_str(j, "epoch", link->epoch == 0 ? NULL : epoch);
    jsonw_member_opt(j, "journal_records", link->epoch != 0, link->journal_records);
    jsonw_member_opt(j, "board_dropped", link->epoch != 0, (int64_t)link->board_dropped);
    jsonw_member_opt(j, "journal_dropped", link->epoch != 0, (int64_t)link->journal_dropped);
    render_layout(j, vehicle);
    jsonw_object_end(j);
}

void render_op(struct jsonw *j, const struct op *op)
{
    jsonw_object(j);
    jsonw_member_str(j, "op", op->id);
    jsonw_member_str(j, "id", op->device);
    jsonw_member_str(j, "kind", op_kind_text(op->kind));
    jsonw_member_str(j, "by", op->by);
    jsonw_member_str(j, "reason", op->reason[0] == '\0' ? NULL : op->reason);
    jsonw_member_str(j, "state", op_state_text(op->state));
    jsonw_member_str(j, "detail", op->detail[0] == '\0' ? NULL : op->detail);
    jsonw_member_int(j, "created_at", op->created_at_ms);
    jsonw_member_int(j, "changed_at", op->changed_at_ms);
    jsonw_key(j, "readback");
    jsonw_array(j);
    for (size_t i = 0; i < op->readback_count; i++) {
        const struct op_readback *r = &op->readback[i];

        jsonw_object(j);
        jsonw_member_int(j, "id", r->id);
        jsonw_member_opt(j, "wanted", r->has_wanted, r->wanted);
        jsonw_member_opt(j, "running", r->has_running, r->running);
        jsonw_member_opt(j, "stored", r->has_stored, r->stored);
        jsonw_member_bool(j, "ok", r->ok);
        jsonw_object_end(j);
    }
    jsonw_array_end(j);
    jsonw_object_end(j);
}
