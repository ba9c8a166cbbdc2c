/* SPDX-License-Identifier: Apache-2.0 */
/* store_newest.c -- see store_newest.h. An array in binary (PostgreSQL, src/backend/utils/adt/arrayfuncs.c, array_recv): dimensions, whether there are
 * nulls, type of the elements, then of each dimension its size and its first index, then the elements, each behind its length as in COPY. */
#include "server/store/store_newest.h"

#include "common/bytes.h"
#include "common/err.h"

#include <limits.h>
#include <string.h>

enum { ARRAY_HEAD = 20, ARRAY_SIZE_AT = 12 };
enum { TENANT, DEVICE, BOOT, NO, MEASURED_AT, RECEIVED_AT, RECORD };

static const struct {
    uint32_t element;
    Oid array;
} types[NEWEST_COLUMNS] = {
    /* pg_type.dat */
    [TENANT] = { 25, 1009 },        /* text */
    [DEVICE] = { 25, 1009 },        /* text */
    [BOOT] = { 20, 1016 },          /* bigint */
    [NO] = { 20, 1016 },            /* bigint */
    [MEASURED_AT] = { 1184, 1185 }, /* timestamptz */
    [RECEIVED_AT] = { 1184, 1185 }, /* timestamptz */
    [RECORD] = { 17, 1001 },        /* bytea */
};

/* In the order of the rows, which is that of every writer: they wait for each other and never for a circle. */
static const char upsert[] =
    "INSERT INTO latest AS l SELECT tenant, device, boot, no, measured_at, received_at, record "
    "FROM unnest($1, $2, $3, $4, $5, $6, $7) AS n (tenant, device, boot, no, measured_at, received_at, record) "
    "ON CONFLICT (tenant, device) DO UPDATE SET boot = excluded.boot, no = excluded.no, measured_at = excluded.measured_at, "
    "received_at = excluded.received_at, record = excluded.record "
    "WHERE CASE WHEN l.boot = excluded.boot THEN l.no < excluded.no ELSE l.measured_at < excluded.measured_at END";

void store_newest_free(struct store_newest *n)
{
    for (int i = 0; i < NEWEST_COLUMNS; i++)
        copy_free(&n->column[i]);
}

static void begin(struct store_newest *n)
{
    uint8_t head[ARRAY_HEAD] = { 0 };

    put_be32(head, 1);      /* dimension */
    put_be32(head + 16, 1); /* the first index */
    for (int i = 0; i < NEWEST_COLUMNS; i++) {
        n->column[i].used = 0;
        n->column[i].bad = false;
        put_be32(head + 8, types[i].element);
        copy_raw(&n->column[i], head, sizeof head);
    }
    n->count = 0;
}

static void add(struct store_newest *n, const struct decoded *d)
{
    size_t tenant = strcspn(d->device, ".");
    const char *vehicle = d->device + tenant + 1;

    copy_bytes(&n->column[TENANT], d->device, tenant);
    copy_bytes(&n->column[DEVICE], vehicle, strlen(vehicle));
    copy_int64(&n->column[BOOT], d->boot);
    copy_int64(&n->column[NO], (int64_t)d->first_no + d->count - 1);
    copy_utc_ms(&n->column[MEASURED_AT], d->last_ms);
    copy_utc_ms(&n->column[RECEIVED_AT], d->received_ms);
    copy_bytes(&n->column[RECORD], d->bytes, d->size);
    n->count++;
}

static int send(struct store_newest *n, struct db *db)
{
    const char *values[NEWEST_COLUMNS];
    int sizes[NEWEST_COLUMNS], binary[NEWEST_COLUMNS];
    Oid oids[NEWEST_COLUMNS];

    for (int i = 0; i < NEWEST_COLUMNS; i++) {
        if (n->column[i].bad || n->column[i].used > INT_MAX)
            return BMS_ERR_NOSPACE;
        put_be32(n->column[i].data + ARRAY_SIZE_AT, n->count);
        values[i] = (const char *)n->column[i].data;
        sizes[i] = (int)n->column[i].used;
        binary[i] = 1;
        oids[i] = types[i].array;
    }
    PGresult *res = PQexecParams(db->conn, upsert, NEWEST_COLUMNS, oids, values, sizes, binary, 0);
    int err = db_check(db, res);

    PQclear(res);
    return err;
}

int store_newest_write(struct store_newest *n, const struct store_rows *rows, struct db *db)
{
    int err = 0;

    for (size_t at = 0; at < rows->count && !err;) {
        begin(n);
        while (at < rows->count && n->column[RECORD].used < NEWEST_PIECE)
            add(n, store_rows_newest(rows, at, &at));
        err = send(n, db);
    }
    return err;
}
