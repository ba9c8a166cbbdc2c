/* SPDX-License-Identifier: Apache-2.0 */
/* downlink_send.c -- operations that wait for their result. */
#include "server/clock.h"
#include "server/downlink/downlink_private.h"
#include "server/downlink/op_store.h"
#include "server/metrics.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { POLL_ALONE_MS = 5000, POLL_API_MS = 1000, REFUSED_WAIT_MS = 500 };

static size_t open_index(const struct downlink *d, const char *id)
{
    size_t i = 0;

    while (i < d->open_count && strcmp(d->open[i]->id, id) != 0)
        i++;
    return i;
}

void open_add(struct downlink *d, const struct op *op, int64_t expires_at_ms)
{
    struct open_op *o = d->sends ? calloc(1, sizeof *o) : NULL;

    if (!o)
        return; /* without memory the next poll tries again */
    memcpy(o->id, op->id, sizeof o->id);
    memcpy(o->device, op->device, sizeof o->device);
    o->expires_at_ms = expires_at_ms;
    o->size = op_pack(op, expires_at_ms, o->command);
    pthread_mutex_lock(&d->lock);
    if (d->open_count < OPEN_MAX && open_index(d, op->id) == d->open_count) {
        d->open[d->open_count++] = o;
        o = NULL;
    }
    pthread_cond_signal(&d->wake);
    pthread_mutex_unlock(&d->lock);
    free(o);
}

void open_remove(struct downlink *d, const char *id)
{
    pthread_mutex_lock(&d->lock);
    size_t i = open_index(d, id);

    if (i < d->open_count) {
        free(d->open[i]);
        d->open[i] = d->open[--d->open_count];
    }
    pthread_mutex_unlock(&d->lock);
}

bool open_has_device(struct downlink *d, const char *device)
{
    bool has = false;

    pthread_mutex_lock(&d->lock);
    for (size_t i = 0; i < d->open_count; i++)
        has |= strcmp(d->open[i]->device, device) == 0;
    pthread_mutex_unlock(&d->lock);
    return has;
}

/* ---- sending and expiring ---- */

int downlink_publish(struct downlink *d, const char *device, const uint8_t *bytes, size_t size)
{
    char topic[TOPIC_MAX];

    snprintf(topic, sizeof topic, TOPIC_ROOT "%s" TOPIC_COMMAND, device);
    int err = d->parts.publish(d->parts.publish_ctx, topic, bytes, size);

    if (!err)
        metrics_add(METRIC_COMMANDS, 1);
    return err;
}

static void move(struct downlink *d, const char *id, enum op_state state, const char *detail)
{
    struct op op;
    bool changed = false;

    if (op_load(&d->db, id, &op) != 0)
        return;
    op.state = state;
    op.changed_at_ms = clock_utc_ms();
    snprintf(op.detail, sizeof op.detail, "%s", detail);
    if (op_move(&d->db, &op, &changed) == 0 && changed)
        tell_op(d, &op);
}

/* Copy out one operation that needs something now. */
static bool next_due(struct downlink *d, int64_t now_utc_ms, int64_t now_mono_ms, struct open_op *out)
{
    bool due = false;

    pthread_mutex_lock(&d->lock);
    for (size_t i = 0; i < d->open_count && !due; i++) {
        due = d->open[i]->expires_at_ms <= now_utc_ms || d->open[i]->send_at_ms <= now_mono_ms;
        if (due)
            *out = *d->open[i];
    }
    pthread_mutex_unlock(&d->lock);
    return due;
}

static void schedule(struct downlink *d, const char *id, bool sent, int64_t now_mono_ms)
{
    static const int waits_s[] = { 2, 2, 4, 8, 15 };
    const size_t last = sizeof waits_s / sizeof waits_s[0] - 1;

    pthread_mutex_lock(&d->lock);
    size_t i = open_index(d, id);

    if (i < d->open_count) {
        struct open_op *o = d->open[i];

        o->send_at_ms = now_mono_ms + (sent ? waits_s[o->sends < last ? o->sends : last] * 1000 : REFUSED_WAIT_MS);
        o->sends += sent;
    }
    pthread_mutex_unlock(&d->lock);
}

void downlink_tick_ops(struct downlink *d)
{
    int64_t utc = clock_utc_ms(), mono = clock_mono_ms();
    struct open_op o;

    while (next_due(d, utc, mono, &o)) {
        if (o.expires_at_ms <= utc) {
            move(d, o.id, OP_EXPIRED, "no result came in time");
            open_remove(d, o.id);
            continue;
        }
        bool sent = downlink_publish(d, o.device, o.command, o.size) == 0;

        schedule(d, o.id, sent, mono);
        if (sent && o.sends == 0)
            move(d, o.id, OP_SENT, "");
    }
}

/* ---- what other processes did, and what was open when we started ---- */

struct snapshot {
    char id[OPEN_MAX][OP_ID_LEN + 1];
    char device[OPEN_MAX][DEVICE_NAME_MAX + 1];
    size_t count;
    struct op_open listed[OPEN_MAX];
    size_t listed_count;
};

static void take_new(struct downlink *d, const struct op_open *listed)
{
    struct op op;

    pthread_mutex_lock(&d->lock);
    bool known = open_index(d, listed->id) < d->open_count;

    pthread_mutex_unlock(&d->lock);
    if (!known && op_load(&d->db, listed->id, &op) == 0)
        open_add(d, &op, listed->expires_at_ms);
}

/* Another process took its result. */
static void take_gone(struct downlink *d, const char *id, const char *device)
{
    struct fleet_reported reported;
    struct param_reported none[1];
    struct op op;

    open_remove(d, id);
    if (op_load(&d->db, id, &op) != 0)
        return;
    tell_op(d, &op);
    if (params_load(&d->db, device, none, 0, &reported) >= 0 && reported.known)
        tell_params(d, device, &reported);
}

static bool is_listed(const struct snapshot *s, const char *id)
{
    for (size_t i = 0; i < s->listed_count; i++)
        if (strcmp(s->listed[i].id, id) == 0)
            return true;
    return false;
}

void downlink_poll_table(struct downlink *d)
{
    struct snapshot *s = clock_mono_ms() >= d->poll_at_ms && d->sends ? calloc(1, sizeof *s) : NULL;

    if (!s)
        return;
    d->poll_at_ms = clock_mono_ms() + (d->parts.config->role == ROLE_ALL ? POLL_ALONE_MS : POLL_API_MS);
    pthread_mutex_lock(&d->lock); /* before the query: what is added later may not be in its answer */
    for (; s->count < d->open_count; s->count++) {
        memcpy(s->id[s->count], d->open[s->count]->id, sizeof s->id[0]);
        memcpy(s->device[s->count], d->open[s->count]->device, sizeof s->device[0]);
    }
    pthread_mutex_unlock(&d->lock);
    if (op_list_open(&d->db, s->listed, OPEN_MAX, &s->listed_count) == 0) {
        for (size_t i = 0; i < s->listed_count; i++)
            take_new(d, &s->listed[i]);
        for (size_t i = 0; i < s->count; i++)
            if (!is_listed(s, s->id[i]))
                take_gone(d, s->id[i], s->device[i]);
    }
    free(s);
}
