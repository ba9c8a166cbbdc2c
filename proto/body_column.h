/* SPDX-License-Identifier: Apache-2.0 */
/* body_column.h -- one column of a body: the values of one scalar over 1 to 60 samples. Written layout: record-body.md, "column".
 *
 * Frame of reference: smallest value or smallest step, then fixed widths, in units of what all of them have in common (a sensor that
 * reads in steps of 100 mA costs no bits for the rest).
 */
#ifndef PROTO_BODY_COLUMN_H
#define PROTO_BODY_COLUMN_H

#include "common/bits.h"

/* v[n], n 0 to RECORD_SAMPLES_MAX. `guess`: a column that is this everywhere costs one bit. */
void put_column(struct bit_writer *b, const int32_t *v, size_t n, int32_t guess);

/* Fills v[n]. What no writer writes ends in b->bad. */
void get_column(struct bit_reader *b, int32_t *v, size_t n, int32_t guess);

#endif
