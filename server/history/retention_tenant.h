/* SPDX-License-Identifier: Apache-2.0 */
/* retention_tenant.h -- rows of tenants that keep less than the longest retention, which is what the day partitions go by.
 *
 * Whole days (UTC), as the partitions. A statement removes at most one day of one vehicle's records, or the hours of one vehicle: it touches one shard,
 * uses the key, and is short. A pass ends after RETENTION_BATCHES_MAX of them; the next one goes on.
 */
#ifndef SERVER_RETENTION_TENANT_H
#define SERVER_RETENTION_TENANT_H

#include "server/config.h"
#include "server/store/db.h"

#include <stdatomic.h>

enum { RETENTION_BATCHES_MAX = 20000, RETENTION_ROUND = 1000 };

/* Days that the partitions are kept: the longest of --retention-days and every tenant's own. Returns 0 or BMS_ERR_IO. */
int retention_longest(struct db *db, const struct config *config, int64_t *days);

/* Remove what is over. Returns 0 or BMS_ERR_IO; adds to *removed what was done. now_ms: our clock; that of the database counts when it is behind. */
int retention_tenants(struct db *db, const struct config *config, int64_t now_ms, const _Atomic bool *stop, size_t *removed);

#endif
