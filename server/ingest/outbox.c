/* SPDX-License-Identifier: Apache-2.0 */
/* outbox.c -- a list, a lock, a thread. */
#include "server/ingest/outbox.h"

#include "common/err.h"
#include "server/clock.h"

#include <pthread.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

struct outgoing {
    struct outgoing *next;
    size_t size;
    uint8_t *bytes; /* behind the topic */
    char topic[];
};

struct outbox {
    outbox_fn *fn;
    void *ctx;
    size_t max;
    pthread_t thread;
    pthread_mutex_t lock;
    pthread_cond_t filled;
    struct outgoing *head, **tail;
    size_t count; /* the one that is being sent included */
    bool stopping;
};

static struct outgoing *take(struct outbox *box)
{
    struct outgoing *m = box->head;

    if (m) {
        box->head = m->next;
        if (!box->head)
            box->tail = &box->head;
    }
    return m;
}

static void *run(void *ctx)
{
    struct outbox *box = ctx;

    pthread_mutex_lock(&box->lock);
    while (!box->stopping) {
        struct outgoing *m = take(box);

        if (!m) {
            pthread_cond_wait(&box->filled, &box->lock);
            continue;
        }
        pthread_mutex_unlock(&box->lock);
        box->fn(box->ctx, m->topic, m->bytes, m->size);
        free(m);
        pthread_mutex_lock(&box->lock);
        box->count--;
    }
    pthread_mutex_unlock(&box->lock);
    return NULL;
}

struct outbox *outbox_create(size_t max_messages, outbox_fn *fn, void *ctx)
{
    struct outbox *box = calloc(1, sizeof *box);

    if (!box)
        return NULL;
    box->fn = fn;
    box->ctx = ctx;
    box->max = max_messages;
    box->tail = &box->head;
    pthread_mutex_init(&box->lock, NULL);
    pthread_cond_init(&box->filled, NULL);
    if (pthread_create(&box->thread, NULL, run, box) == 0)
        return box;
    pthread_cond_destroy(&box->filled);
    pthread_mutex_destroy(&box->lock);
    free(box);
    return NULL;
}

int outbox_put(struct outbox *box, const char *topic, const uint8_t *bytes, size_t size)
{
    size_t topic_size = strlen(topic) + 1;
    struct outgoing *m = malloc(sizeof *m + topic_size + size);

    if (!m)
        return BMS_ERR_NOSPACE;
    m->next = NULL;
    m->size = size;
    memcpy(m->topic, topic, topic_size);
    m->bytes = (uint8_t *)m->topic + topic_size;
    memcpy(m->bytes, bytes, size);
    pthread_mutex_lock(&box->lock);
    bool full = box->count >= box->max;

    if (!full) {
        *box->tail = m;
        box->tail = &m->next;
        box->count++;
        pthread_cond_signal(&box->filled);
    }
    pthread_mutex_unlock(&box->lock);
    if (full)
        free(m);
    return full ? BMS_ERR_NOSPACE : 0;
}

void outbox_clear(struct outbox *box)
{
    struct outgoing *m;

    pthread_mutex_lock(&box->lock);
    while ((m = take(box)) != NULL) {
        free(m);
        box->count--;
    }
    pthread_mutex_unlock(&box->lock);
}

void outbox_drain(struct outbox *box, int wait_ms)
{
    for (int64_t until = clock_mono_ms() + wait_ms; clock_mono_ms() < until;) {
        struct timespec t = { .tv_nsec = 5000000 };

        pthread_mutex_lock(&box->lock);
        bool empty = box->count == 0;

        pthread_mutex_unlock(&box->lock);
        if (empty)
            return;
        nanosleep(&t, NULL);
    }
}

void outbox_destroy(struct outbox *box)
{
    if (!box)
        return;
    pthread_mutex_lock(&box->lock);
    box->stopping = true;
    pthread_cond_signal(&box->filled);
    pthread_mutex_unlock(&box->lock);
    pthread_join(box->thread, NULL);
    outbox_clear(box);
    pthread_cond_destroy(&box->filled);
    pthread_mutex_destroy(&box->lock);
    free(box);
}
