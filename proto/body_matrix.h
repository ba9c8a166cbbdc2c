/* SPDX-License-Identifier: Apache-2.0 */
/* body_matrix.h -- cells or probes of a body: rows (samples) of up to 160 values, predicted and Rice-coded. Written layout: record-body.md, "matrix".
 *
 * What moves the whole pack (current) is one number of the row, the shift. What is left of each value is its distance to a prediction, from the
 * row before or from a slow mean of its own rows, which does not take the noise of the row before along. A resistance for each cell was tried as
 * predictor: on recorded packs it finds nothing that the mean does not know.
 *
 * matrix_begin(), then one row after the other. Encoder: about 3 kB of stack, and this struct.
 */
#ifndef PROTO_BODY_MATRIX_H
#define PROTO_BODY_MATRIX_H

#include "common/bits.h"
#include "common/units.h"

enum { MATRIX_COLUMNS_MAX = PACK_CELLS_MAX };

struct matrix {
    size_t columns; /* 1 to MATRIX_COLUMNS_MAX */
    uint32_t row;   /* rows so far */
    int32_t before[MATRIX_COLUMNS_MAX];
    int32_t mean16[MATRIX_COLUMNS_MAX]; /* in 1/16 */
};

void matrix_begin(struct matrix *m, size_t columns);

/* v[columns], each -32768 to 65535. */
void put_row(struct bit_writer *b, struct matrix *m, const int32_t *v);

/* The row is m->before afterwards, its values modulo 2^16. What no writer writes ends in b->bad; then the row is anything. */
void get_row(struct bit_reader *b, struct matrix *m);

#endif
