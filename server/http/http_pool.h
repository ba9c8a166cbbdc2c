/* SPDX-License-Identifier: Apache-2.0 */
/* http_pool.h -- a few threads, each with a database connection of its own, for handlers that must wait.
 *
 * The queue is bounded: http_pool_submit() says so when it is full and the caller answers 503. A connection that broke is opened
 * again at the next job, at most once a second; while there is none the job still runs, with db = NULL, and answers 503 itself. Every statement
 * has a time-out (db.h).
 */
#ifndef SERVER_HTTP_POOL_H
#define SERVER_HTTP_POOL_H

#include "server/http/http.h"
#include "server/store/db.h"

#include <stdbool.h>
#include <stddef.h>

#define HTTP_POOL_QUEUE 128 /* jobs that may wait */

struct http_pool;

/* One job. `db` is connected, or NULL when the database cannot be reached. Runs in a worker. */
typedef void http_job_fn(void *job, struct db *db);

/* Start `workers` threads. `conninfo` is borrowed; each connects at its first job. Returns 0, BMS_ERR_NOSPACE or BMS_ERR_IO. */
int http_pool_start(struct http_pool **pool, unsigned workers, const char *conninfo);

/* Queue a job. False when the queue is full or the pool is stopping: the job will not run. Any thread. */
bool http_pool_submit(struct http_pool *pool, http_job_fn *run, void *job);

/* Run what is queued, join the threads, free. */
void http_pool_stop(struct http_pool *pool);

/* These three, for http_config.pool. */
extern const struct http_workers http_pool_workers;

#endif
