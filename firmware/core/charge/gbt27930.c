/* SPDX-License-Identifier: Apache-2.0 */
#include "firmware/core/charge/gbt27930.h"

#include <string.h>

enum { BIT_PER_BYTE = 8 };

const struct gbt_msg_row gbt_msgs[GBT_MSGS] = {
#define GBT_MSG(name, pf, priority, from, shortest, longest, period_ms) { #name, pf, priority, GBT_##from, shortest, longest, period_ms },
#define GBT_FIELD(msg, name, start, bits, scale, offset)
#define GBT_TEXT(msg, name, start, bytes)
#include "firmware/core/charge/gbt27930.def"
};

static const struct {
    uint8_t msg, bits;
    uint16_t start;
    int32_t scale, offset;
} fields[GBT_FIELDS] = {
#define GBT_MSG(name, pf, priority, from, shortest, longest, period_ms)
#define GBT_FIELD(msg, name, start, bits, scale, offset) { GBT_##msg, bits, start, scale, offset },
#define GBT_TEXT(msg, name, start, bytes)
#include "firmware/core/charge/gbt27930.def"
};

static const struct {
    uint8_t start, bytes;
} texts[GBT_TEXTS] = {
#define GBT_MSG(name, pf, priority, from, shortest, longest, period_ms)
#define GBT_FIELD(msg, name, start, bits, scale, offset)
#define GBT_TEXT(msg, name, start, bytes) { start, bytes },
#include "firmware/core/charge/gbt27930.def"
};

int gbt_by_pgn(uint32_t pgn, uint8_t from)
{
    for (int i = 0; i < GBT_MSGS; i++)
        if (pgn == (uint32_t)gbt_msgs[i].pf << BIT_PER_BYTE && gbt_msgs[i].from == from)
            return i;
    return -1;
}

int gbt_of_frame(const struct can_frame *f)
{
    uint8_t from = (uint8_t)f->id, to = (uint8_t)(f->id >> 8);

    if (!f->ext || f->id >> 24 & 3u || !((from == GBT_CHARGER && to == GBT_BMS) || (from == GBT_BMS && to == GBT_CHARGER)))
        return -1;
    return gbt_by_pgn(f->id >> 8 & 0xFF00u, from);
}

bool gbt_is_length(enum gbt_msg msg, size_t n)
{
    return n >= gbt_msgs[msg].shortest && n <= gbt_msgs[msg].longest;
}

enum gbt_msg gbt_message_of(enum gbt_field field)
{
    return (enum gbt_msg)fields[field].msg;
}

static bool is_inside(enum gbt_field field, size_t n)
{
    return ((size_t)fields[field].start + fields[field].bits + BIT_PER_BYTE - 1) / BIT_PER_BYTE <= n;
}

static int32_t bounded(int64_t v, int64_t lo, int64_t hi)
{
    return (int32_t)(v < lo ? lo : v > hi ? hi : v);
}

bool gbt_get(enum gbt_field field, const uint8_t *data, size_t n, int32_t *value)
{
    size_t first = fields[field].start / BIT_PER_BYTE, last = (fields[field].start + fields[field].bits - 1u) / BIT_PER_BYTE;
    uint64_t raw = 0;

    *value = 0;
    if (!is_inside(field, n))
        return false;
    for (size_t i = first; i <= last; i++)
        raw |= (uint64_t)data[i] << BIT_PER_BYTE * (i - first);
    raw = raw >> fields[field].start % BIT_PER_BYTE & (((uint64_t)1 << fields[field].bits) - 1);
    if (fields[field].bits == 32)
        *value = (int32_t)(uint32_t)raw; /* a number or a set of bits: all of it */
    else
        *value = bounded((int64_t)raw * fields[field].scale + fields[field].offset, INT32_MIN, INT32_MAX);
    return true;
}

void gbt_put(enum gbt_field field, uint8_t *data, size_t n, int32_t value)
{
    uint64_t mask = ((uint64_t)1 << fields[field].bits) - 1;
    int64_t raw = fields[field].bits == 32 ? (int64_t)(uint32_t)value : ((int64_t)value - fields[field].offset) / fields[field].scale;
    unsigned shift = fields[field].start % BIT_PER_BYTE;

    if (!is_inside(field, n))
        return;
    uint64_t bits = (raw < 0 ? 0 : (uint64_t)raw > mask ? mask : (uint64_t)raw) << shift;

    mask <<= shift;
    for (size_t i = fields[field].start / BIT_PER_BYTE; mask; i++, mask >>= BIT_PER_BYTE, bits >>= BIT_PER_BYTE)
        data[i] = (uint8_t)((data[i] & ~mask) | (bits & mask));
}

const uint8_t *gbt_text(enum gbt_text text, const uint8_t *data, size_t n, size_t *size)
{
    *size = texts[text].bytes;
    return (size_t)texts[text].start + texts[text].bytes <= n ? data + texts[text].start : NULL;
}

void gbt_put_text(enum gbt_text text, uint8_t *data, size_t n, const char *s)
{
    if ((size_t)texts[text].start + texts[text].bytes > n)
        return;
    for (size_t i = 0; i < texts[text].bytes; i++)
        data[texts[text].start + i] = *s ? (uint8_t)*s++ : 0xFF;
}

struct can_frame gbt_frame(enum gbt_msg msg, const uint8_t *data, size_t n)
{
    const struct gbt_msg_row *row = &gbt_msgs[msg];
    uint8_t to = row->from == GBT_BMS ? GBT_CHARGER : GBT_BMS;
    struct can_frame f = { .id = (uint32_t)row->priority << 26 | (uint32_t)row->pf << 16 | (uint32_t)to << 8 | row->from,
                           .ext = true,
                           .len = (uint8_t)(n < sizeof(f.data) ? n : sizeof(f.data)) };

    memcpy(f.data, data, f.len);
    return f;
}
