/* SPDX-License-Identifier: Apache-2.0 */
/* pg_cells.c -- one cell, one probe, or the extremes of all cells; of the record only what they need is decoded. */
#include "server/pgext/pg_record.h"

#include <catalog/pg_type.h>
#include <utils/builtins.h>

#include "common/err.h"
#include "server/pgext/pg_functions.h"

int32_t pg_number_of(FunctionCallInfo fcinfo, const char *what, int32_t max)
{
    int32_t number = PG_GETARG_INT32(1);

    if (number < 1 || number > max)
        ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE), errmsg("%s %d: they are numbered from 1 to %d", what, number, max)));
    return number;
}

static Datum cell_mV(const struct pg_row *row, int k, bool *null)
{
    uint16_t mV = row->c->cell_mV[row->i][row->number - 1];

    (void)k;
    *null = cell_validity(mV) != VALIDITY_OK;
    return Int32GetDatum(mV);
}

static Datum temp_ddegC(const struct pg_row *row, int k, bool *null)
{
    int16_t ddegC = row->c->temp_ddegC[row->i][row->number - 1];

    (void)k;
    *null = temp_validity(ddegC) != VALIDITY_OK;
    return Int32GetDatum(ddegC);
}

Datum cellwarden_cell(PG_FUNCTION_ARGS)
{
    static const struct pg_column known[] = { { "at", TIMESTAMPTZOID, pg_value_at, 0 }, { "mV", INT4OID, cell_mV, 0 } };
    int32_t cell = pg_number_of(fcinfo, "cell", PACK_CELLS_MAX);
    struct columns *c = pg_decode_until(fcinfo, BODY_CELLS);

    pg_rows(fcinfo, &(struct pg_row) { .c = c, .number = cell }, cell <= c->cells ? c->count : 0, known, lengthof(known));
    pfree(c);
    return (Datum)0;
}

Datum cellwarden_probe(PG_FUNCTION_ARGS)
{
    static const struct pg_column known[] = { { "at", TIMESTAMPTZOID, pg_value_at, 0 }, { "ddegC", INT4OID, temp_ddegC, 0 } };
    int32_t probe = pg_number_of(fcinfo, "probe", PACK_TEMPS_MAX);
    struct columns *c = pg_decode_until(fcinfo, BODY_TEMPS);

    pg_rows(fcinfo, &(struct pg_row) { .c = c, .number = probe }, probe <= c->temps ? c->count : 0, known, lengthof(known));
    pfree(c);
    return (Datum)0;
}

enum extreme { MIN_MV, MIN_CELL, MAX_MV, MAX_CELL, MEAN_MV };

/* Of the valid cells; the first of equals, as the board has it (BIU_Extremes). */
static Datum extreme(const struct pg_row *row, int k, bool *null)
{
    const uint16_t *mV = row->c->cell_mV[row->i];
    int32_t low = -1, high = -1, sum = 0, count = 0;

    for (int32_t cell = 0; cell < row->c->cells; cell++) {
        if (cell_validity(mV[cell]) != VALIDITY_OK)
            continue;
        low = low < 0 || mV[cell] < mV[low] ? cell : low;
        high = high < 0 || mV[cell] > mV[high] ? cell : high;
        sum += mV[cell];
        count++;
    }
    *null = count == 0;
    if (*null)
        return (Datum)0;
    const int32_t is[] = {
        [MIN_MV] = mV[low], [MIN_CELL] = low + 1, [MAX_MV] = mV[high], [MAX_CELL] = high + 1, [MEAN_MV] = (sum + count / 2) / count
    };

    return Int32GetDatum(is[k]);
}

Datum cellwarden_cells_minmax(PG_FUNCTION_ARGS)
{
    static const struct pg_column known[] = {
        { "at", TIMESTAMPTZOID, pg_value_at, 0 }, { "min_mV", INT4OID, extreme, MIN_MV },     { "min_cell", INT4OID, extreme, MIN_CELL },
        { "max_mV", INT4OID, extreme, MAX_MV },   { "max_cell", INT4OID, extreme, MAX_CELL }, { "mean_mV", INT4OID, extreme, MEAN_MV },
    };
    struct columns *c = pg_decode_until(fcinfo, BODY_CELLS);

    pg_rows(fcinfo, &(struct pg_row) { .c = c }, c->count, known, lengthof(known));
    pfree(c);
    return (Datum)0;
}

Datum cellwarden_fault(PG_FUNCTION_ARGS)
{
    int err = pg_check(fcinfo);

    if (!err)
        PG_RETURN_NULL();
    PG_RETURN_TEXT_P(cstring_to_text(bms_err_text(err)));
}
