/* SPDX-License-Identifier: Apache-2.0 */
/* events.h -- what happened, told to whoever listens inside this process (the API's event stream).
 *
 * Not a queue: events_notify() calls each listener at once, on the ingest, MQTT or downlink thread, holding no lock of the fleet table or the
 * downlink. A listener copies what it wants, does not block, does not call back into ingest or downlink, and is quick (the ingest thread
 * waits for it). Everything an event points to is borrowed for the call.
 */
#ifndef SERVER_EVENTS_H
#define SERVER_EVENTS_H

#include "server/api/fleet.h"

struct op;

enum event_kind {
    EVENT_FRAME,       /* a newer sample: `vehicle` is the table's row after it */
    EVENT_STATE,       /* a State message changed the link: `vehicle` */
    EVENT_BOOT,        /* the board started anew: `vehicle`, first sample of the new boot in it */
    EVENT_ALARM_OPEN,  /* `alarm` came, seen in the newest sample; `vehicle` */
    EVENT_ALARM_CLEAR, /* `alarm` went; its last value; `vehicle` */
    EVENT_PARAMS,      /* the reported parameters changed: `vehicle` (its reported hashes), read them from param_reported */
    EVENT_OP,          /* an operation changed: `op` */
    EVENT_SHARE,       /* the device sends more than its share (server/ingest/gate.h): `share` */
};

struct event_share { /* records since the event before */
    uint64_t delayed, left_out;
};

struct event {
    enum event_kind kind;
    const char *device;                  /* "<tenant>.<vehicle>", always set */
    int64_t at_ms;                       /* server's clock, UTC */
    const struct fleet_vehicle *vehicle; /* NULL for EVENT_OP and EVENT_SHARE */
    const struct fleet_alarm *alarm;     /* EVENT_ALARM_* only */
    const struct op *op;                 /* EVENT_OP only (server/downlink/downlink.h) */
    const struct event_share *share;     /* EVENT_SHARE only */
};

typedef void event_fn(void *ctx, const struct event *event);

enum { EVENT_LISTENERS_MAX = 4 };

struct events {
    struct {
        event_fn *fn;
        void *ctx;
    } listeners[EVENT_LISTENERS_MAX];
    size_t count;
};

/* Before the threads start. Returns 0 or BMS_ERR_NOSPACE. */
int events_listen(struct events *events, event_fn *fn, void *ctx);

/* Any thread. */
void events_notify(const struct events *events, const struct event *event);

#endif
