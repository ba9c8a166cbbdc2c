/* SPDX-License-Identifier: Apache-2.0 */
/* ingest.c -- see ingest.h. Each writer owns its store and connection; what they share is in struct ingest, under its lock. */
#include "server/ingest/ingest.h"

#include "common/err.h"
#include "server/clock.h"
#include "server/ingest/decode.h"
#include "server/ingest/poison_budget.h"
#include "server/log.h"
#include "server/metrics.h"
#include "server/store/store.h"
#include "server/stream/publish.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

enum { WRITERS = 2 }; /* while one waits for the database the other decodes */
enum { RETRY_MIN_MS = 100, RETRY_MAX_MS = 5000, STOP_MS = 1500, IDLE_MS = 200 };

struct writer { /* a thread with a batch */
    struct ingest *shared;
    struct store *store;
    struct acks acks;
    struct ring_message **messages;
    struct decoded *records; /* good ones, in order of arrival */
    size_t count;
    struct poison *poisons;
    size_t poison_count;
    size_t max;
    uint64_t number; /* of the batch: batches are published in the order in which they were taken */
    pthread_t thread;
    bool runs;
};

struct ingest {
    struct ingest_parts parts;
    struct writer writer[WRITERS];
    pthread_mutex_t take;     /* held while a batch is taken, so that it is one piece of the stream */
    pthread_mutex_t lock;     /* guards what follows */
    pthread_cond_t published; /* `next` changed */
    uint64_t taken, next;     /* batches taken; number of the one to be published next */
    struct poison_budget *budget;
    _Atomic bool stopping;
    int64_t stop_at_ms; /* monotonic; written before `stopping` */
};

/* The first message opens the batch; it is closed when full or batch_ms later. */
static size_t collect(struct writer *in)
{
    struct ring *ring = in->shared->parts.ring;
    size_t n = 0;

    pthread_mutex_lock(&in->shared->take);
    if (!in->shared->stopping || ring_count(ring) > 0)
        n = ring_pop(ring, in->messages, in->max, 1, IDLE_MS);
    int64_t until = clock_mono_ms() + in->shared->parts.config->batch_ms;

    while (n && n < in->max && !in->shared->stopping) {
        int64_t left = until - clock_mono_ms();

        if (left <= 0)
            break;
        n += ring_pop(ring, in->messages + n, in->max - n, in->max - n, (int)left);
    }
    if (n)
        in->number = in->shared->taken++;
    pthread_mutex_unlock(&in->shared->take);
    return n;
}

/* True when it may be kept aside. */
static bool take_poison(struct ingest *shared, const struct poison *p)
{
    if (shared->parts.on_refused)
        shared->parts.on_refused(shared->parts.refused_ctx, p->device);
    pthread_mutex_lock(&shared->lock);
    bool yes = poison_budget_take(shared->budget, p->device, clock_mono_ms());

    pthread_mutex_unlock(&shared->lock);
    metrics_add(METRIC_POISON_DROPPED, !yes);
    return yes;
}

static void decode_all(struct writer *in, size_t n)
{
    int64_t retention_ms = in->shared->parts.config->retention_days * 86400000;

    in->count = in->poison_count = 0;
    for (size_t i = 0; i < n; i++) {
        const struct ring_message *m = in->messages[i];

        if (decode_record(m->topic, m->topic_len, m->bytes, m->size, m->received_ms, retention_ms, &in->records[in->count],
                          &in->poisons[in->poison_count]))
            in->count++;
        else
            in->poison_count += take_poison(in->shared, &in->poisons[in->poison_count]);
    }
}

static int stage(struct writer *in)
{
    int err = 0;

    store_begin(in->store);
    for (size_t i = 0; !err && i < in->count; i++)
        err = store_add(in->store, &in->records[i]);
    for (size_t i = 0; !err && i < in->poison_count; i++)
        err = store_add_poison(in->store, &in->poisons[i]);
    return err;
}

static bool may_go_on(const struct ingest *in)
{
    return !in->stopping || clock_mono_ms() < in->stop_at_ms;
}

static void rest(const struct ingest *in, int ms)
{
    for (int64_t until = clock_mono_ms() + ms; clock_mono_ms() < until && may_go_on(in);) {
        struct timespec t = { .tv_nsec = 20000000 };

        nanosleep(&t, NULL);
    }
}

