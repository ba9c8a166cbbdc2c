/* SPDX-License-Identifier: Apache-2.0 */
/* bytes.h -- integers in byte arrays, and a reader and a writer that cannot run over.
 *
 * A reader or writer that would cross its end does nothing, sets `bad` for good and reads zeros; the caller checks `bad` once at the end.
 */
#ifndef COMMON_BYTES_H
#define COMMON_BYTES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

static inline uint16_t get_le16(const uint8_t *p)
{
    return (uint16_t)(p[0] | p[1] << 8);
}

static inline uint16_t get_be16(const uint8_t *p)
{
    return (uint16_t)(p[0] << 8 | p[1]);
}

static inline uint32_t get_le32(const uint8_t *p)
{
    return (uint32_t)p[0] | (uint32_t)p[1] << 8 | (uint32_t)p[2] << 16 | (uint32_t)p[3] << 24;
}

static inline uint32_t get_be32(const uint8_t *p)
{
    return (uint32_t)p[3] | (uint32_t)p[2] << 8 | (uint32_t)p[1] << 16 | (uint32_t)p[0] << 24;
}

static inline uint64_t get_le64(const uint8_t *p)
{
    return (uint64_t)get_le32(p) | (uint64_t)get_le32(p + 4) << 32;
}

static inline uint64_t get_be64(const uint8_t *p)
{
    return (uint64_t)get_be32(p) << 32 | (uint64_t)get_be32(p + 4);
}

static inline void put_le16(uint8_t *p, uint16_t v)
{
    p[0] = (uint8_t)v;
    p[1] = (uint8_t)(v >> 8);
}

static inline void put_be16(uint8_t *p, uint16_t v)
{
    p[0] = (uint8_t)(v >> 8);
    p[1] = (uint8_t)v;
}

static inline void put_le32(uint8_t *p, uint32_t v)
{
    put_le16(p, (uint16_t)v);
    put_le16(p + 2, (uint16_t)(v >> 16));
}

static inline void put_be32(uint8_t *p, uint32_t v)
{
    put_be16(p, (uint16_t)(v >> 16));
    put_be16(p + 2, (uint16_t)v);
}

static inline void put_le64(uint8_t *p, uint64_t v)
{
    put_le32(p, (uint32_t)v);
    put_le32(p + 4, (uint32_t)(v >> 32));
}

struct reader {
    const uint8_t *p;
    const uint8_t *end;
    bool bad;
};

static inline struct reader reader_of(const uint8_t *p, size_t n)
{
    return (struct reader) { .p = p, .end = p + n, .bad = false };
}

static inline size_t reader_left(const struct reader *r)
{
    return (size_t)(r->end - r->p);
}

/* n bytes in place, or NULL (and bad) when fewer are left. */
static inline const uint8_t *read_bytes(struct reader *r, size_t n)
{
    if (r->bad || reader_left(r) < n) {
        r->bad = true;
        return NULL;
    }
    const uint8_t *p = r->p;

    r->p += n;
    return p;
}

static inline uint8_t read_u8(struct reader *r)
{
    const uint8_t *p = read_bytes(r, 1);

    return p ? *p : 0;
}

static inline uint16_t read_le16(struct reader *r)
{
    const uint8_t *p = read_bytes(r, 2);

    return p ? get_le16(p) : 0;
}

static inline uint32_t read_le32(struct reader *r)
{
    const uint8_t *p = read_bytes(r, 4);

    return p ? get_le32(p) : 0;
}

static inline uint64_t read_le64(struct reader *r)
{
    const uint8_t *p = read_bytes(r, 8);

    return p ? get_le64(p) : 0;
}

/* LEB128, at most 10 bytes; longer or overflowing is bad. */
static inline uint64_t read_varint(struct reader *r)
{
    uint64_t v = 0;

    for (unsigned shift = 0; shift < 64; shift += 7) {
        uint8_t b = read_u8(r);

        if (shift == 63 && b > 1)
            break;
        v |= (uint64_t)(b & 0x7Fu) << shift;
        if (!(b & 0x80u))
            return r->bad ? 0 : v;
    }
    r->bad = true;
    return 0;
}

struct writer {
    uint8_t *start;
    uint8_t *p;
    uint8_t *end;
    bool bad;
};

static inline struct writer writer_of(uint8_t *p, size_t n)
{
    return (struct writer) { .start = p, .p = p, .end = p + n, .bad = false };
}

static inline size_t writer_used(const struct writer *w)
{
    return (size_t)(w->p - w->start);
}

/* Room for n bytes, or NULL (and bad) when fewer are left. */
static inline uint8_t *write_room(struct writer *w, size_t n)
{
    if (w->bad || (size_t)(w->end - w->p) < n) {
        w->bad = true;
        return NULL;
    }
    uint8_t *p = w->p;

    w->p += n;
    return p;
}

static inline void write_bytes(struct writer *w, const void *data, size_t n)
{
    uint8_t *p = write_room(w, n);

    if (p && n)
        memcpy(p, data, n);
}

static inline void write_u8(struct writer *w, uint8_t v)
{
    uint8_t *p = write_room(w, 1);

    if (p)
        *p = v;
}

static inline void write_le16(struct writer *w, uint16_t v)
{
    uint8_t *p = write_room(w, 2);

    if (p)
        put_le16(p, v);
}

static inline void write_le32(struct writer *w, uint32_t v)
{
    uint8_t *p = write_room(w, 4);

    if (p)
        put_le32(p, v);
}

static inline void write_le64(struct writer *w, uint64_t v)
{
    uint8_t *p = write_room(w, 8);

    if (p)
        put_le64(p, v);
}

static inline void write_varint(struct writer *w, uint64_t v)
{
    while (v >= 0x80u) {
        write_u8(w, (uint8_t)(v | 0x80u));
        v >>= 7;
    }
    write_u8(w, (uint8_t)v);
}

/* Small magnitudes become small numbers: 0, -1, 1, -2 -> 0, 1, 2, 3. */
static inline uint32_t zigzag32(int32_t v)
{
    return (uint32_t)v << 1 ^ (v < 0 ? UINT32_MAX : 0);
}

static inline int32_t unzigzag32(uint32_t v)
{
    return (int32_t)(v >> 1 ^ (~(v & 1u) + 1u));
}

#endif
