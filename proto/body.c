/* SPDX-License-Identifier: Apache-2.0 */
#include "proto/body.h"

#include <string.h>

#include "common/bits.h"
#include "common/err.h"
#include "proto/body_column.h"
#include "proto/body_matrix.h"

enum { LAYOUT = 2, HEAD = 2, TIME_STEP_MAX = 1 << 30, ALARM_COUNT_BITS = 5, ALARM_HALF_BITS = 24 };

bool body_can_follow(const struct sample *prev, const struct sample *next)
{
    int64_t step = (int64_t)(next->utc_ms - prev->utc_ms);

    return next->boot == prev->boot && next->cells == prev->cells && next->temps == prev->temps && next->no == prev->no + 1 &&
           step > -TIME_STEP_MAX && step < TIME_STEP_MAX;
}

static bool can_encode(const struct sample *s, size_t n)
{
    if (n == 0 || n > RECORD_SAMPLES_MAX || s[0].cells > PACK_CELLS_MAX || s[0].temps > PACK_TEMPS_MAX || s[0].no == 0)
        return false;
    for (size_t i = 0; i < n; i++)
        if (s[i].alarms > SAMPLE_ALARMS_MAX || (i > 0 && !body_can_follow(&s[i - 1], &s[i])))
            return false;
    return true;
}

static void put_times(struct bit_writer *b, const struct sample *s, size_t n)
{
    int32_t step[RECORD_SAMPLES_MAX];

    for (size_t i = 1; i < n; i++)
        step[i - 1] = (int32_t)(s[i].utc_ms - s[i - 1].utc_ms);
    if (n > 1)
        put_column(b, step, n - 1, 0);
}

/* A scalar that the board does not have is the same code as the one before: one bit. */
static void put_scalars(struct bit_writer *b, const struct sample *s, size_t n)
{
    int32_t v[RECORD_SAMPLES_MAX], guess = 0;

    for (unsigned k = 0; k < SAMPLE_SCALARS; k++) {
        for (size_t i = 0; i < n; i++)
            v[i] = s[i].scalar[k];
        put_column(b, v, n, guess);
        guess = v[0];
    }
}

static void put_cells(struct bit_writer *b, const struct sample *s, size_t n)
{
    int32_t v[MATRIX_COLUMNS_MAX];
    struct matrix m;

    matrix_begin(&m, s[0].cells);
    for (size_t i = 0; i < n && m.columns > 0; i++) {
        for (size_t c = 0; c < m.columns; c++)
            v[c] = s[i].cell_mV[c];
        put_row(b, &m, v);
    }
}

static void put_temps(struct bit_writer *b, const struct sample *s, size_t n)
{
    int32_t v[MATRIX_COLUMNS_MAX];
    struct matrix m;

    matrix_begin(&m, s[0].temps);
    for (size_t i = 0; i < n && m.columns > 0; i++) {
        for (size_t c = 0; c < m.columns; c++)
            v[c] = s[i].temp_ddegC[c];
        put_row(b, &m, v);
    }
}

static void put_balancing(struct bit_writer *b, const struct sample *s, size_t n)
{
    int32_t v[RECORD_SAMPLES_MAX];

    for (unsigned w = 0; w < (s[0].cells + 15u) / 16u; w++) {
        for (size_t i = 0; i < n; i++)
            v[i] = s[i].balancing[w];
        put_column(b, v, n, 0);
    }
}

static bool same_alarms(const struct sample *a, const struct sample *b)
{
    if (a->alarms != b->alarms)
        return false;
    for (unsigned i = 0; i < a->alarms; i++)
        if (sample_alarm_pack(&a->alarm[i]) != sample_alarm_pack(&b->alarm[i]))
            return false;
    return true;
}

