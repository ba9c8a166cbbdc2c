/* SPDX-License-Identifier: Apache-2.0 */
/* body_matrix_read.c -- see body_matrix.h. One reader, compiled twice: for any processor, and for those with AVX2 and BMI2. */
#include "proto/body_matrix.h"

#include <string.h>

#include "common/cpu.h"
#include "proto/matrix_model.h"
#include "proto/rice_steps.h"

/* Lanes are handled by eights, those behind the last column along: they hold zeros and are never given out. */
enum { LANES = 8 };

/* Into the table for each time that bits are fetched: fetching is most of the way from one look to the next. */
enum { LOOKS = 5 };

_Static_assert(MATRIX_COLUMNS_MAX % LANES == 0, "the last eight are whole");
_Static_assert(LOOKS <= 56 / RICE_STEP_BITS, "what bits_fill_far() gives is enough");

struct row { /* as it lies in the stream */
    int32_t e[MATRIX_COLUMNS_MAX];
    int32_t shift;
    enum row_from from;
};

CPU_INLINE int32_t get_shift(struct bit_reader *b)
{
    unsigned width = get_bits(b, SHIFT_WIDTH_BITS);

    return unzigzag32(get_bits(b, width < SHIFT_LONG ? width : SHIFT_LONG_BITS));
}

/* Up to six values by one look into the table; from a code on that it does not know, or where six would be too many, one by one. False when a value needs more than a byte:
 * then nothing was taken. */
CPU_INLINE bool get_small(struct bit_reader *b, unsigned k, int32_t *e, size_t n)
{
    int8_t small[MATRIX_COLUMNS_MAX + sizeof(struct rice_step)];
    const struct rice_step *steps = rice_steps[k];
    struct bit_reader r = *b; /* a copy stays in registers while small[] is written */
    bool known = true;
    size_t c = 0;

    while (known && c < n && r.end - r.p >= 8) {
        bits_fill_far(&r);
        for (unsigned look = 0; look < LOOKS && known; look++) {
            const struct rice_step *s = &steps[r.hold & (RICE_STEPS - 1)];
            size_t count = (size_t)s->at[RICE_STEP_COUNT];
            unsigned taken = (unsigned)s->at[RICE_STEP_TAKEN];

            known = count - 1 < n - c; /* neither 0 nor too many */
            if (known) {
                memcpy(small + c, s->at, sizeof s->at); /* what is behind the values is written over by the next */
                c += count;
                r.hold >>= taken;
                r.held -= taken;
            }
        }
    }
    for (; c < n; c++) {
        int32_t v = unzigzag32(get_rice(&r, k));

        if (v > INT8_MAX || v < INT8_MIN)
            return false;
        small[c] = (int8_t)v;
    }
    for (c = 0; c < n; c++)
        e[c] = (int32_t)small[c];
    *b = r;
    return true;
}

CPU_INLINE void get_plain(struct bit_reader *b, int32_t *e, size_t n)
{
    unsigned k = get_bits(b, RICE_K_BITS);
    struct bit_reader r;

    if (get_small(b, k, e, n))
        return;
    r = *b;
    for (size_t c = 0; c < n; c++)
        e[c] = unzigzag32(get_rice(&r, k));
    *b = r;
}

CPU_INLINE void get_runs(struct bit_reader *b, int32_t *e, size_t n)
{
    unsigned k = get_bits(b, RICE_K_BITS), gap_k = get_bits(b, GAP_K_BITS);
    struct bit_reader r = *b;

    memset(e, 0, n * sizeof(e[0]));
    for (size_t c = 0; c < n && !r.bad; c++) {
        uint32_t gap = get_rice(&r, gap_k);

        if (gap > n - c)
            bits_end(&r);
        c = gap > n - c ? n : c + gap;
        if (c < n)
            e[c] = unzigzag32(get_rice(&r, k) + 1);
    }
    *b = r;
}

/* What was left of each value, made whole from its left neighbour. */
CPU_INLINE void add_share_of_left(int32_t *e, size_t n, enum row_from from)
{
    int32_t left = 0;

    if (from == FROM_MEAN_QUARTER)
        for (size_t c = 0; c < n; c++)
            left = e[c] = wrap_plus(e[c], share_of_left(FROM_MEAN_QUARTER, left));
    else if (from == FROM_MEAN_HALF)
        for (size_t c = 0; c < n; c++)
            left = e[c] = wrap_plus(e[c], share_of_left(FROM_MEAN_HALF, left));
}

CPU_INLINE void get_row(struct bit_reader *b, struct row *row, size_t n)
{
    row->from = (enum row_from)get_bits(b, FROM_BITS);
    row->shift = get_shift(b);
    if (get_bits(b, 1))
        get_runs(b, row->e, n);
    else
        get_plain(b, row->e, n);
    for (size_t c = n; c % LANES; c++)
        row->e[c] = 0;
    add_share_of_left(row->e, n, row->from);
}

/* The row becomes values, and the means follow, in one go. */
CPU_INLINE void take_from_mean(struct matrix *m, const struct row *row, size_t lanes)
{
    unsigned slow = mean_slowness(m);

    for (size_t c = 0; c < lanes; c++) {
        int32_t v = wrap_plus(wrap_plus(mean_rounded(m->mean16[c]), row->shift), row->e[c]);

        m->before[c] = v;
        m->mean16[c] = mean_after(m->mean16[c], v, row->shift, slow);
    }
}

CPU_INLINE void take_from_before(struct matrix *m, const struct row *row, size_t lanes)
{
    unsigned slow = mean_slowness(m);

    for (size_t c = 0; c < lanes; c++) {
        int32_t v = wrap_plus(wrap_plus(m->before[c], row->shift), row->e[c]);

        m->before[c] = v;
        m->mean16[c] = mean_after(m->mean16[c], v, row->shift, slow);
    }
}

CPU_INLINE void take_same(struct matrix *m, size_t lanes)
{
    unsigned slow = mean_slowness(m);

    for (size_t c = 0; c < lanes; c++)
        m->mean16[c] = mean_after(m->mean16[c], m->before[c], 0, slow);
}

CPU_INLINE void read_rows(struct bit_reader *from, const struct matrix_rows *to)
{
    struct matrix m;
    struct row row;
    struct bit_reader b = *from;
    size_t lanes = (to->columns + LANES - 1) / LANES * LANES;

    matrix_begin(&m, to->columns);
    for (size_t i = 0; i < to->rows && to->columns > 0 && !b.bad; i++, m.row++) {
        if (get_bits(&b, 1)) {
            take_same(&m, lanes);
        } else {
            get_row(&b, &row, to->columns);
            if (row.from == FROM_BEFORE)
                take_from_before(&m, &row, lanes);
            else
                take_from_mean(&m, &row, lanes);
        }
        for (size_t c = 0; c < to->columns; c++)
            to->out[i * to->stride + c] = (uint16_t)m.before[c];
    }
    *from = b;
}

CPU_WIDE(static void read_rows_wide(struct bit_reader *b, const struct matrix_rows *to))
{
    read_rows(b, to);
}

void get_rows_plainly(struct bit_reader *b, const struct matrix_rows *to)
{
    read_rows(b, to);
}

void get_rows(struct bit_reader *b, const struct matrix_rows *to)
{
    if (cpu_is_wide())
        read_rows_wide(b, to);
    else
        get_rows_plainly(b, to);
}
