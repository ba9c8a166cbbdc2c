/* SPDX-License-Identifier: Apache-2.0 */
/* body_write.c -- see body.h. What a board and a DTU need; body_read.c is the other half. */
#include "proto/body.h"

#include "common/bits.h"
#include "common/err.h"
#include "proto/body_column.h"
#include "proto/body_layout.h"
#include "proto/body_matrix.h"
#include "proto/matrix_model.h"

enum { TIME_STEP_MAX = 1 << 30 };

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
    write_u8(&w, BODY_LAYOUT);
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
