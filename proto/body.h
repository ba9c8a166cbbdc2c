/* SPDX-License-Identifier: Apache-2.0 */
/* body.h -- the columnar body of a record: 1 to 60 samples, bit-packed, exact. The written layout is record-body.md.
 *
 * Scalars are columns (body_column.h), cells and probes are matrices (body_matrix.h), which is what makes a cell cost half a byte
 * (`./cellwarden bench wire`). No heap; the encoder's only memory is its stack, below 4 kB. A layout that is in the field is never changed:
 * a new one gets a new number, and readers keep the old.
 */
#ifndef PROTO_BODY_H
#define PROTO_BODY_H

#include <stddef.h>
#include <stdint.h>

#include "proto/record.h"
#include "proto/sample.h"

enum { BALANCING_WORDS = PACK_CELLS_MAX / 16 };

struct columns { /* a body as it lies in the record; only the first `count`, `cells` and `temps` elements mean something */
    uint32_t count, boot, first_no;
    uint8_t cells, temps;
    uint64_t utc_ms[RECORD_SAMPLES_MAX];
    int32_t scalar[SAMPLE_SCALARS][RECORD_SAMPLES_MAX];
    uint16_t cell_mV[RECORD_SAMPLES_MAX][PACK_CELLS_MAX];
    int16_t temp_ddegC[RECORD_SAMPLES_MAX][PACK_TEMPS_MAX];
    int32_t balancing[BALANCING_WORDS][RECORD_SAMPLES_MAX];
    uint8_t alarms[RECORD_SAMPLES_MAX];
    struct sample_alarm alarm[RECORD_SAMPLES_MAX][SAMPLE_ALARMS_MAX];
};

/* Samples must follow each other: same boot, cells and temps, numbers growing by one, times within +-2^30 ms of the one before.
 * True when `next` may stand behind `prev` in one body. */
bool body_can_follow(const struct sample *prev, const struct sample *next);

/* Returns the length, BMS_ERR_RANGE (count, sizes or order), or BMS_ERR_NOSPACE. */
int body_encode(const struct sample *samples, size_t count, uint8_t *out, size_t size);

/* Decode r->body into *out, which is about 50 kB. Returns 0, BMS_ERR_SCHEMA (unknown layout), BMS_ERR_TRUNCATED, BMS_ERR_CORRUPT (values
 * that no encoder writes, bytes left over, or times that do not match the envelope). Never reads or writes outside its arrays. */
int body_columns(const struct record *r, struct columns *out);

enum body_part { BODY_SCALARS, BODY_CELLS, BODY_TEMPS }; /* in the order of the stream, which has no index */

/* The times and the parts up to `last`, for a reader who needs no more of many records; what is behind is neither read nor checked, and its columns keep
 * what they held. Returns as body_columns(). */
int body_columns_until(const struct record *r, enum body_part last, struct columns *out);

/* Sample `i` (below c->count) of decoded columns. */
void columns_sample(const struct columns *c, uint32_t i, struct sample *out);

/* body_columns() and all samples in out[r->count]. Same results; takes 50 kB of stack, so it is for servers and tools. */
int body_decode(const struct record *r, struct sample *out);

#endif
