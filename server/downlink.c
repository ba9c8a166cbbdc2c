/* SPDX-License-Identifier: Apache-2.0 */
/* downlink.c -- the thread that keeps operations moving. See downlink.h.
 *
 * `lock` guards the lists and is never held while the database, the broker or a listener is called. The list `open` holds what must be sent;
 * the table `op` is the truth, and every change of state is an UPDATE that names the state it comes from.
 */
#include "server/downlink.h"

#include "common/err.h"
#include "server/clock.h"
#include "server/log.h"
#include "server/metrics.h"
#include "server/op_command.h"
#include "server/op_store.h"
#include "server/reread.h"
#include "server/watch.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum {
    OPEN_MAX = 1024,
    RESULTS_MAX = 256,
    READS_MAX = 256,
    TICK_MS = 250,
    POLL_ALONE_MS = 5000,
    POLL_API_MS = 1000,
    REFUSED_WAIT_MS = 500
};

struct open_op {
    char id[OP_ID_LEN + 1];
    char device[DEVICE_NAME_MAX + 1];
    int64_t expires_at_ms; /* UTC */
    int64_t send_at_ms;    /* monotonic */
    size_t sends;
    size_t size;
    uint8_t command[COMMAND_BYTES_MAX];
};

struct result {
    struct result *next;
    char device[DEVICE_NAME_MAX + 1];
    size_t size;
    uint8_t bytes[];
};

struct downlink {
    struct downlink_parts parts;
    bool sends; /* ROLE_API */
    bool runs;
    struct db db; /* the thread's */
    pthread_t thread;
    pthread_mutex_t lock;
    pthread_cond_t wake;
    bool stopping;
    struct open_op *open[OPEN_MAX];
    size_t open_count;
    struct result *results, **results_tail;
    size_t result_count;
    char reads[READS_MAX][DEVICE_NAME_MAX + 1]; /* devices to be read */
    size_t read_count;
    struct watches watches;
    struct rereads rereads;
    int64_t poll_at_ms;
    pthread_mutex_t start_lock; /* guards start_db, which the callers of downlink_start() share */
    struct db start_db;
};

/* ---- the list of open operations ---- */

static size_t open_index(const struct downlink *d, const char *id)
{
    size_t i = 0;

    while (i < d->open_count && strcmp(d->open[i]->id, id) != 0)
        i++;
    return i;
}

static void open_add(struct downlink *d, const struct op *op, int64_t expires_at_ms)
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

static void open_remove(struct downlink *d, const char *id)
{
    pthread_mutex_lock(&d->lock);
    size_t i = open_index(d, id);

    if (i < d->open_count) {
        free(d->open[i]);
        d->open[i] = d->open[--d->open_count];
    }
    pthread_mutex_unlock(&d->lock);
}

static bool open_has_device(struct downlink *d, const char *device)
{
    bool has = false;

    pthread_mutex_lock(&d->lock);
    for (size_t i = 0; i < d->open_count; i++)
        has |= strcmp(d->open[i]->device, device) == 0;
    pthread_mutex_unlock(&d->lock);
    return has;
}

/* ---- telling ---- */

static void tell_op(struct downlink *d, const struct op *op)
{
    struct event e = { .kind = EVENT_OP, .device = op->device, .at_ms = clock_utc_ms(), .op = op };

    events_notify(d->parts.events, &e);
    log_info("downlink", op_state_text(op->state), "op=%s device=%s kind=%s by=%s detail='%s'", op->id, op->device, op_kind_text(op->kind),
             op->by, op->detail);
}

static void tell_params(struct downlink *d, const char *device, const struct fleet_reported *reported)
{
    struct fleet_vehicle after;

    if (!fleet_set_reported(d->parts.fleet, device, reported, &after))
        return;
    struct event e = { .kind = EVENT_PARAMS, .device = device, .at_ms = clock_utc_ms(), .vehicle = &after };

    events_notify(d->parts.events, &e);
}

/* ---- starting ---- */

static bool random_id(char *out)
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
    return random_id(op->id);
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

static bool differs(const struct fleet_vehicle *v)
{
    const struct fleet_reported *r = &v->reported;

    return !r->known || r->boot != v->sample.boot || r->running_hash != (uint32_t)v->sample.scalar[SAMPLE_param_running_hash] ||
           r->stored_hash != (uint32_t)v->sample.scalar[SAMPLE_param_stored_hash];
}

