/* SPDX-License-Identifier: Apache-2.0 */
/* history_db.h -- fill a history from the tables `rollup` and `record`.
 *
 * Three ways, and the caller does not choose:
 *   roll-ups  every series is rolled up and buckets are whole minutes: hours that are over come from `rollup` (a year in tens of milliseconds), the
 *             rest by one of the other ways. Late records show once the jobs have made their hours anew (--rollup-period-s).
 *   summary   every series has a summary column and a bucket holds several records: PostgreSQL gathers the columns and no body is read. Min and max
 *             are exact where the column is the extreme; means of cell_min_mV, cell_max_mV and the temperatures are those of the extremes of records.
 *   bodies    the records of the span are decoded here while they come, each as far as the series need it.
 */
#ifndef SERVER_HISTORY_DB_H
#define SERVER_HISTORY_DB_H

#include "server/history/history.h"
#include "server/store/db.h"

/* Longest span whose bodies are decoded: a week at one sample a second, and room for the widening to whole buckets. */
#define HISTORY_DECODE_MAX_MS (8ll * 24 * 3600 * 1000)

/* Returns 0; BMS_ERR_NOSPACE when the series need bodies and the span is too long for that; BMS_ERR_IO. */
int history_load(struct history *h, struct db *db, const char *device);

#endif
