/* SPDX-License-Identifier: Apache-2.0 */
/* body.h -- the columnar body of a record: 1 to 60 samples, bit-packed, exact. The written layout is record-body.md.
 *
 * Cells are stored as the pack mean of each sample and, row by row, Rice-coded residuals around it, which is what makes a cell cost half
 * a byte (`./cellwarden bench wire`). No heap; the encoder's only memory is its stack, about 4 kB. Layout versions are appended, never changed: old bodies stay readable.
 */
#ifndef PROTO_BODY_H
#define PROTO_BODY_H

#include <stddef.h>
#include <stdint.h>

#include "proto/record.h"
#include "proto/sample.h"

/* Samples must follow each other: same boot, cells and temps, numbers growing by one, times within +-2^30 ms of the one before.
 * True when `next` may stand behind `prev` in one body. */
bool body_can_follow(const struct sample *prev, const struct sample *next);

/* Returns the length, BMS_ERR_RANGE (count, sizes or order), or BMS_ERR_NOSPACE. */
int body_encode(const struct sample *samples, size_t count, uint8_t *out, size_t size);

/* Decode r->body into out[r->count]. Returns 0, BMS_ERR_SCHEMA (unknown layout), BMS_ERR_TRUNCATED, BMS_ERR_CORRUPT (values that no
 * encoder writes, bytes left over, or times that do not match the envelope). Never reads or writes outside its arrays. */
int body_decode(const struct record *r, struct sample *out);

#endif
