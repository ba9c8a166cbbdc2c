/* SPDX-License-Identifier: Apache-2.0 */
#include "firmware/core/talk/sampler.h"

void sampler_init(struct sampler *s, struct sample *ring, size_t size)
{
    *s = (struct sampler) { .ring = ring, .size = size };
}

bool sampler_due(struct sampler *s, uint32_t dt_ms, int32_t period_ms)
{
    if (period_ms <= 0) {
        s->elapsed_ms = 0;
        return false;
    }
    uint32_t period = (uint32_t)period_ms;

    s->elapsed_ms += dt_ms;
    if (s->elapsed_ms < period)
        return false;
    s->elapsed_ms %= period;
    return true;
}

struct sample *sampler_add(struct sampler *s)
{
    s->last_no++;
    struct sample *sample = &s->ring[s->last_no % s->size];

    *sample = (struct sample) { .no = s->last_no };
    return sample;
}

uint32_t sampler_oldest(const struct sampler *s)
{
    return s->last_no > s->size ? s->last_no - (uint32_t)s->size + 1 : 1;
}

const struct sample *sampler_get(const struct sampler *s, uint32_t no)
{
    return no >= sampler_oldest(s) && no <= s->last_no ? &s->ring[no % s->size] : NULL;
}