/* Per sample one bit "as before" (before the first: none), else a count and the entries. */
static void put_alarms(struct bit_writer *b, const struct sample *s, size_t n)
{
    static const struct sample none = { .alarms = 0 };
    const struct sample *prev = &none;

    for (size_t i = 0; i < n; prev = &s[i], i++) {
        bool same = same_alarms(prev, &s[i]);

        put_bits(b, same, 1);
        if (same)
            continue;
        put_bits(b, s[i].alarms, ALARM_COUNT_BITS);
        for (unsigned a = 0; a < s[i].alarms; a++) {
            uint64_t raw = sample_alarm_pack(&s[i].alarm[a]);

            put_bits(b, (uint32_t)(raw & 0xFFFFFFu), ALARM_HALF_BITS);
            put_bits(b, (uint32_t)(raw >> ALARM_HALF_BITS), ALARM_HALF_BITS);
        }
    }
}

int body_encode(const struct sample *s, size_t n, uint8_t *out, size_t size)
{
    struct writer w = writer_of(out, size);
    struct bit_writer b = { .out = &w };

    if (!can_encode(s, n))
        return BMS_ERR_RANGE;
    write_u8(&w, LAYOUT);
    write_u8(&w, SAMPLE_SCALARS);
    put_times(&b, s, n);
    put_scalars(&b, s, n);
    put_cells(&b, s, n);
    put_temps(&b, s, n);
    put_balancing(&b, s, n);
    put_alarms(&b, s, n);
    bits_flush(&b);
    return w.bad ? BMS_ERR_NOSPACE : (int)writer_used(&w);
}

static void get_times(struct bit_reader *b, struct columns *c, uint64_t first_ms)
{
    int32_t step[RECORD_SAMPLES_MAX] = { 0 };

    if (c->count > 1)
        get_column(b, step, c->count - 1, 0);
    c->utc_ms[0] = first_ms;
    for (uint32_t i = 1; i < c->count; i++)
        c->utc_ms[i] = c->utc_ms[i - 1] + (uint64_t)(int64_t)step[i - 1];
}

/* A body of an older writer has fewer columns (the rest was never received), one of a newer writer has more (read and dropped). */
static void get_scalars(struct bit_reader *b, struct columns *c, unsigned columns)
{
    int32_t dropped[RECORD_SAMPLES_MAX] = { 0 }, guess = 0;

    for (unsigned k = 0; k < columns && !b->bad; k++) {
        int32_t *v = k < SAMPLE_SCALARS ? c->scalar[k] : dropped;

        get_column(b, v, c->count, guess);
        guess = v[0];
    }
    for (unsigned k = columns; k < SAMPLE_SCALARS; k++)
        for (uint32_t i = 0; i < c->count; i++)
            c->scalar[k][i] = scalar_invalid(VALIDITY_NEVER);
}

static void get_cells(struct bit_reader *b, struct columns *c)
{
    struct matrix m;

    matrix_begin(&m, c->cells);
    for (uint32_t i = 0; i < c->count && c->cells > 0 && !b->bad; i++) {
        get_row(b, &m);
        for (size_t k = 0; k < c->cells; k++)
            c->cell_mV[i][k] = (uint16_t)m.before[k];
    }
}

static void get_temps(struct bit_reader *b, struct columns *c)
{
    struct matrix m;

    matrix_begin(&m, c->temps);
    for (uint32_t i = 0; i < c->count && c->temps > 0 && !b->bad; i++) {
        get_row(b, &m);
        for (size_t k = 0; k < c->temps; k++)
            c->temp_ddegC[i][k] = (int16_t)(uint16_t)m.before[k];
    }
}

static void get_balancing(struct bit_reader *b, struct columns *c)
{
    for (unsigned w = 0; w < (c->cells + 15u) / 16u && !b->bad; w++)
        get_column(b, c->balancing[w], c->count, 0);
}

static void get_alarm_list(struct bit_reader *b, uint8_t *count, struct sample_alarm *out)
{
    uint32_t n = get_bits(b, ALARM_COUNT_BITS);

    if (n > SAMPLE_ALARMS_MAX) {
        bits_end(b);
        n = 0;
    }
    *count = (uint8_t)n;
    for (uint32_t a = 0; a < n; a++) {
        uint64_t low = get_bits(b, ALARM_HALF_BITS);

        out[a] = sample_alarm_unpack(low | (uint64_t)get_bits(b, ALARM_HALF_BITS) << ALARM_HALF_BITS);
    }
}

