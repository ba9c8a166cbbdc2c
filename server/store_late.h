/* SPDX-License-Identifier: Apache-2.0 */
/* store_late.h -- name the hours that were over when their records came, in the transaction that brings them (rollup_pass.h). Private to store.c. */
#ifndef SERVER_STORE_LATE_H
#define SERVER_STORE_LATE_H

#include "server/db.h"

/* True when the hour of this time (UTC ms) is over at now_ms. */
bool store_is_late(int64_t first_ms, int64_t now_ms);

/* Note the hours of all late rows of the staging table. Inside the caller's transaction. */
int store_late_write(struct db *db);

#endif