/* Commit what is staged, as often as it takes. Returns 0, BMS_ERR_RANGE (refused), or BMS_ERR_STATE (the end came first). */
static int commit(struct writer *in, struct store_result *result)
{
    int wait_ms = RETRY_MIN_MS;

    for (;;) {
        int64_t from = clock_mono_ms();
        int err = store_commit(in->store, result);

        metrics_set(METRIC_DATABASE_UP, err != BMS_ERR_IO);
        if (err == 0)
            metrics_observe(METRIC_COMMIT_MS, clock_mono_ms() - from);
        if (err != BMS_ERR_IO)
            return err;
        log_warn("ingest", "database failed; the batch stays", "records=%zu wait_ms=%d error='%s'", in->count, wait_ms,
                 store_error(in->store));
        metrics_add(METRIC_BATCH_RETRIES, 1);
        rest(in->shared, wait_ms);
        if (!may_go_on(in->shared))
            return BMS_ERR_STATE;
        wait_ms = wait_ms * 2 > RETRY_MAX_MS ? RETRY_MAX_MS : wait_ms * 2;
    }
}

static void count_result(const struct store_result *result)
{
    metrics_add(METRIC_RECORDS, (int64_t)result->records);
    metrics_add(METRIC_FRAMES, (int64_t)result->frames);
    metrics_add(METRIC_DUPLICATES, (int64_t)result->duplicates);
    metrics_add(METRIC_BATCH_TWICE, (int64_t)result->twice);
}

static void count_poison(const struct poison *p)
{
    static const enum metric counters[] = {
#define X(name, word, why) METRIC_POISON_##name,
        POISON_TABLE(X)
#undef X
    };

    metrics_add(counters[p->reason], 1);
    log_warn("ingest", "record refused", "reason=%s topic=%s epoch=%016llx seq=%llu size=%zu", poison_word(p->reason), p->topic,
             (unsigned long long)p->epoch, (unsigned long long)p->seq, p->size);
}

/* The database refused the batch for its data: one row at a time, so that only the guilty one is put aside. */
static int commit_singly(struct writer *in)
{
    size_t records = in->count;
    int err = 0;

    log_error("ingest", "database refused a batch; trying its records one by one", "records=%zu error='%s'", records,
              store_error(in->store));
    for (size_t i = 0; i < records && err != BMS_ERR_STATE; i++) {
        const struct decoded *d = &in->records[i];
        struct poison p = { .reason = POISON_DATABASE, .named = true, .epoch = d->epoch, .seq = d->seq, .received_ms = d->received_ms };
        struct store_result result;

        store_begin(in->store);
        err = store_add(in->store, d);
        err = err ? err : commit(in, &result);
        if (err == 0)
            count_result(&result);
        if (err != BMS_ERR_RANGE)
            continue;
        p.bytes = d->bytes;
        p.size = d->size;
        snprintf(p.device, sizeof p.device, "%s", d->device);
        snprintf(p.topic, sizeof p.topic, TOPIC_ROOT "%s" TOPIC_RECORD, d->device);
        store_begin(in->store);
        err = store_add_poison(in->store, &p);
        err = err ? err : commit(in, &result);
        count_poison(&p);
    }
    store_begin(in->store);
    for (size_t i = 0; !err && i < in->poison_count; i++)
        err = store_add_poison(in->store, &in->poisons[i]);
    struct store_result none;

    return err ? err : commit(in, &none);
}

static int commit_all(struct writer *in)
{
    struct store_result result;
    int err = stage(in);

    if (err) {
        log_error("ingest", "no memory for a batch; its records will come again", "records=%zu", in->count);
        return err;
    }
    err = commit(in, &result);
    if (err == BMS_ERR_RANGE)
        return commit_singly(in);
    if (!err)
        count_result(&result);
    return err;
}

