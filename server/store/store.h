/* SPDX-License-Identifier: Apache-2.0 */
/* store.h -- a batch of checked records and poison into PostgreSQL, in one transaction.
 *
 *   store_begin -> store_add / store_add_poison ... -> store_commit      (all again from the start when commit fails)
 *
 * COPY BINARY straight into the day partitions (made when missing); for devices that lately sent what was there already (repeaters.h), for a batch that met
 * a record that is there, and for some after that (caution.h), INSERT .. ON CONFLICT DO NOTHING. Then `latest`, alarm spans and poison. Owned by one ingest thread. Tables are in deploy/sql; the columns the API reads:
 *
 *   record       (tenant, device, first_at, epoch, seq) key; boot, first_no, count, last_at, received_at, cell_min_mV, cell_max_mV,
 *                cell_mean_mV, soc_permyriad, current_min_mA, current_max_mA, voltage_mV, temp_min_ddegC, temp_max_ddegC, alarm_level,
 *                record (the sealed bytes; record_open() and body.h decode them)
 *   latest       (tenant, device) key; boot, no, measured_at, received_at, record (the sealed bytes of the record with the newest sample)
 *   alarm_span   (tenant, device, boot, alarm, number, from_no) key; to_no, from_at, to_at, value, level: consecutive samples that had the
 *                alarm. It opened at from_at; it is still open when to_no is the newest number of that boot, else it was gone after to_at.
 *                Spans grow and merge, so records may come in any order and twice.
 *   poison       id key; received_at, topic, reason, tenant, device, epoch, seq, size, bytes (first 64 kB)
 *
 * `tenant` and `device` are the two halves of "<tenant>.<vehicle>".
 */
#ifndef SERVER_STORE_H
#define SERVER_STORE_H

#include "server/ingest/decode.h"
#include "server/store/db.h"
#include "server/store/store_result.h"

struct store;

/* NULL when there is no memory. `conninfo` is borrowed. */
struct store *store_create(const char *conninfo);
void store_destroy(struct store *store);

/* Start an empty batch. */
void store_begin(struct store *store);

/* Add a record or poison. They and their bytes must stay until the next store_begin. Returns 0 or BMS_ERR_NOSPACE (no memory). */
int store_add(struct store *store, const struct decoded *record);
int store_add_poison(struct store *store, const struct poison *poison);

/* One transaction. Returns 0; BMS_ERR_IO when the database is away or busy (try the same batch again); BMS_ERR_RANGE when it refuses the data
 * (store_error() says why; trying again will not help). */
int store_commit(struct store *store, struct store_result *result);

const char *store_error(const struct store *store);

/* Rows of `latest`, decoded, newer than *since (received_at, UTC ms; updated). For the start and for api-only processes. */
typedef void store_latest_fn(void *ctx, const char *device, const struct sample *sample, int64_t received_at_ms);
int store_each_latest(struct db *db, int64_t *since_ms, store_latest_fn *fn, void *ctx);

#endif
