/* SPDX-License-Identifier: Apache-2.0 */
/* router.c -- one branch per topic. */
#include "server/ingest/router.h"

#include "common/err.h"
#include "server/clock.h"
#include "server/ingest/decode.h"
#include "server/log.h"
#include "server/metrics.h"
#include "server/store/state.h"

/* Longer than a transaction, shorter than the keep-alive: a ring that stays full means that the database is away. */
enum { ROOM_WAIT_MS = 2000 };

static void take_record(struct router *r, const struct gate_message *m)
{
    int err = gate_take(r->gate, m, ROOM_WAIT_MS);

    if (err == 0 || err == BMS_ERR_NOSPACE) /* the gate counts those */
        return;
    metrics_add(METRIC_RING_REFUSED, 1);
    log_debug("mqtt", "no room for a record; it stays in the device's journal", "reason='%s'", bms_err_text(err));
}

static void take_state(struct router *r, const char *device, const uint8_t *bytes, size_t size)
{
    struct fleet_link link;
    struct fleet_vehicle after;
    int64_t said_at = 0, now = clock_utc_ms();

    if (size == 0)
        return; /* a retained message was removed */
    int err = state_parse(device, bytes, size, &link, &said_at);

    if (err) {
        metrics_add(METRIC_STATES_BAD, 1);
        log_warn("mqtt", "state refused", "device=%s reason='%s'", device, bms_err_text(err));
        return;
    }
    metrics_add(METRIC_STATES, 1);
    /* A birth carries its own time, which a retained one still has after our restart; a will was written before it happened. */
    if (fleet_set_link(r->fleet, device, &link, link.online && said_at > 0 && said_at <= now ? said_at : now, &after)) {
        struct event e = { .kind = EVENT_STATE, .device = device, .at_ms = now, .vehicle = &after };

        events_notify(r->events, &e);
        log_info("mqtt", "state", "device=%s online=%d boot=%lu journal=%lu", device, after.link.online, (unsigned long)after.link.boot,
                 (unsigned long)after.link.journal_records);
    }
}

void router_take(void *ctx, const char *topic, size_t topic_len, const uint8_t *bytes, size_t size)
{
    struct router *r = ctx;
    char device[DEVICE_NAME_MAX + 1];

    metrics_add(METRIC_MESSAGES, 1);
    switch (topic_parse(topic, topic_len, device)) {
    case TOPIC_IS_STATE:
        take_state(r, device, bytes, size);
        break;
    case TOPIC_IS_RESULT:
        if (r->on_result)
            r->on_result(r->result_ctx, device, bytes, size);
        break;
    case TOPIC_IS_RECORD:
    case TOPIC_IS_OTHER: /* becomes poison, with its topic */
        take_record(r, &(struct gate_message) { device, topic, bytes, topic_len, size, clock_utc_ms() });
        break;
    }
}
