/* SPDX-License-Identifier: Apache-2.0 */
/* store_newest.h -- of each device of a batch the record with the newest sample, into `latest`. Private to store.c.
 *
 * The rows go as arrays, one for each column, in the parameters of one statement: no table in between that would have to be emptied at COMMIT, which
 * is a truncated file and a wait for the file system's journal in each transaction. Arrays of a batch with many devices go in pieces of about
 * NEWEST_PIECE bytes, so that neither side holds all of it twice.
 */
#ifndef SERVER_STORE_NEWEST_H
#define SERVER_STORE_NEWEST_H

#include "server/store/copy.h"
#include "server/store/db.h"
#include "server/store/store_rows.h"

enum { NEWEST_COLUMNS = 7, NEWEST_PIECE = 128 * 1024 };

struct store_newest { /* zeros to begin with */
    struct copy column[NEWEST_COLUMNS];
    uint32_t count; /* rows in each */
};

void store_newest_free(struct store_newest *n);

/* All of the batch, sorted, inside the caller's transaction. Older ones than what is there change nothing. Returns 0, BMS_ERR_IO or BMS_ERR_NOSPACE. */
int store_newest_write(struct store_newest *n, const struct store_rows *rows, struct db *db);

#endif
