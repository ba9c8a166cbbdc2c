/* SPDX-License-Identifier: Apache-2.0 */
#include "dtu/core/downlink.h"

#include <string.h>

#include "common/err.h"
#include "dtu/core/downlink_result.h"
#include "proto/downlink.pb-c.h"

enum { SCHEMA = 1 };

void downlink_init(struct downlink *d, const char *device)
{
    memset(d, 0, sizeof(*d));
    size_t n = strlen(device);

    memcpy(d->device, device, n < DEVICE_NAME_MAX ? n : DEVICE_NAME_MAX);
}

static void *arena_alloc(void *ctx, size_t n)
{
    struct downlink *d = ctx;
    size_t words = (n + 7) / 8;

    if (n > DOWNLINK_ARENA || words > DOWNLINK_ARENA / 8 - d->arena.used)
        return NULL;
    void *p = &d->arena.bytes[d->arena.used];

    d->arena.used += words;
    return p;
}

static void arena_free(void *ctx, void *p)
{
    (void)ctx;
    (void)p; /* all at once, before the next command */
}

static struct downlink_result *find_result(struct downlink *d, uint64_t id)
{
    for (unsigned i = 0; i < DOWNLINK_RESULTS; i++)
        if (d->result[i].n > 0 && d->result[i].id == id)
            return &d->result[i];
    return NULL;
}

static bool is_under_way(const struct downlink *d, uint64_t id)
{
    for (size_t i = 0; i < d->queued; i++)
        if (d->queue[i].id == id)
            return true;
    return d->refill.id == id || (d->running && d->run.cmd.id == id);
}

/* A Result without values, at once. */
static void answer_now(struct downlink *d, uint64_t id, enum downlink_status status, const char *detail)
{
    struct downlink_answer a = { .id = id, .status = status, .detail = detail };

    downlink_result_make(d, &a);
}

static void on_watch(struct downlink *d, const Cw__Command *m, uint32_t now_ms)
{
    uint32_t s = m->watch->seconds < DOWNLINK_WATCH_MAX_S ? m->watch->seconds : DOWNLINK_WATCH_MAX_S;

    d->watched = s > 0;
    d->watch_from_ms = now_ms;
    d->watch_ms = s * 1000;
    answer_now(d, m->id, DOWNLINK_STATUS_OK, "");
}

/* One at a time; another one finds no room and comes again. */
static void on_refill(struct downlink *d, const Cw__Command *m, uint32_t now_ms)
{
    const Cw__Refill *r = m->refill;

    if (r->first == 0 || r->last < r->first || r->last - r->first >= DOWNLINK_REFILL_MAX || r->last == UINT64_MAX) {
        answer_now(d, m->id, DOWNLINK_STATUS_REJECTED, "no such span of records");
        return;
    }
    if (d->refill.id != 0) {
        d->counts.no_room++;
        return;
    }
    d->refill = (struct downlink_refill) { .id = m->id, .from_ms = now_ms, .epoch = r->epoch, .first = r->first, .last = r->last };
}

void downlink_refilled(struct downlink *d, enum downlink_refill_end end, uint64_t served)
{
    static const struct {
        enum downlink_status status;
        const char *detail;
    } ends[] = { [DOWNLINK_REFILL_SERVED] = { DOWNLINK_STATUS_OK, "" },
                 [DOWNLINK_REFILL_OTHER] = { DOWNLINK_STATUS_REJECTED, "another journal" },
                 [DOWNLINK_REFILL_LATE] = { DOWNLINK_STATUS_TIMEOUT, "the records were not acknowledged" } };
    struct downlink_answer a = { .id = d->refill.id, .status = ends[end].status, .detail = ends[end].detail, .refilled = &served };

    d->refill.id = 0;
    downlink_result_make(d, &a);
}

static void enqueue(struct downlink *d, const Cw__Command *m, enum command_act act)
{
    const Cw__WriteParams *w = act == COMMAND_WRITE ? m->write_params : NULL;

    if (w && w->n_writes > COMMAND_WRITES_MAX) {
        answer_now(d, m->id, DOWNLINK_STATUS_REJECTED, "too many values in one command");
        return;
    }
    if (d->queued == DOWNLINK_QUEUE) {
        d->counts.no_room++;
        return;
    }
    struct command *c = &d->queue[d->queued++];

    *c = (struct command) { .id = m->id, .expires_utc_ms = m->expires_utc_ms, .act = act, .store = w && w->store };
    for (size_t i = 0; w && i < w->n_writes; i++)
        c->write[c->writes++] = (struct command_write) { .id = w->writes[i]->id, .value = w->writes[i]->value };
}

