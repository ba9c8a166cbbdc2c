/* SPDX-License-Identifier: Apache-2.0 */
/* downlink_result.c -- what boards answered. */
#include "server/clock.h"
#include "server/downlink/downlink_private.h"
#include "server/downlink/op_store.h"
#include "server/history/refill.h"
#include "server/log.h"
#include "server/metrics.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void tell_op(struct downlink *d, const struct op *op)
{
    struct event e = { .kind = EVENT_OP, .device = op->device, .at_ms = clock_utc_ms(), .op = op };

    events_notify(d->parts.events, &e);
    log_info("downlink", op_state_text(op->state), "op=%s device=%s kind=%s by=%s detail='%s'", op->id, op->device, op_kind_text(op->kind),
             op->by, op->detail);
}

void tell_params(struct downlink *d, const char *device, const struct fleet_reported *reported)
{
    struct fleet_vehicle after;

    if (!fleet_set_reported(d->parts.fleet, device, reported, &after))
        return;
    struct event e = { .kind = EVENT_PARAMS, .device = device, .at_ms = clock_utc_ms(), .vehicle = &after };

    events_notify(d->parts.events, &e);
}

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
    return known && m->status == CW__STATUS__STATUS_OK && op->kind != OP_RESTART && op->kind != OP_REFILL && v.reported.boot == m->boot;
}

/* What the journal did not have is lost. A refill that the device did not carry out says nothing. */
static void end_refill(struct downlink *d, const struct op *op, const Cw__Result *m)
{
    bool formatted = m->status == CW__STATUS__STATUS_REJECTED && m->refilled && strcmp(m->detail, "another journal") == 0;

    if ((op->state == OP_DONE || formatted) && refill_mark_lost(&d->db, op, formatted) != 0)
        log_warn("downlink", "what is lost could not be noted; it will be asked for again", "op=%s error='%s'", op->id, d->db.error);
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
    if (op.kind == OP_REFILL)
        end_refill(d, &op, m);
    tell_op(d, &op);
    if (whole)
        tell_params(d, device, &reported);
}

void downlink_take_results(struct downlink *d)
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

void downlink_drop_results(struct downlink *d)
{
    struct result *r;

    while ((r = next_result(d)) != NULL)
        free(r);
}
