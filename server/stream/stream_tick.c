/* SPDX-License-Identifier: Apache-2.0 */
/* stream_tick.c -- see stream_hub.h. What happens because time passes: ticks, ends of sessions, leases. */
#include "server/stream/stream_parts.h"

#include <inttypes.h>
#include <stdio.h>

enum { PURGE_MS = 60000, CHANGES_MAX = 64 };

/* What was there before the oldest mark is older than the linger time. */
static void drop_old(struct stream_hub *hub)
{
    stream_ring_drop_before(&hub->ring, hub->mark[hub->turn]);
    hub->mark[hub->turn] = hub->ring.next;
    hub->turn = (hub->turn + 1) % STREAM_MARKS;
}

static void tick_all(struct stream_hub *hub, uint64_t now_ms, int64_t utc_ms)
{
    char data[48];

    if (hub->ticked_ms != 0 && now_ms - hub->ticked_ms < STREAM_TICK_MS)
        return;
    hub->ticked_ms = now_ms;
    drop_old(hub);
    int len = snprintf(data, sizeof data, "{\"server_time\":%" PRId64 "}", utc_ms);

    stream_publish_locked(hub, STREAM_TICK, STREAM_TO_ALL, "tick", NULL, data, (size_t)len);
}

static void end_sessions(struct stream_hub *hub, int64_t utc_ms)
{
    for (struct stream *s = hub->streams; s != NULL; s = s->next) {
        if (!s->warned && s->request.ends_at_ms - utc_ms <= STREAM_WARN_MS) {
            s->warned = true;
            s->tell |= TELL_AUTH;
            stream_wake(s);
        }
        if (utc_ms >= s->request.ends_at_ms) {
            s->tell |= TELL_END;
            stream_wake(s);
        }
    }
}

struct change {
    char device[DEVICE_NAME_MAX + 1];
    bool on;
};

/* Leases to begin and to end. Returns how many; the rest follows at the next tick. */
static size_t lease_changes(struct stream_hub *hub, uint64_t now_ms, struct change *changes)
{
    size_t count = 0;
    size_t size = hub->leases_due ? hub->topics.size : 0; /* a large table is not walked for nothing */

    hub->leases_due = false;
    for (size_t i = 0; i < size && count < CHANGES_MAX; i++) {
        struct stream_topic *t = &hub->topics.slots[i];
        bool begin = t->watchers > 0 && !t->leased;
        bool end = t->watchers == 0 && t->leased && now_ms - t->left_ms >= STREAM_LEASE_END_MS;

        hub->leases_due = hub->leases_due || (t->watchers == 0 && t->leased && !end);
        if (t->device[0] == '\0' || (!begin && !end))
            continue;
        t->leased = begin;
        snprintf(changes[count].device, sizeof changes[count].device, "%s", t->device);
        changes[count++].on = begin;
    }
    hub->leases_due = hub->leases_due || count == CHANGES_MAX;
    return count;
}

void stream_tick(struct stream_hub *hub, uint64_t now_ms, int64_t utc_ms)
{
    struct change changes[CHANGES_MAX];

    pthread_mutex_lock(&hub->lock);
    tick_all(hub, now_ms, utc_ms);
    end_sessions(hub, utc_ms);
    size_t count = lease_changes(hub, now_ms, changes);

    if (now_ms - hub->purged_ms >= PURGE_MS) {
        hub->purged_ms = now_ms;
        stream_topics_purge(&hub->topics, now_ms < 10u * PURGE_MS ? 0 : now_ms - 10u * PURGE_MS);
    }
    pthread_mutex_unlock(&hub->lock);
    for (size_t i = 0; hub->config.watch != NULL && i < count; i++)
        hub->config.watch(hub->config.ctx, changes[i].device, changes[i].on);
}