static void accept(struct downlink *d, const Cw__Command *m, uint32_t now_ms, uint64_t utc_ms)
{
    if (m->schema != SCHEMA) {
        answer_now(d, m->id, DOWNLINK_STATUS_UNKNOWN, "unknown schema");
        return;
    }
    if (utc_ms && m->expires_utc_ms && m->expires_utc_ms < utc_ms) {
        answer_now(d, m->id, DOWNLINK_STATUS_EXPIRED, "expired when it came");
        return;
    }
    switch (m->act_case) {
    case CW__COMMAND__ACT_WATCH:
        on_watch(d, m, now_ms);
        break;
    case CW__COMMAND__ACT_READ_PARAMS:
        enqueue(d, m, COMMAND_READ);
        break;
    case CW__COMMAND__ACT_WRITE_PARAMS:
        enqueue(d, m, COMMAND_WRITE);
        break;
    case CW__COMMAND__ACT_RESTART:
        enqueue(d, m, COMMAND_RESTART);
        break;
    case CW__COMMAND__ACT_REFILL:
        on_refill(d, m, now_ms);
        break;
    default:
        answer_now(d, m->id, DOWNLINK_STATUS_UNKNOWN, "unknown command");
        break;
    }
}

void downlink_command(struct downlink *d, const uint8_t *payload, size_t n, uint32_t now_ms, uint64_t utc_ms)
{
    ProtobufCAllocator arena = { .alloc = arena_alloc, .free = arena_free, .allocator_data = d };

    d->arena.used = 0;
    Cw__Command *m = cw__command__unpack(&arena, n, payload);

    if (m == NULL || m->id == 0) {
        d->counts.malformed++;
        return;
    }
    if (strcmp(m->device, d->device) != 0) {
        d->counts.foreign++;
        return;
    }
    struct downlink_result *known = find_result(d, m->id);

    if (known || is_under_way(d, m->id)) {
        d->counts.repeated++;
        if (known)
            known->due = true;
        return;
    }
    d->counts.commands++;
    accept(d, m, now_ms, utc_ms);
}

void downlink_refresh(struct downlink *d, uint32_t now_ms)
{
    d->refresh = true;
    d->refresh_at_ms = now_ms;
}

/* The next command from the queue, or our own reading. */
static void start_next(struct downlink *d, uint32_t now_ms, uint64_t utc_ms)
{
    static const struct command reading = { .act = COMMAND_READ };

    while (!d->running && d->queued > 0) {
        struct command *c = &d->queue[0];

        if (utc_ms && c->expires_utc_ms && c->expires_utc_ms < utc_ms)
            answer_now(d, c->id, DOWNLINK_STATUS_EXPIRED, "expired in the queue");
        else {
            command_start(&d->run, c, &d->params);
            d->running = true;
        }
        d->queued--;
        memmove(d->queue, d->queue + 1, d->queued * sizeof(d->queue[0]));
    }
    if (!d->running && d->refresh && (int32_t)(now_ms - d->refresh_at_ms) >= 0) {
        command_start(&d->run, &reading, &d->params);
        d->running = true;
        d->refresh = false;
    }
}

bool downlink_only_reads(const struct downlink *d)
{
    return d->queued == 0 && (!d->running || d->run.cmd.id == 0);
}

size_t downlink_request(struct downlink *d, uint8_t *out, uint32_t now_ms, uint64_t utc_ms)
{
    start_next(d, now_ms, utc_ms);
    return d->running ? command_request(&d->run, out) : 0;
}

static void finish(struct downlink *d, uint32_t now_ms)
{
    static const enum downlink_status status[] = {
        [COMMAND_OK] = DOWNLINK_STATUS_OK, [COMMAND_REJECTED] = DOWNLINK_STATUS_REJECTED, [COMMAND_TIMEOUT] = DOWNLINK_STATUS_TIMEOUT
    };
    struct downlink_answer a = { .id = d->run.cmd.id, .status = status[d->run.status], .detail = d->run.detail, .run = &d->run };

    d->running = false;
    if (a.id != 0)
        downlink_result_make(d, &a);
    else if (!d->run.has_values)
        downlink_refresh(d, now_ms + DOWNLINK_RETRY_MS);
}

void downlink_outcome(struct downlink *d, enum uds_outcome outcome, const uint8_t *answer, size_t n, uint8_t nrc, uint32_t now_ms)
{
    if (!d->running)
        return;
    command_outcome(&d->run, outcome, answer, n, nrc);
    if (d->run.phase == COMMAND_DONE)
        finish(d, now_ms);
}

int downlink_result(struct downlink *d, const uint8_t **bytes, size_t *n)
{
    struct downlink_result *oldest = NULL;

    for (unsigned i = 0; i < DOWNLINK_RESULTS; i++) {
        struct downlink_result *r = &d->result[i];

        if (r->due && !r->borrowed && (oldest == NULL || r->age < oldest->age))
            oldest = r;
    }
    if (oldest == NULL)
        return -1;
    oldest->due = false;
    oldest->borrowed = true;
    *bytes = oldest->bytes;
    *n = oldest->n;
    return (int)(oldest - d->result);
}

void downlink_published(struct downlink *d, uint32_t token)
{
    if (token < DOWNLINK_RESULTS)
        d->result[token].borrowed = false;
}

bool downlink_is_watched(struct downlink *d, uint32_t now_ms)
{
    if (d->watched && now_ms - d->watch_from_ms >= d->watch_ms)
        d->watched = false;
    return d->watched;
}
