/* SPDX-License-Identifier: Apache-2.0 */
/* arrays.c -- see arrays.h. An array in binary (PostgreSQL, src/backend/utils/adt/arrayfuncs.c, array_recv): dimensions, whether there may be nulls, type of
 * the elements, then of each dimension its size and its first index, then the elements, each behind its length as in COPY. */
#include "server/store/arrays.h"

#include "common/bytes.h"
#include "common/err.h"

#include <limits.h>
#include <string.h>

enum { HEAD = 20, NULLS_AT = 4, ELEMENT_AT = 8, SIZE_AT = 12, INDEX_AT = 16 };

static const struct {
    Oid element, array;
} types[] = {
    /* pg_type.dat */
    [ARRAYS_TEXT] = { 25, 1009 },  [ARRAYS_INT16] = { 21, 1005 }, [ARRAYS_INT32] = { 23, 1007 },
    [ARRAYS_INT64] = { 20, 1016 }, [ARRAYS_UTC] = { 1184, 1185 }, [ARRAYS_BYTES] = { 17, 1001 },
};

void arrays_free(struct arrays *a)
{
    for (size_t i = 0; i < ARRAYS_COLUMNS_MAX; i++)
        copy_free(&a->column[i]);
}

void arrays_begin(struct arrays *a, const enum arrays_type *type, size_t columns)
{
    uint8_t head[HEAD] = { 0 };

    put_be32(head, 1); /* dimension */
    put_be32(head + NULLS_AT, 1);
    put_be32(head + INDEX_AT, 1);
    for (size_t i = 0; i < columns; i++) {
        a->column[i].used = 0;
        a->column[i].bad = false;
        put_be32(head + ELEMENT_AT, types[type[i]].element);
        copy_raw(&a->column[i], head, sizeof head);
    }
    a->type = type;
    a->columns = columns;
    a->rows = 0;
    a->used = 0;
    a->bad = false;
}

void arrays_row(struct arrays *a)
{
    a->rows++;
    a->used = 0;
    for (size_t i = 0; i < a->columns; i++) {
        a->used += a->column[i].used;
        a->bad |= a->column[i].bad;
    }
}

int arrays_send(struct arrays *a, struct db *db, const char *sql, PGresult **result)
{
    const char *values[ARRAYS_COLUMNS_MAX];
    int sizes[ARRAYS_COLUMNS_MAX], binary[ARRAYS_COLUMNS_MAX];
    Oid oids[ARRAYS_COLUMNS_MAX];

    for (size_t i = 0; i < a->columns; i++) {
        if (a->column[i].bad || a->column[i].used > INT_MAX)
            return BMS_ERR_NOSPACE;
        put_be32(a->column[i].data + SIZE_AT, a->rows);
        values[i] = (const char *)a->column[i].data;
        sizes[i] = (int)a->column[i].used;
        binary[i] = 1;
        oids[i] = types[a->type[i]].array;
    }
    PGresult *res = PQexecParams(db->conn, sql, (int)a->columns, oids, values, sizes, binary, 0);
    int err = db_check(db, res);

    if (!err && result)
        *result = res;
    else
        PQclear(res);
    return err;
}
