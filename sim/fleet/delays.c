/* SPDX-License-Identifier: Apache-2.0 */
#include "sim/fleet/delays.h"

#include "common/bits.h"

/* 0 to 15 as they are, then sixteen steps for each power of two. */
static unsigned step_of(uint64_t us)
{
    uint32_t v = us > UINT32_MAX ? UINT32_MAX : (uint32_t)us;
    unsigned width = bit_width(v);

    return width <= 4 ? v : (width - 4) * 16 + (v >> (width - 5) & 15);
}

static double upper_us(unsigned step)
{
    if (step < 16)
        return step;
    return (double)((uint64_t)(16 + step % 16 + 1) << (step / 16 - 1)) - 1;
}

void delays_add(struct delays *d, uint64_t us)
{
    d->count[step_of(us)]++;
    d->all++;
}

double delays_ms(const struct delays *d, unsigned permille)
{
    uint64_t wanted = (d->all * permille + 999) / 1000, seen = 0;

    for (unsigned i = 0; i < DELAY_STEPS && d->all; i++) {
        seen += d->count[i];
        if (seen >= wanted)
            return upper_us(i) / 1000;
    }
    return 0;
}
