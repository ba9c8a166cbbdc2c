/* SPDX-License-Identifier: Apache-2.0 */
/* http_pool.c -- see http_pool.h. */
#include "server/http/http_pool.h"

#include "common/err.h"
#include "server/log.h"

#include <pthread.h>
#include <stdint.h>
#include <stdlib.h>

#define WORKERS_MAX  16u
#define RECONNECT_MS 1000u

struct job {
    http_job_fn *run;
    void *arg;
};

struct http_pool {
    pthread_mutex_t lock;
    pthread_cond_t filled;
    struct job queue[HTTP_POOL_QUEUE];
    size_t head, count;
    bool stopping;
    unsigned workers;
    pthread_t thread[WORKERS_MAX];
    const char *conninfo;
};

/* What one worker keeps between jobs. */
struct worker {
    struct db db;
    uint64_t tried_ms; /* when it last tried to connect */
};

static bool take(struct http_pool *pool, struct job *job)
{
    pthread_mutex_lock(&pool->lock);
    while (pool->count == 0 && !pool->stopping)
        pthread_cond_wait(&pool->filled, &pool->lock);
    bool taken = pool->count > 0;

    if (taken) {
        *job = pool->queue[pool->head];
        pool->head = (pool->head + 1) % HTTP_POOL_QUEUE;
        pool->count--;
    }
    pthread_mutex_unlock(&pool->lock);
    return taken;
}

/* The worker's connection, opened again when it broke; NULL when the database is away. */
static struct db *connected(struct worker *w)
{
    uint64_t now = http_clock_ms();

    if (w->db.conn != NULL && (PQconsumeInput(w->db.conn) == 0 || PQstatus(w->db.conn) != CONNECTION_OK))
        db_close(&w->db); /* a server that went away is seen here, not by the statement */
    if (w->db.conn != NULL)
        return &w->db;
    if (w->tried_ms != 0 && now - w->tried_ms < RECONNECT_MS)
        return NULL;
    w->tried_ms = now;
    if (db_open(&w->db) == 0)
        return &w->db;
    log_warn("api", "database is away", "why=\"%s\"", w->db.error);
    return NULL;
}

static void *work(void *arg)
{
    struct http_pool *pool = arg;
    struct worker w = { .tried_ms = 0 };
    struct job job;

    db_init(&w.db, pool->conninfo, "cellwarden-api");
    while (take(pool, &job))
        job.run(job.arg, connected(&w));
    db_close(&w.db);
    return NULL;
}

int http_pool_start(struct http_pool **out, unsigned workers, const char *conninfo)
{
    struct http_pool *pool = calloc(1, sizeof *pool);

    if (pool == NULL)
        return BMS_ERR_NOSPACE;
    pthread_mutex_init(&pool->lock, NULL);
    pthread_cond_init(&pool->filled, NULL);
    pool->conninfo = conninfo;
    workers = workers > WORKERS_MAX ? WORKERS_MAX : workers;
    while (pool->workers < workers && pthread_create(&pool->thread[pool->workers], NULL, work, pool) == 0)
        pool->workers++;
    if (pool->workers == 0 || pool->workers < workers) {
        http_pool_stop(pool);
        return BMS_ERR_IO;
    }
    *out = pool;
    return 0;
}

bool http_pool_submit(struct http_pool *pool, http_job_fn *run, void *job)
{
    pthread_mutex_lock(&pool->lock);
    bool room = pool->count < HTTP_POOL_QUEUE && !pool->stopping;

    if (room) {
        pool->queue[(pool->head + pool->count) % HTTP_POOL_QUEUE] = (struct job) { run, job };
        pool->count++;
        pthread_cond_signal(&pool->filled);
    }
    pthread_mutex_unlock(&pool->lock);
    return room;
}

void http_pool_stop(struct http_pool *pool)
{
    if (pool == NULL)
        return;
    pthread_mutex_lock(&pool->lock);
    pool->stopping = true;
    pthread_cond_broadcast(&pool->filled);
    pthread_mutex_unlock(&pool->lock);
    for (unsigned i = 0; i < pool->workers; i++)
        pthread_join(pool->thread[i], NULL);
    pthread_cond_destroy(&pool->filled);
    pthread_mutex_destroy(&pool->lock);
    free(pool);
}

const struct http_workers http_pool_workers = { http_pool_start, http_pool_submit, http_pool_stop };
