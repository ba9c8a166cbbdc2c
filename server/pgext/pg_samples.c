/* SPDX-License-Identifier: Apache-2.0 */
/* pg_samples.c -- whole samples: cells, probes and balancing as arrays, then a column for each recorded row of signals.def. */
#include "server/pgext/pg_record.h"

#include <catalog/pg_type.h>
#include <utils/array.h>

#include "server/pgext/pg_functions.h"

PG_MODULE_MAGIC;

PG_FUNCTION_INFO_V1(cellwarden_samples);
PG_FUNCTION_INFO_V1(cellwarden_cell);
PG_FUNCTION_INFO_V1(cellwarden_cell_buckets);
PG_FUNCTION_INFO_V1(cellwarden_probe);
PG_FUNCTION_INFO_V1(cellwarden_cells_minmax);
PG_FUNCTION_INFO_V1(cellwarden_fault);
PG_FUNCTION_INFO_V1(cellwarden_alarm_name);

static Datum boot(const struct pg_row *row, int k, bool *null)
{
    (void)k;
    *null = false;
    return Int64GetDatum((int64_t)row->c->boot);
}

static Datum number(const struct pg_row *row, int k, bool *null)
{
    (void)k;
    *null = false;
    return Int64GetDatum((int64_t)row->c->first_no + row->i);
}

static Datum quantity(const struct pg_row *row, int k, bool *null)
{
    int32_t v = row->c->scalar[k][row->i];

    *null = scalar_validity(v) != VALIDITY_OK;
    return Int32GetDatum(v);
}

/* A plain field of 32 bits has no code for "not valid": it is given as it is. */
static Datum plain(const struct pg_row *row, int k, bool *null)
{
    *null = false;
    return Int64GetDatum((int64_t)(uint32_t)row->c->scalar[k][row->i]);
}

static Datum array_of(Datum *values, bool *nulls, int n, Oid type, int width, char align)
{
    int from = 1;

    if (n == 0)
        return PointerGetDatum(construct_empty_array(type));
    return PointerGetDatum(construct_md_array(values, nulls, 1, &n, &from, type, width, true, align));
}

static Datum cells(const struct pg_row *row, int k, bool *null)
{
    Datum values[PACK_CELLS_MAX];
    bool nulls[PACK_CELLS_MAX];

    (void)k;
    *null = false;
    for (int i = 0; i < row->c->cells; i++) {
        values[i] = Int32GetDatum(row->c->cell_mV[row->i][i]);
        nulls[i] = cell_validity(row->c->cell_mV[row->i][i]) != VALIDITY_OK;
    }
    return array_of(values, nulls, row->c->cells, INT4OID, sizeof(int32_t), TYPALIGN_INT);
}

static Datum temps(const struct pg_row *row, int k, bool *null)
{
    Datum values[PACK_TEMPS_MAX];
    bool nulls[PACK_TEMPS_MAX];

    (void)k;
    *null = false;
    for (int i = 0; i < row->c->temps; i++) {
        values[i] = Int32GetDatum(row->c->temp_ddegC[row->i][i]);
        nulls[i] = temp_validity(row->c->temp_ddegC[row->i][i]) != VALIDITY_OK;
    }
    return array_of(values, nulls, row->c->temps, INT4OID, sizeof(int32_t), TYPALIGN_INT);
}

static Datum balancing(const struct pg_row *row, int k, bool *null)
{
    Datum values[PACK_CELLS_MAX];
    bool nulls[PACK_CELLS_MAX] = { false };

    (void)k;
    *null = false;
    for (int i = 0; i < row->c->cells; i++)
        values[i] = BoolGetDatum(((uint32_t)row->c->balancing[i / 16][row->i] >> (i % 16) & 1u) != 0);
    return array_of(values, nulls, row->c->cells, BOOLOID, sizeof(bool), TYPALIGN_CHAR);
}

static const struct pg_column known[] = {
    { "at", TIMESTAMPTZOID, pg_value_at, 0 },
    { "boot", INT8OID, boot, 0 },
    { "no", INT8OID, number, 0 },
    { "cell_mV", INT4ARRAYOID, cells, 0 },
    { "temp_ddegC", INT4ARRAYOID, temps, 0 },
    { "balancing", BOOLARRAYOID, balancing, 0 },
#define KIND_U 0
#define KIND_S 0
#define KIND_B 1
#define SCALAR_0(name, is_plain)
#define SCALAR_1(name, is_plain)                                                        { #name, (is_plain) ? INT8OID : INT4OID, (is_plain) ? plain : quantity, SAMPLE_##name },
#define SIGNAL(message, name, start_bit, bits, kind, unit, min, max, recorded, comment) SCALAR_##recorded(name, KIND_##kind && (bits) == 32)
#include "proto/signals.def"
};

Datum cellwarden_samples(PG_FUNCTION_ARGS)
{
    struct columns *c = pg_decode(fcinfo);

    pg_rows(fcinfo, &(struct pg_row) { .c = c }, c->count, known, lengthof(known));
    pfree(c);
    return (Datum)0;
}
