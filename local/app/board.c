/* SPDX-License-Identifier: Apache-2.0 */
#include "local/app/board_private.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/err.h"
#include "proto/tables.h"
#include "server/clock.h"
#include "server/log.h"
#include "server/stream/publish.h"

enum { WAIT_MS = 10, SETTLE_MS = 300 };

void board_tell(struct board *b, enum event_kind kind, const struct op *op)
{
    struct fleet_vehicle vehicle;
    struct event e = { .kind = kind, .device = b->device, .at_ms = clock_utc_ms(), .op = op };

    if (op == NULL && !fleet_get(b->fleet, b->device, &vehicle))
        return;
    e.vehicle = op == NULL ? &vehicle : NULL;
    events_notify(&b->events, &e);
}

/* Keep the sample; those that are too old leave. */
static void keep(struct board *b, const struct sample *s)
{
    pthread_mutex_lock(&b->lock);
    while (b->window_count == BOARD_WINDOW || (b->window_count > 0 && s->utc_ms - b->window[b->window_first].utc_ms > BOARD_WINDOW_MS)) {
        b->window_first = (b->window_first + 1) % BOARD_WINDOW;
        b->window_count--;
    }
    b->window[(b->window_first + b->window_count++) % BOARD_WINDOW] = *s;
    pthread_mutex_unlock(&b->lock);
}

/* Do the board's hashes name the values that we have read? */
static bool is_known(struct board *b, const struct sample *s)
{
    pthread_mutex_lock(&b->lock);
    const struct board_values *v = &b->values;
    bool same = v->known && v->boot == s->boot && param_hash(v->running) == (uint32_t)s->scalar[SAMPLE_param_running_hash] &&
                param_hash(v->stored) == (uint32_t)s->scalar[SAMPLE_param_stored_hash];

    pthread_mutex_unlock(&b->lock);
    return same;
}

static void on_sample(void *ctx, const struct sample *sample)
{
    struct board *b = ctx;
    struct sample s = *sample;

    s.utc_ms = (uint64_t)clock_utc_ms();
    keep(b, &s);
    publish_sample(&b->publish, b->device, &s, (int64_t)s.utc_ms);
    if (!b->read_wanted && b->job == BOARD_JOB_NONE && !is_known(b, &s)) {
        b->read_wanted = true;
        b->read_after_ms = cable_now_ms() + SETTLE_MS;
    }
}

static void set_link(struct board *b, bool online)
{
    struct fleet_vehicle vehicle;
    struct fleet_link link = { .known = true };

    if (fleet_get(b->fleet, b->device, &vehicle))
        link = vehicle.link;
    link.known = true;
    link.online = online;
    fleet_set_link(b->fleet, b->device, &link, clock_utc_ms(), NULL);
    board_tell(b, EVENT_STATE, NULL);
    if (online)
        log_info("cable", "connected", "cable=%s samples=%s", b->cable.wire.target,
                 cable_has_samples(&b->cable) ? "yes" : "none over RS485");
    else
        log_warn("cable", "no link", "why='%s'", b->cable.wire.why);
}

static void follow_link(struct board *b)
{
    bool up = cable_is_up(&b->cable);

    if (up == b->linked)
        return;
    b->linked = up;
    if (!up) {
        board_drop_work(b);
        board_other_seen(b, 0); /* the next one may be another board */
    }
    b->read_wanted = up;
    b->read_after_ms = cable_now_ms();
    set_link(b, up);
}

static void *run(void *arg)
{
    struct board *b = arg;

    while (!atomic_load(&b->stopping)) {
        enum tester_state state = cable_step(&b->cable, WAIT_MS);
        uint32_t now_ms = cable_now_ms();

        follow_link(b);
        if (state == TESTER_DONE)
            board_end_work(b, now_ms);
        else if (state == TESTER_BUSY)
            board_note_progress(b, now_ms);
        if (b->linked && b->job == BOARD_JOB_NONE)
            board_begin_work(b, now_ms);
    }
    return NULL;
}

static int create(struct board **out, const struct wire_config *wire, const char *device, char *why, size_t n)
{
    struct board *b = calloc(1, sizeof(*b));

    if (b == NULL)
        return BMS_ERR_NOSPACE;
    pthread_mutex_init(&b->lock, NULL);
    snprintf(b->device, sizeof(b->device), "%s", device);
    b->fleet = fleet_create(1);
    b->publish = (struct ingest_parts) { .fleet = b->fleet, .events = &b->events };
    b->next_id = (uint64_t)clock_utc_ms() << 20;
    *out = b;
    int err = b->fleet == NULL ? BMS_ERR_NOSPACE : cable_init(&b->cable, wire);

    if (err == BMS_ERR_RANGE)
        snprintf(why, n, "%s", b->cable.wire.why);
    b->cable.tester.checks_reads = true;
    b->cable.ctx = b;
    b->cable.on_sample = on_sample;
    return err;
}

int board_start(struct board **out, const struct wire_config *wire, const char *device, event_fn *listener, void *ctx, char *why, size_t n)
{
    struct fleet_link away = { .known = true };

    *out = NULL;
    why[0] = '\0';
    int err = create(out, wire, device, why, n);

    if (err == BMS_ERR_OK)
        err = events_listen(&(*out)->events, listener, ctx);
    if (err == BMS_ERR_OK) {
        fleet_set_link((*out)->fleet, device, &away, clock_utc_ms(), NULL);
        (*out)->thread_runs = pthread_create(&(*out)->thread, NULL, run, *out) == 0;
        err = (*out)->thread_runs ? BMS_ERR_OK : BMS_ERR_NOSPACE;
    }
    if (err != BMS_ERR_OK) {
        board_stop(*out);
        *out = NULL;
    }
    return err;
}

void board_stop(struct board *b)
{
    if (b == NULL)
        return;
    atomic_store(&b->stopping, true);
    if (b->thread_runs)
        pthread_join(b->thread, NULL);
    cable_close(&b->cable);
    fleet_destroy(b->fleet);
    pthread_mutex_destroy(&b->lock);
    board_other_deinit(b);
    free(b->image);
    free(b);
}

const char *board_device(const struct board *b)
{
    return b->device;
}

void board_vehicle(struct board *b, struct fleet_vehicle *out)
{
    fleet_get(b->fleet, b->device, out);
}

void board_running(struct board *b, struct view_running *out)
{
    *out = (struct view_running) { .sample_period_ms = 0 };
    pthread_mutex_lock(&b->lock);
    for (int p = 0; p < PARAMS && b->values.known; p++)
        view_running_take(out, p, b->values.running[p]);
    pthread_mutex_unlock(&b->lock);
}

void board_history(struct board *b, struct history *h)
{
    pthread_mutex_lock(&b->lock);
    for (size_t i = 0; i < b->window_count; i++)
        history_add_sample(h, &b->window[(b->window_first + i) % BOARD_WINDOW]);
    pthread_mutex_unlock(&b->lock);
}

void board_params(struct board *b, struct board_values *out)
{
    pthread_mutex_lock(&b->lock);
    *out = b->values;
    pthread_mutex_unlock(&b->lock);
}
