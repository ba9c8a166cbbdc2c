/* SPDX-License-Identifier: Apache-2.0 */
/* events.c -- call the listeners. */
#include "server/api/events.h"

#include "common/err.h"
#include "server/metrics.h"

int events_listen(struct events *events, event_fn *fn, void *ctx)
{
    if (events->count == EVENT_LISTENERS_MAX)
        return BMS_ERR_NOSPACE;
    events->listeners[events->count].fn = fn;
    events->listeners[events->count].ctx = ctx;
    events->count++;
    return 0;
}

void events_notify(const struct events *events, const struct event *event)
{
    metrics_add(METRIC_EVENTS, 1);
    for (size_t i = 0; i < events->count; i++)
        events->listeners[i].fn(events->listeners[i].ctx, event);
}
