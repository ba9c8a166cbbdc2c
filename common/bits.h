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

/* How many ones stand below the lowest zero of v, which is not all ones: the lowest bit that is set in ~v, found by a de Bruijn sequence. */
static inline unsigned trailing_ones(uint32_t v)
{
    static const uint8_t place[32] = { 0,  1,  28, 2,  29, 14, 24, 3, 30, 22, 20, 15, 25, 17, 4,  8,
                                       31, 27, 13, 23, 21, 19, 16, 7, 26, 12, 18, 6,  11, 5,  10, 9 };
    uint32_t zeros = ~v;

    return place[(uint32_t)((zeros & (0u - zeros)) * 0x077CB531u) >> 27];
}

/* How many ones stand before the next zero, which is taken too; at most `most` (up to 31), then no zero is taken. Takes a byte's ones at
 * once, and no byte before it is needed: a reader that ends with the last bit knows that nothing follows. */
static inline unsigned get_ones(struct bit_reader *b, unsigned most)
{
    unsigned n = 0;

    while (n < most) {
        if (b->held == 0) {
            b->hold = read_u8(b->in);
            b->held = 8;
        }
        unsigned ones = trailing_ones((uint32_t)b->hold & 0x7FFFFFFFu);
        bool ends = ones < b->held && ones < most - n;

        ones = ones < most - n ? ones : most - n;
        b->hold >>= ones + ends;
        b->held -= ones + ends;
        n += ones;
        if (ends)
            break;
    }
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