static void get_alarms(struct bit_reader *b, struct columns *c)
{
    for (uint32_t i = 0; i < c->count && !b->bad; i++) {
        if (!get_bits(b, 1)) {
            get_alarm_list(b, &c->alarms[i], c->alarm[i]);
            continue;
        }
        c->alarms[i] = i > 0 ? c->alarms[i - 1] : 0;
        if (c->alarms[i] > 0)
            memcpy(c->alarm[i], c->alarm[i - 1], c->alarms[i] * sizeof(c->alarm[0][0]));
    }
}

static bool begins_well(const struct record *r, int *err)
{
    *err = r->body_len < HEAD ? BMS_ERR_TRUNCATED : r->body[0] != LAYOUT ? BMS_ERR_SCHEMA : BMS_ERR_OK;
    return *err == BMS_ERR_OK;
}

static void get_head(struct bit_reader *b, const struct record *r, struct columns *c)
{
    c->count = r->count;
    c->boot = r->boot;
    c->first_no = r->first_no;
    c->cells = (uint8_t)r->cells;
    c->temps = (uint8_t)r->temps;
    get_times(b, c, r->first_utc_ms);
}

static bool ends_well(const struct record *r, const struct columns *c)
{
    return c->utc_ms[r->count - 1] == r->last_utc_ms;
}

int body_columns(const struct record *r, struct columns *c)
{
    int err;

    if (!begins_well(r, &err))
        return err;
    struct bit_reader b = bits_of(r->body + HEAD, r->body_len - HEAD);

    get_head(&b, r, c);
    get_scalars(&b, c, r->body[1]);
    get_cells(&b, c);
    get_temps(&b, c);
    get_balancing(&b, c);
    get_alarms(&b, c);
    return bits_at_end(&b) && ends_well(r, c) ? BMS_ERR_OK : BMS_ERR_CORRUPT;
}

int body_columns_until(const struct record *r, enum body_part last, struct columns *c)
{
    int err;

    if (!begins_well(r, &err))
        return err;
    struct bit_reader b = bits_of(r->body + HEAD, r->body_len - HEAD);

    get_head(&b, r, c);
    get_scalars(&b, c, r->body[1]);
    if (last >= BODY_CELLS)
        get_cells(&b, c);
    if (last >= BODY_TEMPS)
        get_temps(&b, c);
    return !b.bad && ends_well(r, c) ? BMS_ERR_OK : BMS_ERR_CORRUPT;
}

void columns_sample(const struct columns *c, uint32_t i, struct sample *out)
{
    memset(out, 0, sizeof(*out));
    out->utc_ms = c->utc_ms[i];
    out->boot = c->boot;
    out->no = c->first_no + i;
    out->cells = c->cells;
    out->temps = c->temps;
    out->alarms = c->alarms[i];
    for (unsigned k = 0; k < SAMPLE_SCALARS; k++)
        out->scalar[k] = c->scalar[k][i];
    memcpy(out->cell_mV, c->cell_mV[i], c->cells * sizeof(out->cell_mV[0]));
    memcpy(out->temp_ddegC, c->temp_ddegC[i], c->temps * sizeof(out->temp_ddegC[0]));
    for (unsigned w = 0; w < (c->cells + 15u) / 16u; w++)
        out->balancing[w] = (uint16_t)c->balancing[w][i];
    memcpy(out->alarm, c->alarm[i], c->alarms[i] * sizeof(out->alarm[0]));
}

int body_decode(const struct record *r, struct sample *out)
{
    struct columns c;
    int err = body_columns(r, &c);

    for (uint32_t i = 0; i < r->count && !err; i++)
        columns_sample(&c, i, &out[i]);
    return err;
}
