/* SPDX-License-Identifier: Apache-2.0 */
/* samples.h -- made-up samples for the tests of the contracts: a plausible pack, and any values at all. Repeatable by seed. */
#ifndef TESTS_SAMPLES_H
#define TESTS_SAMPLES_H

#include <stddef.h>

#include "proto/record.h"
#include "proto/sample.h"

/* xorshift32; *state must not be 0. */
uint32_t any_u32(uint32_t *state);

/* s[n]: a quiet pack, one sample a second, a few millivolts of noise, current swinging. */
void plausible_samples(struct sample *s, size_t n, uint8_t cells, uint8_t temps, uint32_t seed);

/* s[n]: every field that a body carries is drawn from its whole type. */
void any_samples(struct sample *s, size_t n, uint8_t cells, uint8_t temps, uint32_t seed);

/* The envelope that fits s[n] and the body. */
struct record envelope_of(const struct sample *s, size_t n, const uint8_t *body, size_t body_len);

#endif
