/* SPDX-License-Identifier: Apache-2.0 */
/* partition.h -- the day partitions of `record`: made before rows need them, and known so that nobody asks twice. */
#ifndef SERVER_PARTITION_H
#define SERVER_PARTITION_H

#include "server/store/db.h"

enum { PARTITIONS_KNOWN_MAX = 1024 };

struct partitions {
    int32_t day[PARTITIONS_KNOWN_MAX]; /* days since 1970 that have a partition, sorted */
    size_t count;
};

/* Make the partition of this day (UTC, days since 1970) unless it is known or there. In a transaction of its own. Returns 0 or BMS_ERR_IO. */
int partition_need(struct partitions *p, struct db *db, int32_t day);

/* Forget all: somebody dropped one. */
void partitions_forget(struct partitions *p);

#endif
