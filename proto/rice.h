/* SPDX-License-Identifier: Apache-2.0 */
/* rice.h -- Rice codes: of z the quotient z >> k in ones, a zero, then the k low bits. Twenty ones stand for a quotient too large for that:
 * no zero follows, but z itself in 20 bits. Only for z < RICE_END.
 */
#ifndef PROTO_RICE_H
#define PROTO_RICE_H

#include "common/bits.h"

enum {
    RICE_K_BITS = 4,
    RICE_K_MAX = 15,
    RICE_LONG = 20,
    RICE_LONG_BITS = 20,
    RICE_END = 1 << RICE_LONG_BITS,
    RICE_SHORT_MAX = RICE_LONG + RICE_K_MAX
};

static inline unsigned rice_cost(uint32_t z, unsigned k)
{
    uint32_t q = z >> k;

    return q < RICE_LONG ? q + 1 + k : RICE_LONG + RICE_LONG_BITS;
}

static inline void put_rice(struct bit_writer *b, uint32_t z, unsigned k)
{
    uint32_t q = z >> k;

    if (q < RICE_LONG) {
        put_bits(b, ((uint32_t)1 << q) - 1, q + 1);
        put_bits(b, z & (((uint32_t)1 << k) - 1), k);
    } else {
        put_bits(b, ((uint32_t)1 << RICE_LONG) - 1, RICE_LONG);
        put_bits(b, z, RICE_LONG_BITS);
    }
}

/* Near the end of the bits, and for long codes: step by step. */
static inline uint32_t get_rice_slowly(struct bit_reader *b, unsigned k)
{
    unsigned q = get_ones(b, RICE_LONG);

    return q < RICE_LONG ? (uint32_t)q << k | get_bits(b, k) : get_bits(b, RICE_LONG_BITS);
}

/* Far from the end a short code is taken in one go: quotient, zero and low bits are all held. */
static inline uint32_t get_rice(struct bit_reader *b, unsigned k)
{
    if (b->held < RICE_SHORT_MAX)
        bits_fill(b);
    unsigned q = trailing_ones((uint32_t)b->hold & 0x7FFFFFFFu), take = q + 1 + k;

    if (q >= RICE_LONG || take > b->held)
        return get_rice_slowly(b, k);
    uint32_t low = (uint32_t)(b->hold >> (q + 1)) & (((uint32_t)1 << k) - 1);

    b->hold >>= take;
    b->held -= take;
    return (uint32_t)q << k | low;
}

/* Differences wrap in 32 bits, so any two int32 values have one and both sides undo it alike. */
static inline int32_t wrap_minus(int32_t a, int32_t b)
{
    return (int32_t)((uint32_t)a - (uint32_t)b);
}

static inline int32_t wrap_plus(int32_t a, int32_t b)
{
    return (int32_t)((uint32_t)a + (uint32_t)b);
}

/* v / 2^n, rounded down. C leaves >> of negative values to the compiler; ours extend the sign. */
static inline int32_t floor_shift(int32_t v, unsigned n)
{
    /* cppcheck-suppress shiftNegativeLHS ; that the compiler defines it is what is asserted */
    _Static_assert((-3 >> 1) == -2, "the compiler extends the sign");
    return v >> n;
}

#endif
