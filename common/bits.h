/* SPDX-License-Identifier: Apache-2.0 */
/* bits.h -- unsigned integers of 0 to 32 bits, packed least significant bit first.
 *
 * Writer: put_bits(), then bits_flush() once; memory is touched by whole bytes. Reader: bits_of(), then get_bits() and get_ones(); past the
 * end both give 0 and set `bad`, for good.
 */
#ifndef COMMON_BITS_H
#define COMMON_BITS_H

#include "common/bytes.h"

struct bit_writer {
    struct writer *out;
    uint64_t hold;
    unsigned held;
};

static inline void put_bits(struct bit_writer *b, uint32_t v, unsigned width)
{
    b->hold |= (uint64_t)v << b->held;
    b->held += width;
    while (b->held >= 8) {
        write_u8(b->out, (uint8_t)b->hold);
        b->hold >>= 8;
        b->held -= 8;
    }
}

static inline void bits_flush(struct bit_writer *b)
{
    if (b->held)
        write_u8(b->out, (uint8_t)b->hold);
    b->hold = 0;
    b->held = 0;
}

struct bit_reader {
    const uint8_t *p, *end;
    uint64_t hold; /* the next bits, lowest first; those above `held` are zero or what *p holds */
    unsigned held;
    bool bad;
};

static inline struct bit_reader bits_of(const uint8_t *p, size_t n)
{
    return (struct bit_reader) { .p = p, .end = p + n };
}

/* Where eight bytes are left: at least 56 bits are held afterwards. Without a branch. */
static inline void bits_fill_far(struct bit_reader *b)
{
    b->hold |= get_le64(b->p) << b->held;
    b->p += (63 - b->held) >> 3;
    b->held |= 56; /* held + 8 * ((63 - held) / 8) */
}

/* Eight bytes at once while there are eight; at the end byte by byte. */
static inline void bits_fill(struct bit_reader *b)
{
    if (b->end - b->p >= 8) {
        bits_fill_far(b);
        return;
    }
    for (; b->held <= 56 && b->p < b->end; b->held += 8)
        b->hold |= (uint64_t)*b->p++ << b->held;
}

static inline uint32_t bits_end(struct bit_reader *b)
{
    b->bad = true;
    b->hold = 0;
    b->held = 0;
    b->p = b->end;
    return 0;
}

static inline uint32_t get_bits(struct bit_reader *b, unsigned width)
{
    if (b->held < width) {
        bits_fill(b);
        if (b->held < width)
            return bits_end(b);
    }
    uint32_t v = (uint32_t)(b->hold & (((uint64_t)1 << width) - 1));

    b->hold >>= width;
    b->held -= width;
    return v;
}

/* How many ones stand below the lowest zero of v, which is not all ones. */
static inline unsigned trailing_ones(uint32_t v)
{
    return (unsigned)__builtin_ctz(~v); /* gcc and clang; C23 calls it stdc_trailing_ones */
}

/* How many ones stand before the next zero, which is taken too; at most `most` (up to 31), then no zero is taken. */
static inline unsigned get_ones(struct bit_reader *b, unsigned most)
{
    if (b->held <= most)
        bits_fill(b);
    unsigned ones = trailing_ones((uint32_t)b->hold & 0x7FFFFFFFu);
    unsigned take = ones < most ? ones + 1 : most;

    if (take > b->held)
        return bits_end(b);
    b->hold >>= take;
    b->held -= take;
    return ones < most ? ones : most;
}

/* True when nothing is left but the zeros that fill the last byte. */
static inline bool bits_at_end(const struct bit_reader *b)
{
    return !b->bad && b->p == b->end && b->held < 8 && b->hold == 0;
}

/* Bits needed for v: 0 for 0, 32 for UINT32_MAX. */
static inline unsigned bit_width(uint32_t v)
{
    return v ? 32u - (unsigned)__builtin_clz(v) : 0;
}

#endif
