/* SPDX-License-Identifier: Apache-2.0 */
/* gate.c -- shares and lines under one lock; the ring has its own. */
#include "server/ingest/gate.h"

#include "common/err.h"
#include "proto/topics.h"
#include "server/clock.h"
#include "server/log.h"
#include "server/metrics.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { PASS_MS = 5 };

struct waiting {
    struct waiting *next;
    int64_t received_ms;
    size_t topic_len, size;
    char topic[]; /* topic_len bytes; behind them size bytes */
};

struct line { /* of one device; with count 0 it may become another's */
    char device[DEVICE_NAME_MAX + 1];
    struct waiting *head, **tail;
    size_t count;
    int64_t told_ms;               /* 0 = not yet */
    struct event_share since_told; /* what came over the share since then */
};

struct gate {
    struct gate_parts parts;
    pthread_t thread;
    pthread_mutex_t lock; /* guards what follows */
    pthread_cond_t filled;
    struct share share;
    struct line lines[GATE_LINES];
    size_t count, bytes; /* in all lines */
    bool stopping;
};

/* The device's line, also when nobody waits in it; NULL when it has none. */
static struct line *find_line(struct gate *g, const char *device)
{
    for (size_t i = 0; i < GATE_LINES; i++)
        if (g->lines[i].tail && strcmp(g->lines[i].device, device) == 0)
            return &g->lines[i];
    return NULL;
}

/* A line for a device that had none: the empty one that was told about longest ago. NULL when others wait in all. */
static struct line *new_line(struct gate *g, const char *device)
{
    struct line *oldest = NULL;

    for (size_t i = 0; i < GATE_LINES; i++)
        if (g->lines[i].count == 0 && (!oldest || g->lines[i].told_ms < oldest->told_ms))
            oldest = &g->lines[i];
    if (!oldest)
        return NULL;
    *oldest = (struct line) { .tail = &oldest->head };
    memcpy(oldest->device, device, strlen(device) + 1);
    return oldest;
}

static bool has_room(const struct gate *g, const struct line *line, size_t size)
{
    return line && line->count < GATE_LINE_RECORDS && g->bytes + size <= GATE_BYTES_MAX;
}

static int wait_in(struct gate *g, struct line *line, const struct gate_message *m)
{
    struct waiting *w = malloc(sizeof *w + m->topic_len + m->size);

    if (!w)
        return BMS_ERR_NOSPACE;
    *w = (struct waiting) { .received_ms = m->received_ms, .topic_len = m->topic_len, .size = m->size };
    memcpy(w->topic, m->topic, m->topic_len);
    if (m->size)
        memcpy(w->topic + m->topic_len, m->bytes, m->size);
    *line->tail = w;
    line->tail = &w->next;
    line->count++;
    g->count++;
    g->bytes += w->size;
    metrics_set(METRIC_SHARE_WAITING, (int64_t)g->count);
    pthread_cond_signal(&g->filled);
    return 0;
}

static void leave(struct gate *g, struct line *line)
{
    struct waiting *w = line->head;

    line->head = w->next;
    if (!line->head)
        line->tail = &line->head;
    line->count--;
    g->count--;
    g->bytes -= w->size;
    metrics_set(METRIC_SHARE_WAITING, (int64_t)g->count);
    free(w);
}

/* True when it is time to tell: *out is then what to tell. */
static bool note(struct line *line, int err, int64_t now_ms, struct event_share *out)
{
    metrics_add(err ? METRIC_SHARE_LEFT_OUT : METRIC_SHARE_DELAYED, 1);
    line->since_told.delayed += err == 0;
    line->since_told.left_out += err != 0;
    if (line->told_ms && now_ms - line->told_ms < GATE_TELL_MS)
        return false;
    *out = line->since_told;
    line->since_told = (struct event_share) { 0 };
    line->told_ms = now_ms;
    return true;
}

static void tell(const struct gate *g, const char *device, const struct event_share *share)
{
    struct event e = { .kind = EVENT_SHARE, .device = device, .at_ms = clock_utc_ms(), .share = share };

    log_warn("ingest", "more than its share", "device=%s delayed=%llu left_out=%llu", device, (unsigned long long)share->delayed,
             (unsigned long long)share->left_out);
    if (*device)
        events_notify(g->parts.events, &e);
}

