/* SPDX-License-Identifier: Apache-2.0 */
/* main.c -- cellwarden-server: make the parts, join them, wait for a signal, take them apart in the other order. */
#include "common/err.h"
#include "server/api/api.h"
#include "server/clock.h"
#include "server/downlink/downlink.h"
#include "server/ingest/gate.h"
#include "server/ingest/ingest.h"
#include "server/ingest/lane.h"
#include "server/ingest/link.h"
#include "server/ingest/refresh.h"
#include "server/ingest/restore.h"
#include "server/ingest/router.h"
#include "server/jobs.h"
#include "server/log.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

enum { VEHICLES_MAX = 20000, DATABASE_WAIT_MS = 60000, FLUSH_MS = 800 };

struct server {
    struct config config;
    struct events events;
    struct fleet *fleet;
    struct ring *ring;
    struct gate *gate;
    struct router router;
    struct link *link;
    struct lane *lane; /* with ROLE_INGEST and --lane 1 */
    struct downlink *downlink;
    struct ingest *ingest;   /* with ROLE_INGEST */
    struct refresh *refresh; /* without */
    struct jobs *jobs;       /* with ROLE_JOBS */
    struct api *api;
};

static void publish_ack(void *ctx, const char *topic, const uint8_t *bytes, size_t size)
{
    struct server *s = ctx;
    int err = s->lane ? lane_publish(s->lane, topic, bytes, size) : link_publish(s->link, topic, bytes, size);

    if (err)
        log_debug("ingest", "ack not sent; the device will send its records again", "topic=%s reason='%s'", topic, bms_err_text(err));
}

static void charge_refused(void *ctx, const char *device)
{
    struct server *s = ctx;

    gate_refused(s->gate, device);
}

static int publish_command(void *ctx, const char *topic, const uint8_t *bytes, size_t size)
{
    struct server *s = ctx;

    return s->link ? link_publish(s->link, topic, bytes, size) : BMS_ERR_STATE;
}

static void take_result(void *ctx, const char *device, const uint8_t *bytes, size_t size)
{
    struct server *s = ctx;

    downlink_take_result(s->downlink, device, bytes, size);
}

static void take_newer(void *ctx, const struct fleet_vehicle *vehicle)
{
    struct server *s = ctx;

    downlink_observe(s->downlink, vehicle);
}

static void pause_ms(long ms)
{
    struct timespec t = { .tv_sec = ms / 1000, .tv_nsec = ms % 1000 * 1000000 };

    nanosleep(&t, NULL);
}

/* Migrations and the fleet table. Waits for a database that is still starting; a wrong migration is final. */
static int prepare_database(struct server *s, const sigset_t *signals)
{
    int64_t until = clock_mono_ms() + DATABASE_WAIT_MS;
    struct timespec now = { 0 };
    struct db db;
    int err;

    db_init(&db, s->config.database, "cellwarden-start");
    while ((err = db_open(&db)) != 0 && clock_mono_ms() < until && sigtimedwait(signals, NULL, &now) < 0) {
        log_warn("database", "not there yet", "error='%s'", db.error);
        pause_ms(1000);
    }
    if (!err) {
        err = db_migrate(&db, s->config.migrations);
        err = err < 0 ? err : 0;
    }
    if (!err)
        err = restore_fleet(&db, s->fleet);
    if (err)
        log_error("database", "cannot start", "error='%s'", db.error);
    db_close(&db);
    return err;
}

/* What is told to listeners must not start before the API listens: so the threads come last. */
static int make_parts(struct server *s)
{
    struct downlink_parts downlink = {
        .config = &s->config, .fleet = s->fleet, .events = &s->events, .publish = publish_command, .publish_ctx = s
    };
    struct gate_parts gate = { .ring = s->ring,
                               .events = &s->events,
                               .of_device = { s->config.device_records, s->config.device_kB * 1024 },
                               .of_tenant = { s->config.tenant_records, s->config.tenant_kB * 1024 } };
    struct link_handler handler = { .ctx = &s->router, .on_message = router_take };

    if (!(s->config.role & (ROLE_INGEST | ROLE_API)))
        return 0; /* jobs alone need no broker */
    s->downlink = downlink_create(&downlink);
    s->gate = gate_start(&gate);
    if (!s->downlink || !s->gate)
        return BMS_ERR_NOSPACE;
    s->router = (struct router) { s->gate, s->fleet, &s->events, take_result, s };
    s->link = link_create(&s->config, &handler);
    return s->link ? 0 : BMS_ERR_RANGE;
}

