/* SPDX-License-Identifier: Apache-2.0 */
/* store_rows.h -- the records of a batch as rows of `record`, by device and time. Private to store.c.
 *
 * Those that are new go straight into the table by COPY; those that may be there already as arrays (arrays.h), past what is there, at about twice the price.
 * A record's bytes are copied once on their way into the connection, a piece of the stream at a time, and nothing of the batch's size is ever built: a buffer of
 * megabytes would leave the processor's cache before it is sent, here and in the database, which takes a piece as soon as it comes.
 */
#ifndef SERVER_STORE_ROWS_H
#define SERVER_STORE_ROWS_H

#include "server/ingest/decode.h"
#include "server/store/arrays.h"
#include "server/store/repeaters.h"
#include "server/store/store_result.h"

#define RECORD_COLUMNS                                                                                                                     \
    "tenant, device, first_at, epoch, seq, boot, first_no, count, last_at, received_at, cell_min_mV, cell_max_mV, cell_mean_mV, "          \
    "soc_permyriad, current_min_mA, current_max_mA, voltage_mV, temp_min_ddegC, temp_max_ddegC, alarm_level, record"

struct store_rows {
    const struct decoded **record; /* [count], borrowed */
    size_t count, room;
    bool sorted;
    const struct decoded **split; /* [count], the same: `straight` that are new, then those that may come again */
    size_t straight, split_room;
    struct copy piece; /* of the stream */
    struct arrays again;
};

void store_rows_begin(struct store_rows *r);
void store_rows_free(struct store_rows *r);

/* The record must stay until the next store_rows_begin(). Returns 0 or BMS_ERR_NOSPACE (no memory). */
int store_rows_add(struct store_rows *r, const struct decoded *record);

/* By device and time, then by what names them: rows of a device lie together on disk, and writers meet in one order. Nothing to do the second time. */
void store_rows_sort(struct store_rows *r);

/* Sorted before. Those of repeaters, or all of them, are taken for such as may come again. Returns 0 or BMS_ERR_NOSPACE. */
int store_rows_split(struct store_rows *r, const struct repeaters *repeaters, bool all_again, int64_t now_ms);

/* The straight ones: when one of them is there, the whole transaction fails with a unique violation. Returns 0, BMS_ERR_IO or BMS_ERR_NOSPACE. */
int store_rows_copy(struct store_rows *r, struct db *db, struct store_result *result);

/* The others, past those that are there; their devices are repeaters from now on. Returns 0, BMS_ERR_IO or BMS_ERR_NOSPACE. */
int store_rows_merge(struct store_rows *r, struct db *db, struct repeaters *repeaters, int64_t now_ms, struct store_result *result);

/* Sorted before: of the device of the record `at` the one with the newest sample; *end is where the next device begins. */
const struct decoded *store_rows_newest(const struct store_rows *r, size_t at, size_t *end);

#endif
