/* SPDX-License-Identifier: Apache-2.0 */
/* noise.h -- repeatable random numbers for the simulated world: the same seed gives the same world. Not for keys. */
#ifndef SIM_NOISE_H
#define SIM_NOISE_H

#include <stdint.h>

struct noise {
    uint64_t state;
};

static inline uint64_t noise_u64(struct noise *n) /* splitmix64 */
{
    uint64_t z = (n->state += 0x9E3779B97F4A7C15u);

    z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9u;
    z = (z ^ (z >> 27)) * 0x94D049BB133111EBu;
    return z ^ (z >> 31);
}

/* Even in [low, high). */
static inline double noise_even(struct noise *n, double low, double high)
{
    return low + (high - low) * (double)(noise_u64(n) >> 11) * 0x1p-53;
}

/* Nearly normal, mean 0, deviation 1, never beyond 3.5: twelve 16-bit parts would be exact, four are enough here. */
static inline double noise_normal(struct noise *n)
{
    uint64_t u = noise_u64(n);
    double sum = (double)(u & 0xFFFFu) + (double)(u >> 16 & 0xFFFFu) + (double)(u >> 32 & 0xFFFFu) + (double)(u >> 48);

    return (sum / 65536.0 - 2.0) * 1.7320508;
}

#endif
