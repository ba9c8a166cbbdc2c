/* SPDX-License-Identifier: Apache-2.0 */
/* store_rows.h -- the records of a batch as rows of COPY, by device and time. Private to store.c.
 *
 * A record's bytes are copied once on their way into the connection, a piece of the stream at a time, and nothing of the batch's size is ever built: a buffer of
 * megabytes would leave the processor's cache before it is sent, here and in the database, which takes a piece as soon as it comes.
 */
#ifndef SERVER_STORE_ROWS_H
#define SERVER_STORE_ROWS_H

#include "server/ingest/decode.h"
#include "server/store/copy.h"
#include "server/store/db.h"

#define RECORD_COLUMNS                                                                                                                     \
    "tenant, device, first_at, epoch, seq, boot, first_no, count, last_at, received_at, cell_min_mV, cell_max_mV, cell_mean_mV, "          \
    "soc_permyriad, current_min_mA, current_max_mA, voltage_mV, temp_min_ddegC, temp_max_ddegC, alarm_level, record"

struct store_rows {
    const struct decoded **record; /* [count], borrowed */
    size_t count, room;
    bool sorted;
    struct copy piece; /* of the stream */
};

void store_rows_begin(struct store_rows *r);
void store_rows_free(struct store_rows *r);

/* The record must stay until the next store_rows_begin(). Returns 0 or BMS_ERR_NOSPACE (no memory). */
int store_rows_add(struct store_rows *r, const struct decoded *record);

/* By device and time: rows of a device lie together on disk, and writers meet in one order. Nothing to do the second time. */
void store_rows_sort(struct store_rows *r);

/* One after the other, sorted, to `sql`, a COPY of RECORD_COLUMNS FROM STDIN BINARY. Returns 0, BMS_ERR_IO, or BMS_ERR_NOSPACE. */
int store_rows_copy(struct store_rows *r, struct db *db, const char *sql);

/* Sorted before: of the device of the record `at` the one with the newest sample; *end is where the next device begins. */
const struct decoded *store_rows_newest(const struct store_rows *r, size_t at, size_t *end);

uint64_t store_rows_frames(const struct store_rows *r);

#endif
