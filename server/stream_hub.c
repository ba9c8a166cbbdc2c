/* SPDX-License-Identifier: Apache-2.0 */
/* stream_hub.c -- see stream_hub.h. */
#include "server/stream_hub.h"

#include "common/err.h"
#include "server/auth_role.h"
#include "server/http.h"
#include "server/jsonw.h"
#include "server/metrics.h"
#include "server/stream_ring.h"
#include "server/stream_topic.h"

#include <inttypes.h>
#include <pthread.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { TELL_HELLO = 1, TELL_RESYNC = 2, TELL_AUTH = 4, TELL_END = 8 }; /* what waits for one stream alone, in this order */

enum { PURGE_MS = 60000, CHANGES_MAX = 64 };

struct stream {
    struct stream *next;
    char sid[STREAM_SID_SIZE];
    struct stream_request request;
    char tenant[65];
    bool fleet, asleep;
    char devices[STREAM_TOPICS_MAX][DEVICE_NAME_MAX + 1];
    size_t device_count;
    unsigned tell; /* TELL_* */
    bool warned;
    uint64_t cursor;          /* number of the next event to look at */
    struct stream_text *text; /* being written */
    size_t written;           /* of it */
};

struct stream_hub {
    struct stream_hub_config config;
    pthread_mutex_t lock;
    struct stream_ring ring;
    struct stream_topics topics;
    struct stream *streams;
    size_t count;
    size_t fleet_watchers;
    bool fleet_left;
    uint64_t fleet_left_ms;
    uint64_t ticked_ms, purged_ms;
    bool leases_due;       /* a lease may have to begin or to end */
    uint64_t rows_left;    /* rows that may be sent now, in thousandths */
    uint64_t rows_left_ms; /* when that was counted */
    char run[17];          /* names this process in event ids: numbers start again with each */
};

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

/* One event as it goes over the wire. */
static struct stream_text *event_text(const struct stream_hub *hub, uint64_t id, const char *event, const char *data, size_t len)
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

static bool looks_at(const struct stream *s, const char *device)
{
    for (size_t i = 0; i < s->device_count; i++) {
        if (strcmp(s->devices[i], device) == 0)
            return true;
    }
    return false;
}

static bool concerns(const struct stream *s, const struct stream_event *e)
{
    if ((e->to & STREAM_TO_ALL) != 0)
        return true;
    if ((e->to & STREAM_TO_FLEET) != 0 && s->fleet && auth_tenant_sees(s->tenant, e->device))
        return true;
    return (e->to & STREAM_TO_VEHICLE) != 0 && looks_at(s, e->device);
}

static void wake(struct stream *s)
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

static void publish(struct stream_hub *hub, enum stream_kind kind, unsigned to, const char *event, const char *device, const char *data,
                    size_t len)
{
    uint64_t id = hub->ring.next;
    struct stream_text *text = event_text(hub, id, event, data, len);

    if (text == NULL)
        return;
    replace_older(hub, kind, device, id);
    stream_ring_push(&hub->ring, to, device, text);
    for (struct stream *s = hub->streams; s != NULL; s = s->next) {
        if (concerns(s, stream_ring_at(&hub->ring, id)))
            wake(s);
    }
}

