/* SPDX-License-Identifier: Apache-2.0 */
/* retention_alarm.h -- alarms that ended longer ago than they are kept: --alarm-days, or what the tenant has (tenant_retention.alarm_days).
 *
 * Whole days (UTC), by the end of the alarm: one that goes on is kept however long ago it came. A statement removes those of one vehicle: one shard, by
 * the key. A pass ends after RETENTION_ALARM_VEHICLES_MAX of them; the next one goes on.
 */
#ifndef SERVER_RETENTION_ALARM_H
#define SERVER_RETENTION_ALARM_H

#include "server/config.h"
#include "server/store/db.h"

#include <stdatomic.h>

enum { RETENTION_ALARM_VEHICLES_MAX = 20000, RETENTION_ALARM_ROUND = 1000 };

/* Returns 0 or BMS_ERR_IO; adds to *removed what was done. now_ms: our clock; that of the database counts when it is behind. */
int retention_alarms(struct db *db, const struct config *config, int64_t now_ms, const _Atomic bool *stop, size_t *removed);

#endif
