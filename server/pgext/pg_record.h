/* SPDX-License-Identifier: Apache-2.0 */
/* pg_record.h -- what every function of the PostgreSQL extension does: decode one record, and give rows made of its samples.
 *
 * Runs in a backend of PostgreSQL. The bytes come from a query and may be anything: each of them is checked by record_open() and the decoder, what they
 * refuse ends the statement with an ERROR (SQLSTATE 22P03), never the backend. Memory is that of the call; a record is at most 60 samples of 160 cells, so
 * a call is short, and it looks for interrupts once.
 */
#ifndef SERVER_PGEXT_PG_RECORD_H
#define SERVER_PGEXT_PG_RECORD_H

#include <postgres.h>

#include <datatype/timestamp.h>
#include <fmgr.h>

#include "proto/body.h"

struct pg_row { /* what a row is made of */
    const struct columns *c;
    const struct pg_bucket *bucket; /* of a function that makes some */
    int32_t number;                 /* the cell or probe that was asked for, from 1 */
    uint32_t i;                     /* the sample, or the bucket */
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

/* Answer a call of a function that returns a table: `rows` rows, of which `of` says what they are made of but `i`. The columns are those that the SQL
 * declared, found by name in `known` (count of them): so a newer library serves the declarations of an older version of the extension. */
Datum pg_rows(FunctionCallInfo fcinfo, const struct pg_row *of, uint32_t rows, const struct pg_column *known, size_t count);

/* Argument 1, a cell or a probe. A number that no pack can have is a mistake in the query: raises. */
int32_t pg_number_of(FunctionCallInfo fcinfo, const char *what, int32_t max);

/* UTC milliseconds as PostgreSQL counts; raises when no calendar has them. */
TimestampTz pg_time_of(uint64_t utc_ms);

/* When the sample was taken; null when the board had no clock. */
pg_value_fn pg_value_at;

#endif
