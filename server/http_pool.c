/* SPDX-License-Identifier: Apache-2.0 */
/* http_pool.c -- see http_pool.h. */
#include "server/http_pool.h"

#include "common/err.h"
#include "server/http.h"
#include "server/log.h"

#include <libpq-fe.h>
#include <pthread.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define WORKERS_MAX       16u
#define RECONNECT_MS      1000u
#define IDLE_CONNECTIONS  "connect_timeout=3 application_name=cellwarden-api"

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
    char *conninfo;
};

/* What one worker keeps between jobs. */
struct worker {
    PGconn *db;
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

static void set_limits(PGconn *db)
{
    char sql[96];

    snprintf(sql, sizeof sql, "SET statement_timeout = %d; SET idle_in_transaction_session_timeout = %d", HTTP_STATEMENT_MS,
             2 * HTTP_STATEMENT_MS);
    PQclear(PQexec(db, sql));
}

static void drop(struct worker *w)
{
    PQfinish(w->db);
    w->db = NULL;
}

/* The worker's connection, opened again when it broke; NULL when the database is away. */
static PGconn *connected(struct worker *w, const char *conninfo)
{
    if (w->db != NULL && (PQconsumeInput(w->db) == 0 || PQstatus(w->db) != CONNECTION_OK))
        drop(w); /* a server that went away is seen here, not by the statement */
    if (w->db != NULL)
        return w->db;
    uint64_t now = http_clock_ms();

    if (w->tried_ms != 0 && now - w->tried_ms < RECONNECT_MS)
        return NULL;
    w->tried_ms = now;
    w->db = PQconnectdb(conninfo);
    if (PQstatus(w->db) != CONNECTION_OK) {
        log_warn("api", "database is away", "why=\"%s\"", PQerrorMessage(w->db));
        drop(w);
        return NULL;
    }
    set_limits(w->db);
    return w->db;
}

static void *work(void *arg)
{
    struct http_pool *pool = arg;
    struct worker w = { .db = NULL };
    struct job job;

    while (take(pool, &job))
        job.run(job.arg, connected(&w, pool->conninfo));
    drop(&w);
    return NULL;
}

/* Our own settings go last: libpq takes the last of two. A URI cannot be added to, it is taken as it is. */
static char *with_settings(const char *conninfo)
{
    bool uri = strncmp(conninfo, "postgres://", 11) == 0 || strncmp(conninfo, "postgresql://", 13) == 0;
    size_t size = strlen(conninfo) + sizeof IDLE_CONNECTIONS + 2;
    char *text = malloc(size);

    if (text != NULL)
        snprintf(text, size, "%s%s%s", conninfo, uri ? "" : " ", uri ? "" : IDLE_CONNECTIONS);
    return text;
}

int http_pool_start(struct http_pool **out, unsigned workers, const char *conninfo)
{
    struct http_pool *pool = calloc(1, sizeof *pool);

    if (pool == NULL)
        return BMS_ERR_NOSPACE;
    pthread_mutex_init(&pool->lock, NULL);
    pthread_cond_init(&pool->filled, NULL);
    pool->conninfo = with_settings(conninfo);
    workers = workers > WORKERS_MAX ? WORKERS_MAX : workers;
    while (pool->conninfo != NULL && pool->workers < workers &&
           pthread_create(&pool->thread[pool->workers], NULL, work, pool) == 0)
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
    free(pool->conninfo);
    free(pool);
}
