/* SPDX-License-Identifier: Apache-2.0 */
/* pg_record.h -- what every function of the PostgreSQL extension does: decode one record, and give a row for each of its samples.
 *
 * Runs in a backend of PostgreSQL. The bytes come from a query and may be anything: each of them is checked by record_open() and the decoder, what they
 * refuse ends the statement with an ERROR (SQLSTATE 22P03), never the backend. Memory is that of the call; a record is at most 60 samples of 160 cells, so
 * a call is short, and it looks for interrupts once.
 */
#ifndef SERVER_PGEXT_PG_RECORD_H
#define SERVER_PGEXT_PG_RECORD_H

#include <postgres.h>

#include <fmgr.h>

#include "proto/body.h"

struct pg_row { /* what a column is made of */
    const struct columns *c;
    uint32_t i;     /* the sample */
    int32_t number; /* the cell or probe that was asked for, from 1 */
};

/* The value, or *null. `k` is that of the column. */
typedef Datum pg_value_fn(const struct pg_row *row, int k, bool *null);

struct pg_column {
    const char *name; /* as the SQL declares it; upper and lower case are the same */
    Oid type;
    pg_value_fn *value;
    int k;
};

/* The sealed bytes in argument 0, decoded up to `last`, or whole. The result is memory of the call: pfree it. Raises when they cannot be read. */
struct columns *pg_decode_until(FunctionCallInfo fcinfo, enum body_part last);
struct columns *pg_decode(FunctionCallInfo fcinfo);

/* The whole without raising: why the bytes are no good, BMS_ERR_OK when they are. */
int pg_check(FunctionCallInfo fcinfo);

/* Answer a call of a function that returns a table: one row for each sample. The columns are those that the SQL declared, found by name in `known`
 * (count rows): so a newer library serves the declarations of an older version of the extension. */
Datum pg_rows(FunctionCallInfo fcinfo, const struct columns *c, int32_t number, const struct pg_column *known, size_t count);

/* When the sample was taken; null when the board had no clock. */
pg_value_fn pg_value_at;

#endif
