/* SPDX-License-Identifier: Apache-2.0 */
/* bits.h -- unsigned integers of 0 to 32 bits, packed least significant bit first.
 *
 * Writer: put_bits(), then bits_flush() once. Reader: get_bits(); past the end it gives 0 and sets `bad`. Both keep up to 39 bits in a
 * 64-bit register and touch memory by whole bytes.
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
    struct reader *in;
    uint64_t hold;
    unsigned held;
};

static inline uint32_t get_bits(struct bit_reader *b, unsigned width)
{
    while (b->held < width) {
        b->hold |= (uint64_t)read_u8(b->in) << b->held;
        b->held += 8;
    }
    uint32_t v = (uint32_t)(b->hold & (((uint64_t)1 << width) - 1));

    b->hold >>= width;
    b->held -= width;
    return v;
}

/* How many ones stand before the next zero, which is taken too; at most `most`, then no zero is taken. */
static inline unsigned get_ones(struct bit_reader *b, unsigned most)
{
    unsigned n = 0;

    while (n < most && get_bits(b, 1))
        n++;
    return n;
}

/* Bits needed for v: 0 for 0, 32 for UINT32_MAX. */
static inline unsigned bit_width(uint32_t v)
{
    unsigned n = 0;

    while (v) {
        n++;
        v >>= 1;
    }
    return n;
}

#endif
