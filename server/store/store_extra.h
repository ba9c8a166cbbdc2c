/* SPDX-License-Identifier: Apache-2.0 */
/* store_extra.h -- the rare parts of a batch: poison rows and alarm spans. Private to store.c.
 *
 * A span is a maximal run of consecutive samples with one alarm. Runs of new records are joined with the spans they touch, so the
 * table is the same whatever the order in which records came, and however often.
 */
#ifndef SERVER_STORE_EXTRA_H
#define SERVER_STORE_EXTRA_H

#include "server/ingest/decode.h"
#include "server/store/db.h"

struct device_run {
    char device[DEVICE_NAME_MAX + 1];
    uint32_t boot;
    struct alarm_run run;
};

struct store_extra {
    struct device_run *runs;
    size_t run_count, run_room;
    struct poison *poisons; /* their bytes belong to the caller until the batch is over */
    size_t poison_count, poison_room;
};

void store_extra_begin(struct store_extra *x);
void store_extra_free(struct store_extra *x);
int store_extra_add_run(struct store_extra *x, const char *device, uint32_t boot, const struct alarm_run *run);
int store_extra_add_poison(struct store_extra *x, const struct poison *p);

/* Inside the caller's transaction. */
int store_extra_write(struct store_extra *x, struct db *db);

#endif