int gate_take(struct gate *g, const struct gate_message *m, int wait_ms)
{
    int64_t now_ms = clock_mono_ms();
    struct event_share told;
    bool tells = false;
    int err = BMS_ERR_NOSPACE;

    pthread_mutex_lock(&g->lock);
    struct line *line = g->count ? find_line(g, m->device) : NULL;

    if ((!line || line->count == 0) && share_take(&g->share, m->device, m->size, now_ms)) {
        pthread_mutex_unlock(&g->lock);
        return ring_push(g->parts.ring, m->topic, m->topic_len, m->bytes, m->size, m->received_ms, wait_ms);
    }
    line = line ? line : find_line(g, m->device);
    line = line ? line : new_line(g, m->device);
    if (has_room(g, line, m->size))
        err = wait_in(g, line, m);
    if (line)
        tells = note(line, err, now_ms, &told);
    else
        metrics_add(METRIC_SHARE_LEFT_OUT, 1);
    pthread_mutex_unlock(&g->lock);
    if (tells)
        tell(g, m->device, &told);
    return err;
}

void gate_refused(struct gate *g, const char *device)
{
    pthread_mutex_lock(&g->lock);
    share_charge(&g->share, device, clock_mono_ms());
    pthread_mutex_unlock(&g->lock);
}

size_t gate_waiting(struct gate *g)
{
    pthread_mutex_lock(&g->lock);
    size_t n = g->count;

    pthread_mutex_unlock(&g->lock);
    return n;
}

/* The first of a line goes on, when its share and the ring allow it. */
static bool let_one_go(struct gate *g, struct line *line, int64_t now_ms)
{
    const struct waiting *w = line->head;

    if (!w || !share_take(&g->share, line->device, w->size, now_ms))
        return false;
    if (ring_push(g->parts.ring, w->topic, w->topic_len, (const uint8_t *)w->topic + w->topic_len, w->size, w->received_ms, 0) != 0)
        return false;
    leave(g, line);
    return true;
}

/* One of each line in turn, until none may go; at most what the lines held. */
static void let_go(struct gate *g)
{
    int64_t now_ms = clock_mono_ms();
    bool any = true;

    for (size_t turn = 0; any && turn < GATE_LINE_RECORDS; turn++) {
        any = false;
        for (size_t i = 0; i < GATE_LINES && g->count; i++)
            any |= let_one_go(g, &g->lines[i], now_ms);
    }
}

static void *run(void *ctx)
{
    struct gate *g = ctx;
    struct timespec pass = { .tv_nsec = PASS_MS * 1000000 };

    pthread_mutex_lock(&g->lock);
    while (!g->stopping) {
        if (g->count == 0) {
            pthread_cond_wait(&g->filled, &g->lock);
            continue;
        }
        let_go(g);
        pthread_mutex_unlock(&g->lock);
        nanosleep(&pass, NULL);
        pthread_mutex_lock(&g->lock);
    }
    pthread_mutex_unlock(&g->lock);
    return NULL;
}

struct gate *gate_start(const struct gate_parts *parts)
{
    struct gate *g = calloc(1, sizeof *g);

    if (!g)
        return NULL;
    g->parts = *parts;
    share_init(&g->share, parts->of_device, parts->of_tenant);
    pthread_mutex_init(&g->lock, NULL);
    pthread_cond_init(&g->filled, NULL);
    if (pthread_create(&g->thread, NULL, run, g) == 0)
        return g;
    free(g);
    return NULL;
}

void gate_stop(struct gate *g)
{
    if (!g)
        return;
    pthread_mutex_lock(&g->lock);
    g->stopping = true;
    pthread_cond_broadcast(&g->filled);
    pthread_mutex_unlock(&g->lock);
    pthread_join(g->thread, NULL);
    for (size_t i = 0; i < GATE_LINES; i++)
        while (g->lines[i].head)
            leave(g, &g->lines[i]);
    pthread_cond_destroy(&g->filled);
    pthread_mutex_destroy(&g->lock);
    free(g);
}