static int run_jobs(struct server *s)
{
    if (!(s->config.role & ROLE_JOBS))
        return 0;
    s->jobs = jobs_start(&s->config);
    return s->jobs ? 0 : BMS_ERR_NOSPACE;
}

static int run_parts(struct server *s)
{
    struct ingest_parts parts = {
        .config = &s->config,
        .ring = s->ring,
        .fleet = s->fleet,
        .events = &s->events,
        .publish = publish_ack,
        .publish_ctx = s,
        .on_refused = charge_refused,
        .refused_ctx = s,
        .on_newer = s->config.role & ROLE_API ? take_newer : NULL, /* those that send also learn of every result */
        .newer_ctx = s,
    };
    int err = downlink_run(s->downlink);

    if (!err && s->config.role & ROLE_INGEST) {
        s->ingest = ingest_start(&parts);
        err = s->ingest ? 0 : BMS_ERR_NOSPACE;
    } else if (!err) {
        s->refresh = refresh_start(&parts);
        err = s->refresh ? 0 : BMS_ERR_NOSPACE;
    }
    if (!err && (s->config.role & ROLE_INGEST) && s->config.lane) {
        struct link_handler handler = { .ctx = &s->router, .on_message = router_take };

        s->lane = lane_start(&s->config, &handler);
        err = s->lane ? 0 : BMS_ERR_NOSPACE;
    }
    return err ? err : link_start(s->link);
}

static int start_api(struct server *s)
{
    struct api_parts parts = { .config = &s->config, .fleet = s->fleet, .downlink = s->downlink, .events = &s->events };

    return s->config.role & ROLE_API ? api_start(&s->api, &parts) : 0;
}

static int start(struct server *s, const sigset_t *signals)
{
    s->fleet = fleet_create(VEHICLES_MAX);
    s->ring = ring_create((size_t)s->config.ring_records, (size_t)s->config.ring_kB * 1024);
    if (!s->fleet || !s->ring)
        return BMS_ERR_NOSPACE;
    int err = prepare_database(s, signals);

    err = err ? err : make_parts(s);
    err = err ? err : start_api(s);
    err = err ? err : run_jobs(s);
    return err || !s->link ? err : run_parts(s);
}

/* No new messages, finish the batch, its acks out, then those that were told about it. */
static void stop(struct server *s)
{
    if (s->link)
        link_pause(s->link);
    lane_pause(s->lane);
    jobs_stop(s->jobs);
    ingest_stop(s->ingest);
    refresh_stop(s->refresh);
    downlink_halt(s->downlink);
    lane_stop(s->lane, FLUSH_MS);
    link_destroy(s->link, FLUSH_MS);
    if (s->api)
        api_stop(s->api);
    downlink_destroy(s->downlink);
    gate_stop(s->gate);
    ring_destroy(s->ring);
    fleet_destroy(s->fleet);
}

int main(int argc, char *argv[])
{
    static struct server s;
    enum log_level level = LOG_INFO;
    char why[200];
    sigset_t signals;
    int got = 0;
    int err = config_load(&s.config, argc, argv, getenv, why, sizeof why);

    if (err == 1) {
        config_help(stdout);
        return 0;
    }
    if (err) {
        fprintf(stderr, "cellwarden-server: %s\n", why);
        return 2;
    }
    log_level_of(s.config.log_level, &level);
    log_set_level(level);
    signal(SIGPIPE, SIG_IGN);
    sigemptyset(&signals);
    sigaddset(&signals, SIGTERM);
    sigaddset(&signals, SIGINT);
    sigprocmask(SIG_BLOCK, &signals, NULL); /* inherited by every thread: only sigwait() sees them */
    err = start(&s, &signals);
    if (!err) {
        log_info("server", "started", "version=%s roles=%s", API_VERSION, s.config.roles);
        sigwait(&signals, &got);
        log_info("server", "stopping", "signal=%d", got);
    } else {
        log_error("server", "cannot start", "reason='%s'", bms_err_text(err));
    }
    stop(&s);
    log_info("server", "stopped", "%s", "");
    return err ? 1 : 0;
}