void downlink_observe(struct downlink *d, const struct fleet_vehicle *v)
{
    bool same_start = v->reported.known && v->reported.boot == v->sample.boot; /* else no write can explain the difference */

    pthread_mutex_lock(&d->lock);
    if (reread_wanted(&d->rereads, v->device, differs(v), same_start, clock_mono_ms()) && d->read_count < READS_MAX) {
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

/* ---- results ---- */

void downlink_take_result(struct downlink *d, const char *device, const uint8_t *bytes, size_t size)
{
    struct result *r = malloc(sizeof *r + size);

    metrics_add(METRIC_RESULTS, 1);
    if (!r)
        return;
    r->next = NULL;
    r->size = size;
    snprintf(r->device, sizeof r->device, "%s", device);
    memcpy(r->bytes, bytes, size);
    pthread_mutex_lock(&d->lock);
    if (d->result_count < RESULTS_MAX) {
        *d->results_tail = r;
        d->results_tail = &r->next;
        d->result_count++;
        pthread_cond_signal(&d->wake);
        r = NULL;
    }
    pthread_mutex_unlock(&d->lock);
    free(r); /* too many: the command is repeated and so is its result */
}

static struct result *next_result(struct downlink *d)
{
    pthread_mutex_lock(&d->lock);
    struct result *r = d->results;

    if (r) {
        d->results = r->next;
        d->result_count--;
        if (!d->results)
            d->results_tail = &d->results;
    }
    pthread_mutex_unlock(&d->lock);
    return r;
}

/* What the board runs now, as far as this result proves it: a whole read, or a change of what was read before. */
static bool reports(struct downlink *d, const struct op *op, const Cw__Result *m, int64_t now_ms, struct fleet_reported *out)
{
    struct fleet_vehicle v;
    bool known = fleet_get(d->parts.fleet, op->device, &v) && v.reported.known;

    *out = (struct fleet_reported) {
        .known = true, .running_hash = m->running_hash, .stored_hash = m->stored_hash, .boot = m->boot, .read_at_ms = now_ms
    };
    if (op->kind == OP_READ)
        return op->state == OP_DONE && m->n_values > 0;
    return known && m->status == CW__STATUS__STATUS_OK && op->kind != OP_RESTART && v.reported.boot == m->boot;
}

static void finish(struct downlink *d, const char *device, const Cw__Result *m)
{
    struct fleet_reported reported;
    struct op op;
    char id[OP_ID_LEN + 1];
    bool changed = false;
    int64_t now = clock_utc_ms();

    op_id_print(m->command, id);
    int err = op_load(&d->db, id, &op);

    if (err || strcmp(op.device, device) != 0)
        return; /* a watch, or not ours; with the database away the repeated command brings the result again */
    op_judge(&op, m, now);
    bool whole = reports(d, &op, m, now, &reported);

    err = op_finish(&d->db, &op, whole ? &reported : NULL, &changed);
    if (err)
        return;
    open_remove(d, id);
    if (!changed)
        return;
    tell_op(d, &op);
    if (whole)
        tell_params(d, device, &reported);
}

static void take_results(struct downlink *d)
{
    struct result *r;

    while ((r = next_result(d)) != NULL) {
        Cw__Result *m = cw__result__unpack(NULL, r->size, r->bytes);

        if (m && m->schema == 1 && strcmp(m->device, r->device) == 0) {
            finish(d, r->device, m);
        } else {
            metrics_add(METRIC_RESULTS_BAD, 1);
            log_warn("downlink", "result refused", "device=%s size=%zu", r->device, r->size);
        }
        cw__result__free_unpacked(m, NULL);
        free(r);
    }
}

/* ---- sending and expiring ---- */

static int publish(struct downlink *d, const char *device, const uint8_t *bytes, size_t size)
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

static void tick_ops(struct downlink *d)
{
    int64_t utc = clock_utc_ms(), mono = clock_mono_ms();
    struct open_op o;

    while (next_due(d, utc, mono, &o)) {
        if (o.expires_at_ms <= utc) {
            move(d, o.id, OP_EXPIRED, "no result came in time");
            open_remove(d, o.id);
            continue;
        }
        bool sent = publish(d, o.device, o.command, o.size) == 0;

        schedule(d, o.id, sent, mono);
        if (sent && o.sends == 0)
            move(d, o.id, OP_SENT, "");
    }
}

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
        if (random_id(id_text) && op_id_read(id_text, &id))
            publish(d, device, bytes, watch_pack(device, id, seconds, clock_utc_ms() + WATCH_RENEW_MS, bytes));
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

static void poll_table(struct downlink *d)
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
        take_results(d);
        start_reads(d);
        poll_table(d);
        tick_ops(d);
        tick_watches(d);
        pthread_mutex_lock(&d->lock);
        wait_tick(d);
    }
    pthread_mutex_unlock(&d->lock);
    return NULL;
}

static void discard(struct downlink *d)
{
    struct result *r;

    while ((r = next_result(d)) != NULL)
        free(r);
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
    d->rereads.items = calloc(REREADS_MAX, sizeof *d->rereads.items);
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
