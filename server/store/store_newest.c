/* SPDX-License-Identifier: Apache-2.0 */
/* store_newest.c -- see store_newest.h. */
#include "server/store/store_newest.h"

#include "common/err.h"

enum { TENANT, DEVICE, BOOT, NO, MEASURED_AT, RECEIVED_AT, RECORD, COLUMNS };

static const enum arrays_type types[COLUMNS] = {
    [TENANT] = ARRAYS_TEXT,     [DEVICE] = ARRAYS_TEXT,     [BOOT] = ARRAYS_INT64,   [NO] = ARRAYS_INT64,
    [MEASURED_AT] = ARRAYS_UTC, [RECEIVED_AT] = ARRAYS_UTC, [RECORD] = ARRAYS_BYTES,
};

/* In the order of the rows, which is that of every writer: they wait for each other and never for a circle. */
static const char upsert[] =
    "INSERT INTO latest AS l SELECT tenant, device, boot, no, measured_at, received_at, record "
    "FROM unnest($1, $2, $3, $4, $5, $6, $7) AS n (tenant, device, boot, no, measured_at, received_at, record) "
    "ON CONFLICT (tenant, device) DO UPDATE SET boot = excluded.boot, no = excluded.no, measured_at = excluded.measured_at, "
    "received_at = excluded.received_at, record = excluded.record "
    "WHERE CASE WHEN l.boot = excluded.boot THEN l.no < excluded.no ELSE l.measured_at < excluded.measured_at END";

static void add(struct arrays *n, const struct decoded *d)
{
    copy_device(&n->column[TENANT], &n->column[DEVICE], d->device);
    copy_int64(&n->column[BOOT], d->boot);
    copy_int64(&n->column[NO], (int64_t)d->first_no + d->count - 1);
    copy_utc_ms(&n->column[MEASURED_AT], d->last_ms);
    copy_utc_ms(&n->column[RECEIVED_AT], d->received_ms);
    copy_bytes(&n->column[RECORD], d->bytes, d->size);
    arrays_row(n);
}

int store_newest_write(struct arrays *buffer, const struct store_rows *rows, struct db *db)
{
    int err = 0;

    for (size_t at = 0; at < rows->count && !err;) {
        arrays_begin(buffer, types, COLUMNS);
        while (at < rows->count && !arrays_is_full(buffer))
            add(buffer, store_rows_newest(rows, at, &at));
        err = arrays_send(buffer, db, upsert, NULL);
    }
    return err;
}
