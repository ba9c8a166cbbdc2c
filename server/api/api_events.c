/* SPDX-License-Identifier: Apache-2.0 */
/* api_events.c -- see api_events.h. */
#include "server/api/api_events.h"

#include "server/api/api_render.h"
#include "server/http/http.h"
#include "server/metrics.h"

enum { EVENT_MAX = 65536 }; /* bytes of one event's JSON; the largest frame has about 4,000 */

/* What one event needs while it is written. */
struct telling {
    const struct api_teller *teller;
    const struct event *event;
    struct view_running running;
    struct render_extra extra;
    struct jsonw j;
};

static void publish(struct telling *t, enum stream_kind kind, unsigned to, const char *name)
{
    if (!t->j.failed)
        stream_publish(t->teller->hub, kind, to, name, t->event->device, t->j.buf, t->j.len);
    jsonw_reset(&t->j);
}

static void tell_row(struct telling *t)
{
    struct view v;

    view_of(t->event->vehicle, &t->running, t->extra.now_ms, &v);
    if (!stream_row_is_due(t->teller->hub, t->event->device, (int)v.state, http_clock_ms()))
        return;
    render_row(&t->j, t->event->vehicle, &t->extra);
    publish(t, STREAM_ROW, STREAM_TO_FLEET | STREAM_TO_VEHICLE, "fleet.row");
}

static void tell_frame(struct telling *t)
{
    if (stream_vehicle_is_wanted(t->teller->hub, t->event->device, http_clock_ms())) {
        render_frame(&t->j, t->event->vehicle, &t->extra);
        publish(t, STREAM_FRAME, STREAM_TO_VEHICLE, "v.frame");
    }
    tell_row(t);
}

static void tell_state(struct telling *t)
{
    const struct fleet_vehicle *f = t->event->vehicle;
    uint32_t boot = f->has_sample ? f->sample.boot : f->link.boot;
    struct view v;

    view_of(f, &t->running, t->extra.now_ms, &v);
    jsonw_object(&t->j);
    jsonw_member_str(&t->j, "id", f->device);
    jsonw_member_bool(&t->j, "online", v.online);
    jsonw_member_str(&t->j, "state", view_state_word(v.state));
    jsonw_member_opt(&t->j, "link_at", f->link.at_ms > 0, f->link.at_ms);
    jsonw_member_opt(&t->j, "boot", boot > 0, boot);
    jsonw_member_str(&t->j, "version", f->link.version);
    jsonw_object_end(&t->j);
    publish(t, STREAM_ONCE, STREAM_TO_VEHICLE, "v.state");
    tell_row(t);
}

static void tell_boot(struct telling *t)
{
    jsonw_object(&t->j);
    jsonw_member_str(&t->j, "id", t->event->device);
    jsonw_member_uint(&t->j, "boot", t->event->vehicle->sample.boot);
    jsonw_member_int(&t->j, "at", t->event->at_ms);
    jsonw_object_end(&t->j);
    publish(t, STREAM_ONCE, STREAM_TO_VEHICLE, "v.boot");
}

static void tell_alarm(struct telling *t)
{
    jsonw_object(&t->j);
    jsonw_member_str(&t->j, "id", t->event->device);
    jsonw_member_str(&t->j, "change", t->event->kind == EVENT_ALARM_OPEN ? "open" : "clear");
    jsonw_key(&t->j, "alarm");
    render_alarm(&t->j, t->event->alarm, &t->running);
    jsonw_object_end(&t->j);
    publish(t, STREAM_ONCE, STREAM_TO_FLEET | STREAM_TO_VEHICLE, "alarm");
}

static void tell_params(struct telling *t)
{
    const struct fleet_reported *r = &t->event->vehicle->reported;

    jsonw_object(&t->j);
    jsonw_member_str(&t->j, "id", t->event->device);
    jsonw_member_opt(&t->j, "running_hash", r->known, r->running_hash);
    jsonw_member_opt(&t->j, "stored_hash", r->known, r->stored_hash);
    jsonw_member_opt(&t->j, "read_at", r->known, r->read_at_ms);
    jsonw_member_opt(&t->j, "boot", r->known, r->boot);
    jsonw_object_end(&t->j);
    publish(t, STREAM_ONCE, STREAM_TO_VEHICLE, "params");
    if (t->teller->params_changed != NULL)
        t->teller->params_changed(t->teller->ctx, t->event->device);
}

static void tell_op(struct telling *t)
{
    render_op(&t->j, t->event->op);
    publish(t, STREAM_ONCE, STREAM_TO_FLEET | STREAM_TO_VEHICLE, "op");
}

static void tell_share(struct telling *t)
{
    jsonw_object(&t->j);
    jsonw_member_str(&t->j, "id", t->event->device);
    jsonw_member_int(&t->j, "at", t->event->at_ms);
    jsonw_member_uint(&t->j, "delayed", t->event->share->delayed);
    jsonw_member_uint(&t->j, "left_out", t->event->share->left_out);
    jsonw_object_end(&t->j);
    publish(t, STREAM_ONCE, STREAM_TO_FLEET | STREAM_TO_VEHICLE, "share");
}

void api_events_tell(void *teller, const struct event *event)
{
    static void (*const tell[])(struct telling *) = {
        [EVENT_FRAME] = tell_frame,       [EVENT_STATE] = tell_state,   [EVENT_BOOT] = tell_boot, [EVENT_ALARM_OPEN] = tell_alarm,
        [EVENT_ALARM_CLEAR] = tell_alarm, [EVENT_PARAMS] = tell_params, [EVENT_OP] = tell_op,     [EVENT_SHARE] = tell_share,
    };
    struct telling t = { .teller = teller, .event = event };

    if ((size_t)event->kind >= sizeof tell / sizeof tell[0] || (event->vehicle == NULL && event->kind < EVENT_OP))
        return;
    jsonw_init(&t.j, EVENT_MAX);
    bool alarmed = event->vehicle != NULL && (event->vehicle->alarm_count > 0 || event->alarm != NULL);

    t.teller->running(t.teller->ctx, event->device, alarmed, &t.running);
    t.extra = (struct render_extra) { http_utc_ms(), &t.running };
    tell[event->kind](&t);
    jsonw_deinit(&t.j);
    metrics_add(METRIC_EVENTS, 1);
}
