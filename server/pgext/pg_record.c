/* SPDX-License-Identifier: Apache-2.0 */
/* pg_record.c -- see pg_record.h. */
#include "server/pgext/pg_record.h"

#include <access/detoast.h>
#include <catalog/pg_type.h>
#include <datatype/timestamp.h>
#include <funcapi.h>
#include <miscadmin.h>
#include <utils/timestamp.h>

#include "common/err.h"

enum { COLUMNS_MAX = 100, NOT_KNOWN = -1 };

#define EPOCH_2000_MS ((uint64_t)(POSTGRES_EPOCH_JDATE - UNIX_EPOCH_JDATE) * SECS_PER_DAY * 1000) /* where PostgreSQL counts from */
#define UTC_END_MS    ((uint64_t)END_TIMESTAMP / 1000 + EPOCH_2000_MS)

struct plan { /* which column of ours each declared one is; made once for each place in a query */
    int columns;
    int of[COLUMNS_MAX];
};

/* Not larger than a record may be, or NULL: something large is not even fetched. */
static struct varlena *fetch(FunctionCallInfo fcinfo)
{
    Datum stored = PG_GETARG_DATUM(0);

    return toast_raw_datum_size(stored) - VARHDRSZ > RECORD_MAX ? NULL : PG_DETOAST_DATUM_PACKED(stored);
}

static int open_record(FunctionCallInfo fcinfo, struct record *r)
{
    const struct varlena *bytes;

    CHECK_FOR_INTERRUPTS();
    bytes = fetch(fcinfo);
    return bytes ? record_open((const uint8_t *)VARDATA_ANY(bytes), VARSIZE_ANY_EXHDR(bytes), r) : BMS_ERR_RANGE;
}

static struct columns *good(struct columns *c, int err)
{
    if (err)
        ereport(ERROR, (errcode(ERRCODE_INVALID_BINARY_REPRESENTATION), errmsg("not a record: %s", bms_err_text(err))));
    return c;
}

struct columns *pg_decode_until(FunctionCallInfo fcinfo, enum body_part last)
{
    struct record r;
    int err = open_record(fcinfo, &r);
    struct columns *c = palloc(sizeof *c);

    return good(c, err ? err : body_columns_until(&r, last, c));
}

static int decode(FunctionCallInfo fcinfo, struct columns *c)
{
    struct record r;
    int err = open_record(fcinfo, &r);

    return err ? err : body_columns(&r, c);
}

struct columns *pg_decode(FunctionCallInfo fcinfo)
{
    struct columns *c = palloc(sizeof *c);

    return good(c, decode(fcinfo, c));
}

int pg_check(FunctionCallInfo fcinfo)
{
    struct columns *c = palloc(sizeof *c);
    int err = decode(fcinfo, c);

    pfree(c);
    return err;
}

static int find(const struct pg_column *known, size_t count, const char *name, Oid type)
{
    for (size_t k = 0; k < count; k++)
        if (pg_strcasecmp(known[k].name, name) == 0 && known[k].type == type)
            return (int)k;
    return NOT_KNOWN;
}

static const struct plan *plan_of(FmgrInfo *call, TupleDesc declared, const struct pg_column *known, size_t count)
{
    struct plan *p = call->fn_extra;

    if (p)
        return p;
    if (declared->natts > COLUMNS_MAX)
        ereport(ERROR, (errcode(ERRCODE_TOO_MANY_COLUMNS), errmsg("a sample has at most %d columns", COLUMNS_MAX)));
    p = MemoryContextAlloc(call->fn_mcxt, sizeof *p);
    p->columns = declared->natts;
    for (int i = 0; i < p->columns; i++) {
        const char *name = NameStr(TupleDescAttr(declared, i)->attname);

        p->of[i] = find(known, count, name, TupleDescAttr(declared, i)->atttypid);
        if (p->of[i] == NOT_KNOWN)
            ereport(ERROR, (errcode(ERRCODE_UNDEFINED_COLUMN),
                            errmsg("the installed library of extension cellwarden does not know column \"%s\"", name),
                            errhint("Install the library that belongs to this version of the extension.")));
    }
    call->fn_extra = p;
    return p;
}

Datum pg_rows(FunctionCallInfo fcinfo, const struct pg_row *of, uint32_t rows, const struct pg_column *known, size_t count)
{
    Datum values[COLUMNS_MAX];
    bool nulls[COLUMNS_MAX];

    InitMaterializedSRF(fcinfo, MAT_SRF_USE_EXPECTED_DESC);
    const ReturnSetInfo *to = (const ReturnSetInfo *)fcinfo->resultinfo;
    const struct plan *p = plan_of(fcinfo->flinfo, to->setDesc, known, count);

    for (struct pg_row row = *of; row.i < rows; row.i++) {
        for (int k = 0; k < p->columns; k++) {
            const struct pg_column *column = &known[p->of[k]];

            nulls[k] = false;
            values[k] = column->value(&row, column->k, &nulls[k]);
        }
        tuplestore_putvalues(to->setResult, to->setDesc, values, nulls);
    }
    return (Datum)0;
}

TimestampTz pg_time_of(uint64_t utc_ms)
{
    if (utc_ms >= UTC_END_MS)
        ereport(ERROR, (errcode(ERRCODE_DATETIME_VALUE_OUT_OF_RANGE), errmsg("not a record: the time of a sample is out of range")));
    return ((int64_t)utc_ms - (int64_t)EPOCH_2000_MS) * 1000;
}

Datum pg_value_at(const struct pg_row *row, int k, bool *null)
{
    uint64_t ms = row->c->utc_ms[row->i];

    (void)k;
    *null = ms == 0;
    return TimestampTzGetDatum(pg_time_of(ms));
}
