/* SPDX-License-Identifier: Apache-2.0 */
/* publish.c -- which event for which change. */
#include "server/stream/publish.h"

#include "server/clock.h"

#include <stdlib.h>
#include <string.h>

static void tell(const struct ingest_parts *parts, enum event_kind kind, const struct fleet_vehicle *v, const struct fleet_alarm *alarm)
{
    struct event e = { .kind = kind, .device = v->device, .at_ms = clock_utc_ms(), .vehicle = v, .alarm = alarm };

    events_notify(parts->events, &e);
}

static void tell_changes(const struct ingest_parts *parts, const struct fleet_change *change)
{
    if (change->booted)
        tell(parts, EVENT_BOOT, &change->after, NULL);
    for (size_t i = 0; i < change->opened_count; i++)
        tell(parts, EVENT_ALARM_OPEN, &change->after, &change->opened[i]);
    for (size_t i = 0; i < change->cleared_count; i++)
        tell(parts, EVENT_ALARM_CLEAR, &change->after, &change->cleared[i]);
}

static void tell_newest(const struct ingest_parts *parts, const struct fleet_vehicle *v)
{
    tell(parts, EVENT_FRAME, v, NULL);
    if (parts->on_newer)
        parts->on_newer(parts->newer_ctx, v);
}

void publish_sample(const struct ingest_parts *parts, const char *device, const struct sample *sample, int64_t received_ms)
{
    struct fleet_change change;

    fleet_offer(parts->fleet, device, sample, received_ms, &change);
    if (!change.newer)
        return;
    tell_changes(parts, &change);
    tell_newest(parts, &change.after);
}

static int by_device(const void *left, const void *right)
{
    const struct decoded *a = *(const struct decoded *const *)left, *b = *(const struct decoded *const *)right;
    int d = strcmp(a->device, b->device);

    return d ? d : a < b ? -1 : a > b; /* one array: the address is the order of arrival */
}

static void publish_device(const struct ingest_parts *parts, const struct decoded *const *records, size_t n)
{
    struct fleet_change change;
    struct fleet_vehicle newest;
    bool newer = false;

    for (size_t i = 0; i < n; i++) {
        fleet_offer(parts->fleet, records[i]->device, &records[i]->last, records[i]->received_ms, &change);
        if (!change.newer)
            continue;
        newest = change.after;
        newer = true;
        tell_changes(parts, &change);
    }
    if (newer)
        tell_newest(parts, &newest);
}

void publish_newest(const struct ingest_parts *parts, const struct decoded *records, size_t count)
{
    const struct decoded **order = malloc((count + 1) * sizeof *order);
    size_t from = 0;

    if (!order)
        return; /* the next batch brings newer ones */
    for (size_t i = 0; i < count; i++)
        order[i] = &records[i];
    qsort(order, count, sizeof *order, by_device);
    for (size_t i = 1; i <= count; i++) {
        if (i < count && strcmp(order[i]->device, order[from]->device) == 0)
            continue;
        publish_device(parts, order + from, i - from);
        from = i;
    }
    free(order);
}
