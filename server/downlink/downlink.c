/* SPDX-License-Identifier: Apache-2.0 */
/* downlink.c -- starting operations, and the thread that keeps them moving. See downlink.h and downlink_private.h. */
#include "server/downlink/downlink.h"

#include "common/err.h"
#include "server/clock.h"
#include "server/downlink/downlink_private.h"
#include "server/downlink/op_store.h"
#include "server/log.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { TICK_MS = 250 };

/* ---- starting ---- */

bool op_id_random(char *out)
{
    uint64_t id = 0;
    FILE *f = fopen("/dev/urandom", "rb");
    bool ok = f && fread(&id, sizeof id, 1, f) == 1 && id != 0;

    if (f)
        fclose(f);
    op_id_print(id, out);
    return ok;
}

static bool make_op(const struct op_request *request, struct op *op)
{
    memset(op, 0, sizeof *op);
    op->kind = request->kind;
    op->state = OP_QUEUED;
    op->created_at_ms = op->changed_at_ms = clock_utc_ms();
    snprintf(op->device, sizeof op->device, "%s", request->device);
    snprintf(op->by, sizeof op->by, "%s", request->by);
    snprintf(op->reason, sizeof op->reason, "%s", request->reason ? request->reason : "");
    for (size_t i = 0; i < request->count; i++) {
        struct op_readback *r = &op->readback[op->readback_count++];

        r->id = (uint16_t)request->values[i].id;
        r->has_wanted = true;
        r->wanted = (int32_t)request->values[i].value;
    }
    return op_id_random(op->id);
}

int downlink_start(struct downlink *d, const struct op_request *request, struct op *op, struct op_problem *problems, size_t max,
                   size_t *problem_count)
{
    struct fleet_vehicle vehicle;

    *problem_count = op_check(request, problems, max);
    if (*problem_count)
        return BMS_ERR_RANGE;
    if (!fleet_get(d->parts.fleet, request->device, &vehicle))
        return BMS_ERR_UNKNOWN;
    if (!make_op(request, op))
        return BMS_ERR_IO;
    int64_t expires_at_ms = op->created_at_ms + d->parts.config->op_expiry_s * 1000;

    pthread_mutex_lock(&d->start_lock);
    int err = op_insert(&d->start_db, op, expires_at_ms, true);

    if (err && !d->start_db.conn) /* the connection had died since; once more on a new one */
        err = op_insert(&d->start_db, op, expires_at_ms, true);
    pthread_mutex_unlock(&d->start_lock);
    if (err) {
        log_error("downlink", "operation not stored", "device=%s error='%s'", request->device, d->start_db.error);
        return BMS_ERR_IO;
    }
    open_add(d, op, expires_at_ms);
    return 0;
}

/* ---- reading by ourselves ---- */

void downlink_observe(struct downlink *d, const struct fleet_vehicle *v)
{
    bool same_start = v->reported.known && v->reported.boot == v->sample.boot; /* else no write can explain the difference */

    pthread_mutex_lock(&d->lock);
    if (reread_wanted(&d->rereads, v->device, reread_differs(v), same_start, clock_mono_ms()) && d->read_count < READS_MAX) {
        memcpy(d->reads[d->read_count++], v->device, sizeof v->device);
        pthread_cond_signal(&d->wake);
    }
    pthread_mutex_unlock(&d->lock);
}

static void start_read(struct downlink *d, const char *device)
{
    struct op_request request = {
        .device = device, .kind = OP_READ, .by = "server", .reason = "the board runs other parameters than reported"
    };
    struct op op;

    if (open_has_device(d, device) || !make_op(&request, &op))
        return; /* its result will tell as much */
    int64_t expires_at_ms = op.created_at_ms + d->parts.config->op_expiry_s * 1000;

    if (op_insert(&d->db, &op, expires_at_ms, false) == 0)
        open_add(d, &op, expires_at_ms);
}

static void start_reads(struct downlink *d)
{
    char device[DEVICE_NAME_MAX + 1];

    for (;;) {
        pthread_mutex_lock(&d->lock);
        bool some = d->read_count > 0;

        if (some)
            memcpy(device, d->reads[--d->read_count], sizeof device);
        pthread_mutex_unlock(&d->lock);
        if (!some)
            return;
        start_read(d, device);
    }
}

