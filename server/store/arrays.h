/* SPDX-License-Identifier: Apache-2.0 */
/* arrays.h -- rows as parameters of one statement: an array for each column, in binary, for unnest($1, $2, ..).
 *
 * No table in between, which would have to be emptied at COMMIT: a truncated file, and a wait for the file system's journal, in each transaction.
 *
 *   arrays_begin -> for each row its fields into column[0], column[1], .. and arrays_row -> arrays_send      (again while there are rows)
 *
 * Many rows go in pieces of about ARRAYS_PIECE bytes, so that neither side holds all of them twice: see arrays_is_full().
 */
#ifndef SERVER_ARRAYS_H
#define SERVER_ARRAYS_H

#include "server/store/copy.h"
#include "server/store/db.h"

enum { ARRAYS_COLUMNS_MAX = 24, ARRAYS_PIECE = 128 * 1024 };
enum arrays_type { ARRAYS_TEXT, ARRAYS_INT16, ARRAYS_INT32, ARRAYS_INT64, ARRAYS_UTC, ARRAYS_BYTES };

struct arrays { /* zeros to begin with */
    struct copy column[ARRAYS_COLUMNS_MAX];
    const enum arrays_type *type; /* [columns], borrowed */
    size_t columns;
    uint32_t rows;
    size_t used; /* bytes in all columns, as of the last row */
    bool bad;    /* there was no memory for a row; until the next arrays_begin() */
};

void arrays_free(struct arrays *a);

/* No rows yet. columns: 1 to ARRAYS_COLUMNS_MAX. */
void arrays_begin(struct arrays *a, const enum arrays_type *type, size_t columns);

/* A field was put into each column. */
void arrays_row(struct arrays *a);

static inline bool arrays_is_full(const struct arrays *a)
{
    return a->used >= ARRAYS_PIECE;
}

/* Run a statement with the columns as $1, $2, .. on an open connection. Returns 0 with the result in *result (PQclear it; text; `result` may be NULL),
 * BMS_ERR_IO, or BMS_ERR_NOSPACE (no memory). */
int arrays_send(struct arrays *a, struct db *db, const char *sql, PGresult **result);

#endif
