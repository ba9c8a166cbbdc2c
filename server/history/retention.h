/* SPDX-License-Identifier: Apache-2.0 */
/* retention.h -- one pass of what jobs.h describes. Whoever calls it holds the jobs' lock. */
#ifndef SERVER_RETENTION_H
#define SERVER_RETENTION_H

#include "server/config.h"
#include "server/store/db.h"

#include <stdatomic.h>

struct retention_result {
    size_t partitions;     /* attached when the pass ended */
    size_t dropped;        /* partitions */
    size_t rows_removed;   /* records and hours of tenants that keep less */
    size_t alarms_removed; /* rows */
    size_t poison_removed; /* rows */
};

/* Returns 0 or BMS_ERR_IO (db->error says why); *done counts what was done before. Ends early, between statements, once *stop is true. */
int retention_pass(struct db *db, const struct config *config, int64_t now_ms, const _Atomic bool *stop, struct retention_result *done);

#endif