/* ---- leases ---- */

static void tick_watches(struct downlink *d)
{
    char device[DEVICE_NAME_MAX + 1], id_text[OP_ID_LEN + 1];
    uint8_t bytes[COMMAND_BYTES_MAX];
    uint32_t seconds = 0;
    uint64_t id = 0;

    for (;;) {
        pthread_mutex_lock(&d->lock);
        bool due = watch_next(&d->watches, clock_mono_ms(), device, &seconds);

        pthread_mutex_unlock(&d->lock);
        if (!due)
            return;
        if (op_id_random(id_text) && op_id_read(id_text, &id))
            downlink_publish(d, device, bytes, watch_pack(device, id, seconds, clock_utc_ms() + WATCH_RENEW_MS, bytes));
    }
}

int downlink_watch(struct downlink *d, const char *device, bool on)
{
    pthread_mutex_lock(&d->lock);
    int err = watch_set(&d->watches, device, on, clock_mono_ms());

    pthread_cond_signal(&d->wake);
    pthread_mutex_unlock(&d->lock);
    return err == BMS_ERR_NOSPACE ? err : 0;
}

/* ---- the thread ---- */

static void wait_tick(struct downlink *d)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    t.tv_nsec += TICK_MS * 1000000L;
    if (t.tv_nsec >= 1000000000L) {
        t.tv_sec++;
        t.tv_nsec -= 1000000000L;
    }
    if (!d->stopping && !d->results && !d->read_count)
        pthread_cond_timedwait(&d->wake, &d->lock, &t);
}

static void *run(void *ctx)
{
    struct downlink *d = ctx;

    pthread_mutex_lock(&d->lock);
    while (!d->stopping) {
        pthread_mutex_unlock(&d->lock);
        downlink_take_results(d);
        start_reads(d);
        downlink_poll_table(d);
        downlink_tick_ops(d);
        tick_watches(d);
        pthread_mutex_lock(&d->lock);
        wait_tick(d);
    }
    pthread_mutex_unlock(&d->lock);
    return NULL;
}

static void discard(struct downlink *d)
{
    downlink_drop_results(d);
    for (size_t i = 0; i < d->open_count; i++)
        free(d->open[i]);
    db_close(&d->db);
    db_close(&d->start_db);
    free(d->rereads.items);
    pthread_cond_destroy(&d->wake);
    pthread_mutex_destroy(&d->lock);
    pthread_mutex_destroy(&d->start_lock);
    free(d);
}

struct downlink *downlink_create(const struct downlink_parts *parts)
{
    struct downlink *d = calloc(1, sizeof *d);
    pthread_condattr_t attr;

    if (!d)
        return NULL;
    d->parts = *parts;
    d->sends = (parts->config->role & ROLE_API) != 0;
    d->results_tail = &d->results;
    d->rereads.items = calloc(REREAD_SLOTS, sizeof *d->rereads.items);
    db_init(&d->db, parts->config->database, "cellwarden-downlink");
    db_init(&d->start_db, parts->config->database, "cellwarden-start-op");
    pthread_mutex_init(&d->lock, NULL);
    pthread_mutex_init(&d->start_lock, NULL);
    pthread_condattr_init(&attr);
    pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
    pthread_cond_init(&d->wake, &attr);
    pthread_condattr_destroy(&attr);
    if (!d->rereads.items) {
        discard(d);
        return NULL;
    }
    return d;
}

int downlink_run(struct downlink *d)
{
    if (pthread_create(&d->thread, NULL, run, d) != 0)
        return BMS_ERR_NOSPACE;
    d->runs = true;
    return 0;
}

void downlink_halt(struct downlink *d)
{
    if (!d || !d->runs)
        return;
    pthread_mutex_lock(&d->lock);
    d->stopping = true;
    pthread_cond_signal(&d->wake);
    pthread_mutex_unlock(&d->lock);
    pthread_join(d->thread, NULL);
    d->runs = false;
}

void downlink_destroy(struct downlink *d)
{
    if (!d)
        return;
    downlink_halt(d);
    discard(d);
}
