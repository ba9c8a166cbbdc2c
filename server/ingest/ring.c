/* SPDX-License-Identifier: Apache-2.0 */
/* ring.c -- a linked list under one lock. Blocks are as large as their message, so the bound in bytes is true. */
#include "server/ingest/ring.h"

#include "common/err.h"
#include "server/metrics.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

struct ring {
    pthread_mutex_t lock;
    pthread_cond_t room, filled;
    struct ring_message *head, **tail;
    size_t count, bytes, max_records, max_bytes;
    size_t wanted; /* what the one who pops sleeps for; 0 = it does not sleep */
    bool pressed;  /* a pusher found no room: do not sleep for more */
    bool closed;
};

struct ring *ring_create(size_t max_records, size_t max_bytes)
{
    struct ring *ring = calloc(1, sizeof *ring);
    pthread_condattr_t attr;

    if (!ring)
        return NULL;
    ring->max_records = max_records;
    ring->max_bytes = max_bytes;
    ring->tail = &ring->head;
    pthread_mutex_init(&ring->lock, NULL);
    pthread_condattr_init(&attr);
    pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
    pthread_cond_init(&ring->room, &attr);
    pthread_cond_init(&ring->filled, &attr);
    pthread_condattr_destroy(&attr);
    return ring;
}

void ring_destroy(struct ring *ring)
{
    if (!ring)
        return;
    for (struct ring_message *m = ring->head, *next; m; m = next) {
        next = m->next;
        free(m);
    }
    pthread_cond_destroy(&ring->room);
    pthread_cond_destroy(&ring->filled);
    pthread_mutex_destroy(&ring->lock);
    free(ring);
}

static struct timespec after(int wait_ms)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    t.tv_sec += wait_ms / 1000;
    t.tv_nsec += (long)(wait_ms % 1000) * 1000000;
    if (t.tv_nsec >= 1000000000) {
        t.tv_sec++;
        t.tv_nsec -= 1000000000;
    }
    return t;
}

static bool is_full(const struct ring *ring, size_t size)
{
    return ring->count && (ring->count >= ring->max_records || ring->bytes + size > ring->max_bytes);
}

static struct ring_message *copy(const char *topic, size_t topic_len, const uint8_t *bytes, size_t size, int64_t received_ms)
{
    struct ring_message *m = malloc(sizeof *m + topic_len + 1 + size);

    if (!m)
        return NULL;
    *m = (struct ring_message) { .received_ms = received_ms, .topic_len = topic_len, .size = size };
    memcpy(m->topic, topic, topic_len);
    m->topic[topic_len] = '\0';
    m->bytes = (uint8_t *)m->topic + topic_len + 1;
    if (size)
        memcpy(m->bytes, bytes, size);
    return m;
}

static void gauge(const struct ring *ring)
{
    metrics_set(METRIC_RING_RECORDS, (int64_t)ring->count);
    metrics_set(METRIC_RING_BYTES, (int64_t)ring->bytes);
}

static void wake_reader(struct ring *ring)
{
    if (ring->wanted == 0 || (ring->count < ring->wanted && !ring->pressed))
        return;
    ring->wanted = 0;
    pthread_cond_signal(&ring->filled);
}

int ring_push(struct ring *ring, const char *topic, size_t topic_len, const uint8_t *bytes, size_t size, int64_t received_ms, int wait_ms)
{
    struct ring_message *m = copy(topic, topic_len, bytes, size, received_ms);
    struct timespec until = after(wait_ms);
    int err = 0;

    if (!m)
        return BMS_ERR_NOSPACE;
    pthread_mutex_lock(&ring->lock);
    if (is_full(ring, size)) {
        metrics_add(METRIC_RING_WAITS, 1);
        ring->pressed = true;
        wake_reader(ring);
    }
    while (!err && !ring->closed && is_full(ring, size))
        if (pthread_cond_timedwait(&ring->room, &ring->lock, &until) == ETIMEDOUT && is_full(ring, size))
            err = BMS_ERR_TIMEOUT;
    if (ring->closed)
        err = BMS_ERR_STATE;
    if (!err) {
        *ring->tail = m;
        ring->tail = &m->next;
        ring->count++;
        ring->bytes += size;
        gauge(ring);
        wake_reader(ring);
    }
    pthread_mutex_unlock(&ring->lock);
    if (err)
        free(m);
    return err;
}

size_t ring_pop(struct ring *ring, struct ring_message **out, size_t max, size_t least, int wait_ms)
{
    struct timespec until = after(wait_ms);
    size_t n = 0;

    pthread_mutex_lock(&ring->lock);
    while (ring->count < least && !ring->pressed && !ring->closed) {
        ring->wanted = least;
        if (pthread_cond_timedwait(&ring->filled, &ring->lock, &until) == ETIMEDOUT)
            break;
    }
    ring->wanted = 0;
    ring->pressed = false;
    while (n < max && ring->head) {
        struct ring_message *m = ring->head;

        ring->head = m->next;
        ring->count--;
        ring->bytes -= m->size;
        m->next = NULL;
        out[n++] = m;
    }
    if (!ring->head)
        ring->tail = &ring->head;
    gauge(ring);
    if (n)
        pthread_cond_broadcast(&ring->room);
    pthread_mutex_unlock(&ring->lock);
    return n;
}

void ring_close(struct ring *ring)
{
    pthread_mutex_lock(&ring->lock);
    ring->closed = true;
    pthread_cond_broadcast(&ring->room);
    pthread_cond_broadcast(&ring->filled);
    pthread_mutex_unlock(&ring->lock);
}

size_t ring_count(struct ring *ring)
{
    pthread_mutex_lock(&ring->lock);
    size_t n = ring->count;

    pthread_mutex_unlock(&ring->lock);
    return n;
}
