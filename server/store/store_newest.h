/* SPDX-License-Identifier: Apache-2.0 */
/* store_newest.h -- of each device of a batch the record with the newest sample, into `latest`. Private to store.c. */
#ifndef SERVER_STORE_NEWEST_H
#define SERVER_STORE_NEWEST_H

#include "server/store/arrays.h"
#include "server/store/store_rows.h"

/* All of the batch, sorted, inside the caller's transaction. Older ones than what is there change nothing. Returns 0, BMS_ERR_IO or BMS_ERR_NOSPACE. */
int store_newest_write(struct arrays *buffer, const struct store_rows *rows, struct db *db);

#endif
