/* SPDX-License-Identifier: Apache-2.0 */
/* history_db.h -- fill a history from the table `record`.
 *
 * Two ways, and the caller does not choose: when every series has a summary column and a bucket holds several records, PostgreSQL gathers the columns
 * and no body is read (30 days in tens of milliseconds); else the bodies of the span are fetched in pieces and decoded here. From summary columns min and
 * max of a bucket are exact where the column is the extreme; the mean of cell_min_mV, cell_max_mV and temp_max_ddegC is then that of the extremes of records.
 */
#ifndef SERVER_HISTORY_DB_H
#define SERVER_HISTORY_DB_H

#include "server/db.h"
#include "server/history.h"

/* Longest span whose bodies are decoded: a week at one sample a second, and room for the widening to whole buckets. */
#define HISTORY_DECODE_MAX_MS (8ll * 24 * 3600 * 1000)

/* Returns 0; BMS_ERR_NOSPACE when the series need bodies and the span is too long for that; BMS_ERR_IO. */
int history_load(struct history *h, struct db *db, const char *device);

#endif
