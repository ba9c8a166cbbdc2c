/* SPDX-License-Identifier: Apache-2.0 */
/* stream_hub.c -- see stream_hub.h. The hub itself: making it, publishing, and who is wanted. */
#include "server/stream/stream_parts.h"

#include "server/api/auth_role.h"

#include <inttypes.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct stream_hub *stream_hub_create(const struct stream_hub_config *config)
{
    struct stream_hub *hub = sodium_init() < 0 ? NULL : calloc(1, sizeof *hub);
    uint64_t run;

    if (hub == NULL)
        return NULL;
    hub->config = *config;
    pthread_mutex_init(&hub->lock, NULL);
    randombytes_buf(&run, sizeof run);
    snprintf(hub->run, sizeof hub->run, "%016" PRIx64, run);
    if (stream_ring_init(&hub->ring, STREAM_EVENTS_MAX, STREAM_BYTES_MAX) != 0 || stream_topics_init(&hub->topics) != 0) {
        stream_hub_destroy(hub);
        return NULL;
    }
    return hub;
}

void stream_hub_destroy(struct stream_hub *hub)
{
    if (hub == NULL)
        return;
    stream_ring_deinit(&hub->ring);
    stream_topics_deinit(&hub->topics);
    pthread_mutex_destroy(&hub->lock);
    free(hub);
}

struct stream_text *stream_event_text(const struct stream_hub *hub, uint64_t id, const char *event, const char *data, size_t len)
{
    char head[STREAM_ID_SIZE + 64];
    int head_len = snprintf(head, sizeof head, "id: %s-%" PRIu64 "\nevent: %.32s\ndata: ", hub->run, id, event);
    struct stream_text *text = stream_text_create((size_t)head_len + len + 2);

    if (text == NULL)
        return NULL;
    memcpy(text->bytes, head, (size_t)head_len);
    memcpy(text->bytes + head_len, data, len);
    memcpy(text->bytes + (size_t)head_len + len, "\n\n", 2);
    return text;
}

bool stream_looks_at(const struct stream *s, const char *device)
{
    for (size_t i = 0; i < s->device_count; i++) {
        if (strcmp(s->devices[i], device) == 0)
            return true;
    }
    return false;
}

bool stream_is_concerned(const struct stream *s, const struct stream_event *e)
{
    if ((e->to & STREAM_TO_ALL) != 0)
        return true;
    if ((e->to & STREAM_TO_FLEET) != 0 && s->fleet && auth_tenant_sees(s->tenant, e->device))
        return true;
    return (e->to & STREAM_TO_VEHICLE) != 0 && stream_looks_at(s, e->device);
}

void stream_wake(struct stream *s)
{
    if (!s->asleep)
        return;
    s->asleep = false;
    s->request.wake(s->request.ctx);
}

/* Mark the event that the one with number `id` replaces. */
static void replace_older(struct stream_hub *hub, enum stream_kind kind, const char *device, uint64_t id)
{
    struct stream_topic *t = kind == STREAM_ROW || kind == STREAM_FRAME ? stream_topic_get(&hub->topics, device) : NULL;

    if (t == NULL)
        return;
    uint64_t *newest = kind == STREAM_ROW ? &t->newest_row : &t->newest_frame;
    struct stream_event *older = stream_ring_at(&hub->ring, *newest);

    if (older != NULL)
        older->replaced = true;
    *newest = id;
}

void stream_publish_locked(struct stream_hub *hub, enum stream_kind kind, unsigned to, const char *event, const char *device,
                           const char *data, size_t len)
{
    uint64_t id = hub->ring.next;
    struct stream_text *text = stream_event_text(hub, id, event, data, len);

    if (text == NULL)
        return;
    replace_older(hub, kind, device, id);
    stream_ring_push(&hub->ring, to, device, text);
    for (struct stream *s = hub->streams; s != NULL; s = s->next) {
        if (stream_is_concerned(s, stream_ring_at(&hub->ring, id)))
            stream_wake(s);
    }
}

void stream_publish(struct stream_hub *hub, enum stream_kind kind, unsigned to, const char *event, const char *device, const char *data,
                    size_t len)
{
    pthread_mutex_lock(&hub->lock);
    stream_publish_locked(hub, kind, to, event, device, data, len);
    pthread_mutex_unlock(&hub->lock);
}

static bool vehicle_is_wanted(const struct stream_topic *t, uint64_t now_ms)
{
    return t != NULL && (t->watchers > 0 || (t->left && now_ms - t->left_ms < STREAM_LINGER_MS));
}

bool stream_vehicle_is_wanted(struct stream_hub *hub, const char *device, uint64_t now_ms)
{
    pthread_mutex_lock(&hub->lock);
    bool wanted = vehicle_is_wanted(stream_topic_find(&hub->topics, device), now_ms);

    pthread_mutex_unlock(&hub->lock);
    return wanted;
}

bool stream_vehicle_is_watched(struct stream_hub *hub, const char *device)
{
    pthread_mutex_lock(&hub->lock);
    const struct stream_topic *t = stream_topic_find(&hub->topics, device);
    bool watched = t != NULL && t->watchers > 0;

    pthread_mutex_unlock(&hub->lock);
    return watched;
}

/* Take one row from the allowance of all vehicles, which fills up again with time. */
static bool take_row(struct stream_hub *hub, uint64_t now_ms)
{
    uint64_t most = STREAM_ROWS_PER_S * 1000u;
    uint64_t more = (now_ms - hub->rows_left_ms) * STREAM_ROWS_PER_S;

    hub->rows_left = more > most - hub->rows_left ? most : hub->rows_left + more;
    hub->rows_left_ms = now_ms;
    if (hub->rows_left < 1000)
        return false;
    hub->rows_left -= 1000;
    return true;
}

/* The more vehicles there are, the seldomer is the turn of each, so that the first ones do not take all the rows. */
static bool row_turn(struct stream_hub *hub, const struct stream_topic *t, uint64_t now_ms)
{
    uint64_t since = now_ms - t->row_ms;

    if (vehicle_is_wanted(t, now_ms))
        return since >= STREAM_ROW_MS;
    return since >= STREAM_ROW_MS + hub->topics.count * 1000 / STREAM_ROWS_PER_S && take_row(hub, now_ms);
}

bool stream_row_is_due(struct stream_hub *hub, const char *device, int state, uint64_t now_ms)
{
    bool due = false;

    pthread_mutex_lock(&hub->lock);
    bool fleet = hub->fleet_watchers > 0 || (hub->fleet_left && now_ms - hub->fleet_left_ms < STREAM_LINGER_MS);
    struct stream_topic *t = fleet ? stream_topic_get(&hub->topics, device) : stream_topic_find(&hub->topics, device);

    if (t != NULL && (fleet || vehicle_is_wanted(t, now_ms))) {
        bool changed = t->row_state >= 0 && t->row_state != state;

        due = changed || row_turn(hub, t, now_ms);
        t->used_ms = now_ms;
        t->row_state = state;
        t->row_ms = due ? now_ms : t->row_ms;
    }
    pthread_mutex_unlock(&hub->lock);
    return due;
}

size_t stream_count(struct stream_hub *hub)
{
    pthread_mutex_lock(&hub->lock);
    size_t count = hub->count;

    pthread_mutex_unlock(&hub->lock);
    return count;
}
