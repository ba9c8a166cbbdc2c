/* SPDX-License-Identifier: Apache-2.0 */
/* refresh.c -- one thread, one query a second.
 *
 * A row whose transaction ends late may carry an older received_at than rows already seen; so each query looks OVERLAP_MS back, and the fleet
 * table ignores what is not newer.
 */
#include "server/ingest/refresh.h"

#include "server/clock.h"
#include "server/store/store.h"
#include "server/stream/publish.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdlib.h>
#include <time.h>

enum { PERIOD_MS = 1000, STEP_MS = 100, OVERLAP_MS = 10000 };

struct refresh {
    struct ingest_parts parts;
    struct db db;
    pthread_t thread;
    _Atomic bool stopping;
};

static void take(void *ctx, const char *device, const struct sample *sample, int64_t received_ms)
{
    struct refresh *r = ctx;

    publish_sample(&r->parts, device, sample, received_ms);
}

static void *run(void *ctx)
{
    struct refresh *r = ctx;
    int64_t since_ms = clock_utc_ms(), next = 0;

    while (!r->stopping) {
        struct timespec t = { .tv_nsec = STEP_MS * 1000000L };

        if (clock_mono_ms() >= next) {
            int64_t from = since_ms - OVERLAP_MS;

            next = clock_mono_ms() + PERIOD_MS;
            if (store_each_latest(&r->db, &from, take, r) == 0 && from > since_ms)
                since_ms = from;
        }
        nanosleep(&t, NULL);
    }
    return NULL;
}

struct refresh *refresh_start(const struct ingest_parts *parts)
{
    struct refresh *r = calloc(1, sizeof *r);

    if (!r)
        return NULL;
    r->parts = *parts;
    db_init(&r->db, parts->config->database, "cellwarden-refresh");
    if (pthread_create(&r->thread, NULL, run, r) != 0) {
        free(r);
        return NULL;
    }
    return r;
}

void refresh_stop(struct refresh *r)
{
    if (!r)
        return;
    r->stopping = true;
    pthread_join(r->thread, NULL);
    db_close(&r->db);
    free(r);
}
