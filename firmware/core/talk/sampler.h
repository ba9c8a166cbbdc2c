/* SPDX-License-Identifier: Apache-2.0 */
/* sampler.h -- when a sample is due, and the ring that keeps the latest for a resend. It does not fill them. */
#ifndef FIRMWARE_SAMPLER_H
#define FIRMWARE_SAMPLER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "proto/sample.h"

struct sampler {
    struct sample *ring;
    size_t size;
    uint32_t last_no;    /* number of the newest sample, 0 = none yet */
    uint32_t elapsed_ms; /* since the schedule's last tick */
};

/* ring[size] is borrowed. */
void sampler_init(struct sampler *s, struct sample *ring, size_t size);

/* Let time pass; true when the schedule wants a sample. Ticks keep their distance; missed ones are not made up. period_ms 0: never. */
bool sampler_due(struct sampler *s, uint32_t dt_ms, int32_t period_ms);

/* A fresh sample, number and nothing else set, in the place of the oldest. */
struct sample *sampler_add(struct sampler *s);

/* The oldest number still held; last_no + 1 when none. */
uint32_t sampler_oldest(const struct sampler *s);

/* The sample with this number, or NULL when it is not held. */
const struct sample *sampler_get(const struct sampler *s, uint32_t no);

#endif