void stream_publish(struct stream_hub *hub, enum stream_kind kind, unsigned to, const char *event, const char *device, const char *data,
                    size_t len)
{
    pthread_mutex_lock(&hub->lock);
    publish(hub, kind, to, event, device, data, len);
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

/* Put the cursor behind the event that the browser saw last; when it is not known any more, the browser has to fetch anew. */
static void resume_at(struct stream_hub *hub, struct stream *s, const char *last_id)
{
    size_t run_len = strlen(hub->run);
    char *end = NULL;

    s->cursor = hub->ring.next;
    if (last_id == NULL || last_id[0] == '\0')
        return;
    if (strncmp(last_id, hub->run, run_len) == 0 && last_id[run_len] == '-') {
        uint64_t seen = strtoull(last_id + run_len + 1, &end, 10);

        if (*end == '\0' && seen + 1 >= hub->ring.first && seen < hub->ring.next) {
            s->cursor = seen + 1;
            return;
        }
    }
    s->tell |= TELL_RESYNC;
    metrics_add(METRIC_STREAM_RESYNCS, 1);
}

static int admit(const struct stream_hub *hub, uint64_t session)
{
    size_t same = 0;

    for (const struct stream *s = hub->streams; s != NULL; s = s->next)
        same += s->request.session == session;
    if (same >= hub->config.session_streams_max)
        return BMS_ERR_STATE;
    return hub->count >= hub->config.streams_max ? BMS_ERR_NOSPACE : 0;
}

int stream_open(struct stream_hub *hub, const struct stream_request *request, struct stream **out)
{
    unsigned char random[16];
    struct stream *s = calloc(1, sizeof *s);

    if (s == NULL)
        return BMS_ERR_NOSPACE;
    s->request = *request;
    s->tell = TELL_HELLO;
    snprintf(s->tenant, sizeof s->tenant, "%s", request->tenant);
    randombytes_buf(random, sizeof random);
    sodium_bin2hex(s->sid, sizeof s->sid, random, sizeof random);
    pthread_mutex_lock(&hub->lock);
    int err = admit(hub, request->session);

    if (err == 0) {
        resume_at(hub, s, request->last_id);
        s->next = hub->streams;
        hub->streams = s;
        metrics_set(METRIC_STREAMS, (int64_t)++hub->count);
    }
    pthread_mutex_unlock(&hub->lock);
    if (err != 0)
        free(s);
    else
        *out = s;
    return err;
}

static void leave_topics(struct stream_hub *hub, struct stream *s, uint64_t now_ms)
{
    for (size_t i = 0; i < s->device_count; i++) {
        struct stream_topic *t = stream_topic_find(&hub->topics, s->devices[i]);

        t->watchers--;
        t->left = true;
        t->left_ms = t->used_ms = now_ms;
    }
    if (s->fleet) {
        hub->fleet_watchers--;
        hub->fleet_left = true;
        hub->fleet_left_ms = now_ms;
    }
    s->device_count = 0;
    s->fleet = false;
    hub->leases_due = true;
}

static void set_topics(struct stream_hub *hub, struct stream *s, const char *const *topics, size_t count, uint64_t now_ms)
{
    leave_topics(hub, s, now_ms);
    for (size_t i = 0; i < count && s->device_count < STREAM_TOPICS_MAX; i++) {
        const char *device = topics[i] + 2;

        if (strcmp(topics[i], "fleet") == 0) {
            hub->fleet_watchers += !s->fleet;
            s->fleet = true;
        } else if (strncmp(topics[i], "v:", 2) == 0 && strlen(device) <= DEVICE_NAME_MAX && auth_tenant_sees(s->tenant, device) &&
                   !looks_at(s, device)) {
            struct stream_topic *t = stream_topic_get(&hub->topics, device);

            if (t == NULL)
                continue;
            t->watchers++;
            t->used_ms = now_ms;
            snprintf(s->devices[s->device_count++], sizeof s->devices[0], "%s", device);
        }
    }
}

void stream_set_topics(struct stream_hub *hub, struct stream *s, const char *const *topics, size_t count, uint64_t now_ms)
{
    pthread_mutex_lock(&hub->lock);
    set_topics(hub, s, topics, count, now_ms);
    pthread_mutex_unlock(&hub->lock);
}

int stream_set_topics_by_sid(struct stream_hub *hub, const char *sid, uint64_t session, const char *const *topics, size_t count,
                             uint64_t now_ms)
{
    pthread_mutex_lock(&hub->lock);
    struct stream *s = hub->streams;

    while (s != NULL && (s->request.session != session || strcmp(s->sid, sid) != 0))
        s = s->next;
    if (s != NULL)
        set_topics(hub, s, topics, count, now_ms);
    pthread_mutex_unlock(&hub->lock);
    return s == NULL ? BMS_ERR_UNKNOWN : 0;
}

/* What waits for this stream alone; NULL when nothing does. Such an event carries the number of the last one seen, so that it moves no cursor. */
static struct stream_text *private_text(const struct stream_hub *hub, struct stream *s)
{
    const char *event = NULL;
    struct jsonw j;

    jsonw_init(&j, 512);
    jsonw_object(&j);
    if ((s->tell & TELL_HELLO) != 0) {
        s->tell &= ~(unsigned)TELL_HELLO;
        event = "hello";
        jsonw_member_str(&j, "sid", s->sid);
        jsonw_member_int(&j, "server_time", http_utc_ms());
        jsonw_member_str(&j, "build", hub->config.build);
        jsonw_member_int(&j, "api", 1);
    } else if ((s->tell & TELL_RESYNC) != 0) {
        s->tell &= ~(unsigned)TELL_RESYNC;
        event = "resync";
    } else if ((s->tell & TELL_AUTH) != 0) {
        s->tell &= ~(unsigned)TELL_AUTH;
        event = "auth";
        jsonw_member_int(&j, "ends_at", s->request.ends_at_ms);
    }
    jsonw_object_end(&j);
    struct stream_text *text = event == NULL || j.failed ? NULL : event_text(hub, s->cursor - 1, event, j.buf, j.len);

    jsonw_deinit(&j);
    return text;
}

/* The next event of the ring that concerns the stream; NULL when it has seen all. */
static struct stream_text *ring_text(struct stream_hub *hub, struct stream *s)
{
    while (s->cursor < hub->ring.next) {
        const struct stream_event *e = stream_ring_at(&hub->ring, s->cursor);
        bool behind = hub->ring.next - s->cursor > STREAM_LAG;

        s->cursor++;
        if ((behind && e->replaced) || !concerns(s, e))
            continue;
        e->text->refs++;
        return e->text;
    }
    return NULL;
}

static struct stream_text *next_text(struct stream_hub *hub, struct stream *s)
{
    if (s->cursor < hub->ring.first) {
        s->cursor = hub->ring.next;
        s->tell |= TELL_RESYNC;
        metrics_add(METRIC_STREAM_RESYNCS, 1);
    }
    struct stream_text *text = private_text(hub, s);

    return text != NULL || (s->tell & TELL_END) != 0 ? text : ring_text(hub, s);
}

long stream_read(struct stream_hub *hub, struct stream *s, char *out, size_t size)
{
    size_t len = 0;

    pthread_mutex_lock(&hub->lock);
    while (len < size) {
        if (s->text == NULL) {
            s->text = next_text(hub, s);
            s->written = 0;
        }
        if (s->text == NULL)
            break;
        size_t left = s->text->len - s->written;
        size_t part = left < size - len ? left : size - len;

        memcpy(out + len, s->text->bytes + s->written, part);
        len += part;
        s->written += part;
        if (part < left)
            break;
        stream_text_release(s->text);
        s->text = NULL;
    }
    bool ended = len == 0 && (s->tell & TELL_END) != 0;

    if (len == 0 && !ended) {
        s->asleep = true;
        s->request.sleep(s->request.ctx);
    }
    pthread_mutex_unlock(&hub->lock);
    return ended ? -1 : (long)len;
}

void stream_close(struct stream_hub *hub, struct stream *s, uint64_t now_ms)
{
    pthread_mutex_lock(&hub->lock);
    leave_topics(hub, s, now_ms);
    for (struct stream **at = &hub->streams; *at != NULL; at = &(*at)->next) {
        if (*at != s)
            continue;
        *at = s->next;
        metrics_set(METRIC_STREAMS, (int64_t)--hub->count);
        break;
    }
    stream_text_release(s->text);
    pthread_mutex_unlock(&hub->lock);
    free(s);
}

void stream_end_session(struct stream_hub *hub, uint64_t session)
{
    pthread_mutex_lock(&hub->lock);
    for (struct stream *s = hub->streams; s != NULL; s = s->next) {
        if (s->request.session != session)
            continue;
        s->request.ends_at_ms = http_utc_ms();
        s->tell |= TELL_AUTH | TELL_END;
        wake(s);
    }
    pthread_mutex_unlock(&hub->lock);
}

void stream_end_all(struct stream_hub *hub)
{
    pthread_mutex_lock(&hub->lock);
    for (struct stream *s = hub->streams; s != NULL; s = s->next) {
        s->tell |= TELL_END;
        wake(s);
    }
    pthread_mutex_unlock(&hub->lock);
}

static bool is_in(const uint64_t *list, size_t count, uint64_t value)
{
    while (count > 0) {
        if (list[--count] == value)
            return true;
    }
    return false;
}

size_t stream_sessions(struct stream_hub *hub, uint64_t *sessions, size_t max)
{
    size_t count = 0;

    pthread_mutex_lock(&hub->lock);
    for (const struct stream *s = hub->streams; s != NULL && count < max; s = s->next) {
        if (!is_in(sessions, count, s->request.session))
            sessions[count++] = s->request.session;
    }
    pthread_mutex_unlock(&hub->lock);
    return count;
}

static void tick_all(struct stream_hub *hub, uint64_t now_ms, int64_t utc_ms)
{
    char data[48];

    if (hub->ticked_ms != 0 && now_ms - hub->ticked_ms < STREAM_TICK_MS)
        return;
    hub->ticked_ms = now_ms;
    int len = snprintf(data, sizeof data, "{\"server_time\":%" PRId64 "}", utc_ms);

    publish(hub, STREAM_TICK, STREAM_TO_ALL, "tick", NULL, data, (size_t)len);
}

static void end_sessions(struct stream_hub *hub, int64_t utc_ms)
{
    for (struct stream *s = hub->streams; s != NULL; s = s->next) {
        if (!s->warned && s->request.ends_at_ms - utc_ms <= STREAM_WARN_MS) {
            s->warned = true;
            s->tell |= TELL_AUTH;
            wake(s);
        }
        if (utc_ms >= s->request.ends_at_ms) {
            s->tell |= TELL_END;
            wake(s);
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

size_t stream_count(struct stream_hub *hub)
{
    pthread_mutex_lock(&hub->lock);
    size_t count = hub->count;

    pthread_mutex_unlock(&hub->lock);
    return count;
}
