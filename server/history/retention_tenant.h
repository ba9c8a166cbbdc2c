/* SPDX-License-Identifier: Apache-2.0 */
/* retention_tenant.h -- rows that are kept as long as their tenant wants: records where that is less than the longest retention, which is what the day
 * partitions go by; hours; and alarms by their end, so that one that goes on is kept however long ago it came.
 *
 * Whole days (UTC), as the partitions. A statement removes at most one day of one vehicle's records, or the hours or the alarms of one vehicle: it touches
 * one shard, uses the key, and is short. A pass ends after RETENTION_BATCHES_MAX of each kind; the next one goes on.
 */
#ifndef SERVER_RETENTION_TENANT_H
#define SERVER_RETENTION_TENANT_H

#include "server/config.h"
#include "server/store/db.h"

#include <stdatomic.h>

enum { RETENTION_BATCHES_MAX = 20000, RETENTION_ROUND = 1000 };

/* Days that the partitions are kept: the longest of --retention-days and every tenant's own. Returns 0 or BMS_ERR_IO. */
int retention_longest(struct db *db, const struct config *config, int64_t *days);

/* Remove what is over. Returns 0 or BMS_ERR_IO; adds to *rows (records and hours) and to *alarms what was removed. now_ms: our clock; that of the database
 * counts when it is behind. */
int retention_tenants(struct db *db, const struct config *config, int64_t now_ms, const _Atomic bool *stop, size_t *rows, size_t *alarms);

#endif
