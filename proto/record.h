/* SPDX-License-Identifier: Apache-2.0 */
/* record.h -- the sealed record: a protobuf `cw.Record` (telemetry.proto) whose last field is the CRC-32C of all before it.
 *
 * These two functions are the only writer and the only reader. The bytes are valid protobuf for any other reader; here they are read in
 * place: no allocation, every length checked, unknown fields skipped. Written layout: record-body.md.
 */
#ifndef PROTO_RECORD_H
#define PROTO_RECORD_H

#include <stddef.h>
#include <stdint.h>

#include "proto/topics.h"

enum {
    RECORD_SCHEMA = 1,
    RECORD_SAMPLES_MAX = 60,
    RECORD_MAX = 16384,                 /* bytes, sealed */
    RECORD_BODY_MAX = RECORD_MAX - 192, /* leaves room for every envelope field at its longest */
};

struct record {
    char device[DEVICE_NAME_MAX + 1];
    uint64_t epoch, seq;
    uint32_t boot, first_no, count;
    uint64_t first_utc_ms, last_utc_ms;
    uint32_t cells, temps;
    const uint8_t *body; /* borrowed */
    size_t body_len;
};

/* Returns the sealed length, or BMS_ERR_RANGE (a field outside its limits) or BMS_ERR_NOSPACE. out[size] must not overlap the body. */
int record_seal(const struct record *r, uint8_t *out, size_t size);

/* Check and read. *r points into data. Returns 0, or BMS_ERR_TRUNCATED / BMS_ERR_CORRUPT (length, CRC, framing), BMS_ERR_SCHEMA (unknown
 * version; then r->device, epoch and seq are set if they could be read), BMS_ERR_RANGE (a field outside its limits; same). */
int record_open(const uint8_t *data, size_t n, struct record *r);

#endif
