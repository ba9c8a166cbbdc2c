/* SPDX-License-Identifier: Apache-2.0 */
#include "proto/record.h"

#include <stdbool.h>
#include <string.h>

#include "common/bytes.h"
#include "common/crc.h"
#include "common/err.h"
#include "common/units.h"

enum wire_type { VARINT = 0, FIXED64 = 1, BYTES = 2, FIXED32 = 5 };

enum field { /* numbers of telemetry.proto */
             F_SCHEMA = 1,
             F_DEVICE = 2,
             F_EPOCH = 3,
             F_SEQ = 4,
             F_BOOT = 5,
             F_FIRST_NO = 6,
             F_COUNT = 7,
             F_FIRST_UTC = 8,
             F_LAST_UTC = 9,
             F_CELLS = 10,
             F_TEMPS = 11,
             F_BODY = 12,
             F_CRC = 15,
};

enum { SEAL_SIZE = 5, SEAL_TAG = F_CRC << 3 | FIXED32 };

static bool in_limits(const struct record *r)
{
    return r->seq > 0 && r->count > 0 && r->count <= RECORD_SAMPLES_MAX && r->first_no > 0 && r->first_no <= UINT32_MAX - r->count &&
           r->cells <= PACK_CELLS_MAX && r->temps <= PACK_TEMPS_MAX && r->body_len > 0 && r->device[0] != '\0';
}

static void write_uint(struct writer *w, enum field f, uint64_t v)
{
    write_varint(w, (uint64_t)f << 3 | VARINT);
    write_varint(w, v);
}

static void write_blob(struct writer *w, enum field f, const void *data, size_t n)
{
    write_varint(w, (uint64_t)f << 3 | BYTES);
    write_varint(w, n);
    write_bytes(w, data, n);
}

int record_seal(const struct record *r, uint8_t *out, size_t size)
{
    struct writer w = writer_of(out, size < RECORD_MAX ? size : RECORD_MAX);

    if (!in_limits(r) || r->body_len > RECORD_BODY_MAX)
        return BMS_ERR_RANGE;
    write_uint(&w, F_SCHEMA, RECORD_SCHEMA);
    write_blob(&w, F_DEVICE, r->device, strlen(r->device));
    write_varint(&w, F_EPOCH << 3 | FIXED64);
    write_le64(&w, r->epoch);
    write_uint(&w, F_SEQ, r->seq);
    write_uint(&w, F_BOOT, r->boot);
    write_uint(&w, F_FIRST_NO, r->first_no);
    write_uint(&w, F_COUNT, r->count);
    write_uint(&w, F_FIRST_UTC, r->first_utc_ms);
    write_uint(&w, F_LAST_UTC, r->last_utc_ms);
    write_uint(&w, F_CELLS, r->cells);
    write_uint(&w, F_TEMPS, r->temps);
    write_blob(&w, F_BODY, r->body, r->body_len);
    uint32_t crc = crc32c(0, out, writer_used(&w));

    write_u8(&w, SEAL_TAG);
    write_le32(&w, crc);
    return w.bad ? BMS_ERR_NOSPACE : (int)writer_used(&w);
}

static bool take_varint(struct record *r, uint64_t field, uint64_t v, uint64_t *schema)
{
    uint32_t *u32 = NULL;

    switch (field) {
    case F_SCHEMA:
        *schema = v;
        return true;
    case F_SEQ:
        r->seq = v;
        return true;
    case F_FIRST_UTC:
        r->first_utc_ms = v;
        return true;
    case F_LAST_UTC:
        r->last_utc_ms = v;
        return true;
    case F_BOOT:
        u32 = &r->boot;
        break;
    case F_FIRST_NO:
        u32 = &r->first_no;
        break;
    case F_COUNT:
        u32 = &r->count;
        break;
    case F_CELLS:
        u32 = &r->cells;
        break;
    case F_TEMPS:
        u32 = &r->temps;
        break;
    default:
        return true; /* a field of a later writer */
    }
    *u32 = (uint32_t)v;
    return v <= UINT32_MAX;
}

static bool take_bytes(struct record *r, uint64_t field, const uint8_t *data, size_t n)
{
    if (field == F_BODY) {
        r->body = data;
        r->body_len = n;
    } else if (field == F_DEVICE) {
        if (n > DEVICE_NAME_MAX || memchr(data, '\0', n))
            return false;
        memcpy(r->device, data, n);
        r->device[n] = '\0';
    }
    return true;
}

/* One field; false = not protobuf, or not ours. */
static bool take_field(struct reader *in, struct record *r, uint64_t *schema)
{
    uint64_t tag = read_varint(in);
    uint64_t field = tag >> 3;

    switch (tag & 7u) {
    case VARINT: {
        uint64_t v = read_varint(in);

        return !in->bad && take_varint(r, field, v, schema);
    }
    case FIXED64: {
        uint64_t v = read_le64(in);

        if (field == F_EPOCH)
            r->epoch = v;
        return !in->bad;
    }
    case BYTES: {
        uint64_t n = read_varint(in);
        const uint8_t *data = n <= reader_left(in) ? read_bytes(in, (size_t)n) : NULL;

        return data && take_bytes(r, field, data, (size_t)n);
    }
    case FIXED32:
        read_le32(in);
        return !in->bad && field != F_CRC; /* the seal stands at the end only */
    default:
        return false;
    }
}

int record_open(const uint8_t *data, size_t n, struct record *r)
{
    uint64_t schema = 0;

    *r = (struct record) { .seq = 0 };
    if (n <= SEAL_SIZE)
        return BMS_ERR_TRUNCATED;
    if (n > RECORD_MAX || data[n - SEAL_SIZE] != SEAL_TAG || crc32c(0, data, n - SEAL_SIZE) != get_le32(data + n - 4))
        return BMS_ERR_CORRUPT;
    struct reader in = reader_of(data, n - SEAL_SIZE);

    while (reader_left(&in) > 0)
        if (!take_field(&in, r, &schema))
            return BMS_ERR_CORRUPT;
    if (schema != RECORD_SCHEMA)
        return BMS_ERR_SCHEMA;
    return in_limits(r) ? BMS_ERR_OK : BMS_ERR_RANGE;
}
