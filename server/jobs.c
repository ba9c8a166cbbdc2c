/* SPDX-License-Identifier: Apache-2.0 */
/* jobs.c -- see jobs.h: who may, then make, drop and bound. */
#include "server/jobs.h"

#include "common/err.h"
#include "server/clock.h"
#include "server/history/refill.h"
#include "server/history/retention.h"
#include "server/history/rollup_pass.h"
#include "server/log.h"
#include "server/metrics.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { STEP_MS = 100 };

struct jobs {
    const struct config *config;
    struct db lock, work; /* one holds the advisory lock, the other works: DETACH .. CONCURRENTLY runs in no transaction */
    pthread_t thread;
    _Atomic bool stopping;
};

/* 1: ours until release(). 0: another process has it. PQexec and not PQexecParams: the latter leaves a portal behind whose snapshot would make
 * DETACH .. FINALIZE wait for ourselves. */
static int acquire(struct jobs *j)
{
    if (db_open(&j->lock) != 0)
        return BMS_ERR_IO;
    PGresult *res = PQexec(j->lock.conn, "BEGIN; SELECT pg_try_advisory_xact_lock(20260103)");
    int err = db_check(&j->lock, res);
    int got = err ? err : PQgetvalue(res, 0, 0)[0] == 't';

    PQclear(res);
    return got;
}

static void release(struct jobs *j)
{
    if (j->lock.conn && db_exec(&j->lock, "ROLLBACK") != 0)
        db_close(&j->lock);
}

static void roll_up(struct jobs *j)
{
    struct rollup_result done = { 0 };
    int got = acquire(j);
    int err = got < 0 ? got : 0;

    if (got > 0)
        err = rollup_pass(&j->work, clock_utc_ms(), &j->stopping, &done);
    release(j);
    metrics_add(METRIC_ROLLUP_HOURS, (int64_t)done.hours);
    if (err)
        log_warn("jobs", "hours could not be rolled up; tried again soon", "error='%s'", got < 0 ? j->lock.error : j->work.error);
    else if (done.hours)
        log_info("jobs", "rolled up", "hours=%zu late=%zu", done.hours, done.late);
}

static void refill(struct jobs *j)
{
    const struct config *c = j->config;
    int got = acquire(j);
    int made =
        got > 0 ? refill_pass(&j->work, clock_utc_ms(), c->refill_settle_s * 1000, c->refill_period_s * 1000, c->op_expiry_s * 1000) : got;

    release(j);
    if (made < 0)
        log_warn("jobs", "missing records could not be looked for; tried again soon", "error='%s'",
                 got < 0 ? j->lock.error : j->work.error);
    else if (made > 0)
        log_info("jobs", "missing records are asked for", "devices=%d", made);
}

static void look(struct jobs *j)
{
    struct retention_result done = { 0 };
    int got = acquire(j);
    int err = got < 0 ? got : 0;

    if (got > 0)
        err = retention_pass(&j->work, j->config, clock_utc_ms(), &j->stopping, &done);
    release(j);
    metrics_add(METRIC_PARTITIONS_DROPPED, (int64_t)done.dropped);
    metrics_add(METRIC_ROWS_REMOVED, (int64_t)done.rows_removed);
    metrics_add(METRIC_ALARMS_REMOVED, (int64_t)done.alarms_removed);
    metrics_add(METRIC_POISON_REMOVED, (int64_t)done.poison_removed);
    metrics_add(err ? METRIC_JOBS_FAILED : got ? METRIC_JOBS_DONE : METRIC_JOBS_SKIPPED, 1);
    if (err)
        log_warn("jobs", "a pass failed; the next one tries again", "error='%s'", got < 0 ? j->lock.error : j->work.error);
    else if (got)
        metrics_set(METRIC_PARTITIONS, (int64_t)done.partitions);
    if (done.dropped || done.poison_removed || done.rows_removed || done.alarms_removed)
        log_info("jobs", "retention", "partitions_dropped=%zu rows_removed=%zu alarms_removed=%zu poison_removed=%zu partitions=%zu",
                 done.dropped, done.rows_removed, done.alarms_removed, done.poison_removed, done.partitions);
}

static void *run(void *ctx)
{
    struct jobs *j = ctx;
    int64_t next = 0, next_rollup = 0, next_refill = clock_mono_ms() + j->config->refill_period_s * 1000;

    while (!j->stopping) {
        struct timespec t = { .tv_nsec = STEP_MS * 1000000L };

        if (clock_mono_ms() >= next) {
            look(j);
            next = clock_mono_ms() + j->config->jobs_period_s * 1000;
        }
        if (clock_mono_ms() >= next_rollup) {
            roll_up(j);
            next_rollup = clock_mono_ms() + j->config->rollup_period_s * 1000;
        }
        if (j->config->refill_period_s > 0 && clock_mono_ms() >= next_refill) {
            refill(j);
            next_refill = clock_mono_ms() + j->config->refill_period_s * 1000;
        }
        nanosleep(&t, NULL);
    }
    return NULL;
}

struct jobs *jobs_start(const struct config *config)
{
    struct jobs *j = calloc(1, sizeof *j);

    if (!j)
        return NULL;
    j->config = config;
    db_init(&j->lock, config->database, "cellwarden-jobs-lock");
    db_init(&j->work, config->database, "cellwarden-jobs");
    if (pthread_create(&j->thread, NULL, run, j) != 0) {
        free(j);
        return NULL;
    }
    return j;
}

void jobs_stop(struct jobs *j)
{
    if (!j)
        return;
    j->stopping = true;
    pthread_join(j->thread, NULL);
    db_close(&j->work);
    db_close(&j->lock);
    free(j);
}
