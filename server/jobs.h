/* SPDX-License-Identifier: Apache-2.0 */
/* jobs.h -- what is done once for a database, however many processes serve it: one thread, every --jobs-period-s seconds.
 *
 *   make    the day partitions of `record` from today to JOBS_DAYS_AHEAD days ahead
 *   drop    those whose whole day is older than the longest retention, --retention-days or a tenant's own; also one that a power cut left half dropped
 *   remove  records and hours of tenants that keep less (retention_tenant.h)
 *   bound   the table `poison`: --poison-days, and --poison-per-device rows, the newest stay
 *
 * Every --rollup-period-s seconds, under the same lock: roll up the hours that are over or got late records (rollup_pass.h).
 *
 * Every --refill-period-s seconds, under the same lock: ask devices for records that are missing (refill.h).
 *
 * One process at a time: a pass holds an advisory lock in a transaction of a second connection, so a PgBouncer in between and a process that
 * dies lose it at once. Who does not get it skips the pass. "Now" is the older of the server's and the database's clock: neither alone can
 * drop what the other would keep.
 *
 * A partition is detached CONCURRENTLY before it is dropped, so readers and ingest wait for nothing. Citus does not know that form: there the
 * same pass must be run by its own time partition functions.
 */
#ifndef SERVER_JOBS_H
#define SERVER_JOBS_H

#include "server/config.h"
#include "server/store/db.h"

enum { JOBS_DAYS_AHEAD = 3 };

struct jobs;

/* Starts the thread; `config` is borrowed until jobs_stop() returns. NULL when there is no memory. */
struct jobs *jobs_start(const struct config *config);

/* Ends it, at the latest when the running statement has ended (60 s when the database hangs). NULL is allowed. */
void jobs_stop(struct jobs *jobs);

#endif
