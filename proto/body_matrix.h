/* SPDX-License-Identifier: Apache-2.0 */
/* body_matrix.h -- cells or probes of a body: rows (samples) of up to 160 values, predicted and Rice-coded. Written layout: record-body.md, "matrix".
 *
 * What moves the whole pack (current) is one number of the row, the shift. What is left of each value is its distance to a prediction, from the
 * row before or from a slow mean of its own rows, which does not take the noise of the row before along. A resistance for each cell was tried as
 * predictor: on recorded packs it finds nothing that the mean does not know.
 *
 * Encoder: put_row() for one row after the other; about 3 kB of stack, and this struct. Decoder: all rows at once, several codes by one look into a table
 * (rice_steps.h), and with vector instructions where the processor has them (`./cellwarden bench decode`).
 */
#ifndef PROTO_BODY_MATRIX_H
#define PROTO_BODY_MATRIX_H

#include "common/bits.h"
#include "common/units.h"

enum { MATRIX_COLUMNS_MAX = PACK_CELLS_MAX };

struct matrix {     /* what is known before a row; all zero before the first, but `columns` */
    size_t columns; /* 1 to MATRIX_COLUMNS_MAX */
    uint32_t row;   /* rows so far */
    int32_t before[MATRIX_COLUMNS_MAX];
    int32_t mean16[MATRIX_COLUMNS_MAX]; /* in 1/16 */
};

/* v[columns], each -32768 to 65535. */
void put_row(struct bit_writer *b, struct matrix *m, const int32_t *v);

/* Where rows go: row i begins at out + i * stride. A value is taken modulo 2^16. */
struct matrix_rows {
    uint16_t *out;
    size_t rows, columns, stride; /* columns 0 to MATRIX_COLUMNS_MAX, at most `stride` */
};

/* What no writer writes ends in b->bad; then the rows are anything. */
void get_rows(struct bit_reader *b, const struct matrix_rows *to);

/* The same without vector instructions, on any processor. */
void get_rows_plainly(struct bit_reader *b, const struct matrix_rows *to);

#endif
