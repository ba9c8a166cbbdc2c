/* SPDX-License-Identifier: Apache-2.0 */
/* matrix_model.h -- how a row of cells or probes is predicted: what writer and reader of body_matrix.h must do alike. Written layout: record-body.md, "matrix".
 * Only they include it.
 */
#ifndef PROTO_MATRIX_MODEL_H
#define PROTO_MATRIX_MODEL_H

#include "proto/body_matrix.h"
#include "proto/rice.h"

enum { FROM_BITS = 2, GAP_K_BITS = 3, GAP_K_MAX = 7, SHIFT_WIDTH_BITS = 4, SHIFT_LONG = 15, SHIFT_LONG_BITS = 18 };
enum { MEAN_UNIT = 4, MEAN_SLOWEST = 2, MEAN_JUMP = 4096 }; /* 1/16; a quarter of the way; 256 units */

enum row_from { /* what a row is predicted from */
                FROM_MEAN = 0,
                FROM_MEAN_QUARTER = 1, /* and a quarter, or half, of what the value left of it was off: neighbours err alike */
                FROM_MEAN_HALF = 2,
                FROM_BEFORE = 3, /* the row before */
                FROMS
};

static inline void matrix_begin(struct matrix *m, size_t columns)
{
    *m = (struct matrix) { .columns = columns };
}

/* The means move by off >> this: at once in the first row, then slower. */
static inline unsigned mean_slowness(const struct matrix *m)
{
    return m->row < MEAN_SLOWEST ? m->row : MEAN_SLOWEST;
}

static inline int32_t mean_rounded(int32_t mean16)
{
    return floor_shift(mean16, MEAN_UNIT);
}

/* The mean of a column after its value was v in a row of this shift. Without a branch: it becomes vector instructions. */
static inline int32_t mean_after(int32_t mean16, int32_t v, int32_t shift, unsigned slow)
{
    int32_t was = wrap_plus(mean16, (int32_t)((uint32_t)shift << MEAN_UNIT));
    int32_t off = wrap_minus((int32_t)((uint32_t)v << MEAN_UNIT), was), step = floor_shift(off, slow);
    bool jump = (off >= MEAN_JUMP) | (off <= -MEAN_JUMP);

    return wrap_plus(was, jump ? off : step);
}

static inline int32_t share_of_left(enum row_from from, int32_t left)
{
    return from == FROM_MEAN_QUARTER ? floor_shift(left, 2) : from == FROM_MEAN_HALF ? floor_shift(left, 1) : 0;
}

#endif
