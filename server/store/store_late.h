/* SPDX-License-Identifier: Apache-2.0 */
/* store_late.h -- name the hours that were over when their records came, in the transaction that brings them (rollup_pass.h). Private to store.c. */
#ifndef SERVER_STORE_LATE_H
#define SERVER_STORE_LATE_H

#include "proto/topics.h"
#include "server/store/arrays.h"

struct store_late {
    struct arrays hours;              /* to be noted */
    bool too_many;                    /* for one batch: the records come one by one */
    char device[DEVICE_NAME_MAX + 1]; /* of the last one */
    int64_t hour_ms;
};

void store_late_begin(struct store_late *late);
void store_late_free(struct store_late *late);

/* A record from first_ms to last_ms (UTC): its hours that are over at now_ms. Only hours that hold samples: a record may span 400 days, but has 60 samples
 * at most. bytes[size] is the sealed record, looked into when its samples may have left hours out. Neighbours with the same hour are joined, so come
 * sorted. */
void store_late_add(struct store_late *late, const char *device, int64_t first_ms, int64_t last_ms, const uint8_t *bytes, size_t size,
                    int64_t now_ms);

/* Inside the caller's transaction. */
int store_late_write(struct store_late *late, struct db *db);

#endif