static void acknowledge(struct writer *in)
{
    size_t named = 0;

    ack_begin(&in->acks);
    for (size_t i = 0; i < in->count; i++)
        named += ack_add(&in->acks, in->records[i].device, in->records[i].epoch, in->records[i].seq) == 0;
    for (size_t i = 0; i < in->poison_count; i++) {
        const struct poison *p = &in->poisons[i];

        if (p->named && p->device[0])
            named += ack_add(&in->acks, p->device, p->epoch, p->seq) == 0;
    }
    metrics_add(METRIC_ACKS, (int64_t)ack_flush(&in->acks, in->shared->parts.publish, in->shared->parts.publish_ctx));
    metrics_add(METRIC_ACKED_RECORDS, (int64_t)named);
}

/* Until all batches that were taken before are published. */
static void wait_for_turn(struct ingest *shared, uint64_t number)
{
    pthread_mutex_lock(&shared->lock);
    while (shared->next != number)
        pthread_cond_wait(&shared->published, &shared->lock);
    pthread_mutex_unlock(&shared->lock);
}

static void end_turn(struct ingest *shared)
{
    pthread_mutex_lock(&shared->lock);
    shared->next++;
    pthread_cond_broadcast(&shared->published);
    pthread_mutex_unlock(&shared->lock);
}

static void publish(struct writer *in)
{
    wait_for_turn(in->shared, in->number);
    publish_newest(&in->shared->parts, in->records, in->count);
    end_turn(in->shared);
}

static void batch(struct writer *in)
{
    size_t n = collect(in);

    if (n == 0)
        return;
    decode_all(in, n);
    metrics_observe(METRIC_BATCH_RECORDS, (int64_t)n);
    int err = commit_all(in);

    if (!err) {
        acknowledge(in);
        for (size_t i = 0; i < in->poison_count; i++)
            count_poison(&in->poisons[i]);
        log_debug("ingest", "committed", "records=%zu poison=%zu", in->count, in->poison_count);
    } else {
        log_warn("ingest", "batch given up; the devices keep its records", "records=%zu", in->count);
    }
    for (size_t i = 0; i < in->count; i++)
        decoded_free(&in->records[i]);
    in->count = err ? 0 : in->count;
    publish(in);
    for (size_t i = 0; i < n; i++)
        free(in->messages[i]);
}

static void *run(void *ctx)
{
    struct writer *in = ctx;
    struct ingest *shared = in->shared;

    while (!shared->stopping || (ring_count(shared->parts.ring) && may_go_on(shared)))
        batch(in);
    return NULL;
}

static void writer_free(struct writer *in)
{
    store_destroy(in->store);
    acks_free(&in->acks);
    free(in->messages);
    free(in->records);
    free(in->poisons);
}

static bool writer_start(struct ingest *shared, struct writer *in)
{
    in->shared = shared;
    in->max = (size_t)shared->parts.config->batch_records;
    in->store = store_create(shared->parts.config->database);
    in->messages = calloc(in->max, sizeof *in->messages);
    in->records = calloc(in->max, sizeof *in->records); /* touched only as far as batches are large */
    in->poisons = calloc(in->max, sizeof *in->poisons);
    in->runs = in->store && in->messages && in->records && in->poisons && pthread_create(&in->thread, NULL, run, in) == 0;
    return in->runs;
}

struct ingest *ingest_start(const struct ingest_parts *parts)
{
    struct ingest *in = calloc(1, sizeof *in);
    bool all = true;

    if (!in)
        return NULL;
    in->parts = *parts;
    pthread_mutex_init(&in->take, NULL);
    pthread_mutex_init(&in->lock, NULL);
    pthread_cond_init(&in->published, NULL);
    in->budget = calloc(1, sizeof *in->budget);
    for (size_t i = 0; i < WRITERS && in->budget; i++)
        all = writer_start(in, &in->writer[i]) && all;
    if (in->budget && all)
        return in;
    ingest_stop(in);
    return NULL;
}

void ingest_stop(struct ingest *in)
{
    if (!in)
        return;
    in->stop_at_ms = clock_mono_ms() + STOP_MS;
    in->stopping = true;
    ring_close(in->parts.ring);
    for (size_t i = 0; i < WRITERS; i++) {
        if (in->writer[i].runs)
            pthread_join(in->writer[i].thread, NULL);
        writer_free(&in->writer[i]);
    }
    pthread_cond_destroy(&in->published);
    pthread_mutex_destroy(&in->lock);
    pthread_mutex_destroy(&in->take);
    free(in->budget);
    free(in);
}
