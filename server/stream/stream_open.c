/* SPDX-License-Identifier: Apache-2.0 */
/* stream_open.c -- see stream_hub.h. Streams come, choose their topics, and go. */
#include "server/stream/stream_parts.h"

#include "common/err.h"
#include "server/api/auth_role.h"
#include "server/http/http.h"
#include "server/metrics.h"

#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

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
        s->request.tenant = s->tenant;
        s->request.last_id = NULL; /* the caller's, not kept */
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
                   !stream_looks_at(s, device)) {
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
        stream_wake(s);
    }
    pthread_mutex_unlock(&hub->lock);
}

void stream_end_all(struct stream_hub *hub)
{
    pthread_mutex_lock(&hub->lock);
    for (struct stream *s = hub->streams; s != NULL; s = s->next) {
        s->tell |= TELL_END;
        stream_wake(s);
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
