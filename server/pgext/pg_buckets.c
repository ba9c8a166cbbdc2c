/* SPDX-License-Identifier: Apache-2.0 */
/* pg_buckets.c -- one cell, a row for each step of time in a record instead of one for each sample: sixty times less for PostgreSQL to carry about.
 *
 * A bucket that lies across two records comes from both: whoever asks adds them up (cell_range() in views.sql does).
 */
#include "server/pgext/pg_record.h"

#include <catalog/pg_type.h>
#include <utils/timestamp.h>

#include "server/pgext/pg_functions.h"

struct pg_bucket {
    TimestampTz at;
    int32_t samples, min_mV, max_mV;
    int64_t sum_mV;
};

struct span { /* since <= at < until, in buckets of step_us counted from 1970, as date_bin(step, at, 'epoch') has them */
    TimestampTz since, until;
    int64_t step_us;
};

static struct span span_of(FunctionCallInfo fcinfo)
{
    const Interval *step = PG_GETARG_INTERVAL_P(4);

    if (step->month != 0 || step->day > INT16_MAX || step->day < 0 || step->time < 0 || step->time > INT64_MAX / 2)
        ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE), errmsg("the step must be a length of time without months or years")));
    struct span s = { PG_GETARG_TIMESTAMPTZ(2), PG_GETARG_TIMESTAMPTZ(3), step->time + (int64_t)step->day * USECS_PER_DAY };

    if (s.step_us <= 0)
        ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE), errmsg("the step must be longer than nothing")));
    return s;
}

static TimestampTz begin_of(uint64_t utc_ms, int64_t step_us)
{
    return pg_time_of(utc_ms) - (int64_t)(utc_ms * 1000 % (uint64_t)step_us);
}

static void add(struct pg_bucket *b, int32_t mV)
{
    b->min_mV = b->samples == 0 || mV < b->min_mV ? mV : b->min_mV;
    b->max_mV = b->samples == 0 || mV > b->max_mV ? mV : b->max_mV;
    b->sum_mV += mV;
    b->samples++;
}

/* Valid values with a time; returns the number of buckets in out[RECORD_SAMPLES_MAX]. */
static uint32_t fill(const struct columns *c, int32_t cell, const struct span *s, struct pg_bucket *out)
{
    uint32_t n = 0;

    for (uint32_t i = 0; i < c->count; i++) {
        TimestampTz at = pg_time_of(c->utc_ms[i]);

        if (c->utc_ms[i] == 0 || at < s->since || at >= s->until || cell_validity(c->cell_mV[i][cell - 1]) != VALIDITY_OK)
            continue;
        at = begin_of(c->utc_ms[i], s->step_us);
        if (n == 0 || out[n - 1].at != at)
            out[n++] = (struct pg_bucket) { .at = at };
        add(&out[n - 1], c->cell_mV[i][cell - 1]);
    }
    return n;
}

enum what { SAMPLES, MIN_MV, MAX_MV };

static Datum at_value(const struct pg_row *row, int k, bool *null)
{
    (void)k;
    *null = false;
    return TimestampTzGetDatum(row->bucket[row->i].at);
}

static Datum sum_value(const struct pg_row *row, int k, bool *null)
{
    (void)k;
    *null = false;
    return Int64GetDatum(row->bucket[row->i].sum_mV);
}

static Datum value(const struct pg_row *row, int k, bool *null)
{
    const struct pg_bucket *b = &row->bucket[row->i];
    const int32_t is[] = { [SAMPLES] = b->samples, [MIN_MV] = b->min_mV, [MAX_MV] = b->max_mV };

    *null = false;
    return Int32GetDatum(is[k]);
}

Datum cellwarden_cell_buckets(PG_FUNCTION_ARGS)
{
    static const struct pg_column known[] = {
        { "at", TIMESTAMPTZOID, at_value, 0 }, { "samples", INT4OID, value, SAMPLES }, { "min_mV", INT4OID, value, MIN_MV },
        { "max_mV", INT4OID, value, MAX_MV },  { "sum_mV", INT8OID, sum_value, 0 },
    };
    struct pg_bucket bucket[RECORD_SAMPLES_MAX];
    int32_t cell = pg_number_of(fcinfo, "cell", PACK_CELLS_MAX);
    struct span span = span_of(fcinfo);
    struct columns *c = pg_decode_until(fcinfo, BODY_CELLS);
    uint32_t n = cell <= c->cells ? fill(c, cell, &span, bucket) : 0;

    pfree(c);
    return pg_rows(fcinfo, &(struct pg_row) { .bucket = bucket }, n, known, lengthof(known));
}
