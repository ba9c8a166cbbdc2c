/* SPDX-License-Identifier: Apache-2.0 */
#include "firmware/core/estimation/soh.h"

#include <math.h>

#define AGED      12.0f /* after so many capacities a window counts 1 / e: a cell that fades is followed */
#define NORMAL_95 1.96f
#define MODEL     0.010f /* what no window can tell: the profile's own capacity, temperature, 1 sigma */
#define LOWEST    0.3f
#define HIGHEST   1.2f

static void add(struct soh *s, const struct soh_window *w)
{
    float weight = 1.0f / (w->sigma * w->sigma + w->count_sigma * w->count_sigma);

    s->xx += weight * w->soc * w->soc;
    s->xy += weight * w->soc * w->share;
    s->yy += weight * w->share * w->share;
}

void soh_init(struct soh *s, float soh, float sigma)
{
    struct soh_window before = { .soc = 1.0f, .sigma = 0.7f * sigma, .share = soh, .count_sigma = 0.7f * sigma };

    *s = (struct soh) { .k2 = 1.0f };
    add(s, &before);
}

bool soh_take(struct soh *s, const struct soh_window *w)
{
    bool sane = w->soc >= SOH_LEAST && w->soc <= 1.1f && w->sigma > 0.0f && w->count_sigma > 0.0f;

    if (!sane || !(w->share >= LOWEST * w->soc && w->share <= HIGHEST * w->soc)) /* false for NaN */
        return false;
    float ratio = w->sigma * w->sigma / (w->count_sigma * w->count_sigma);

    float keep = expf(-fmaxf(w->aged, 0.0f) / AGED);

    s->xx *= keep;
    s->xy *= keep;
    s->yy *= keep;
    s->windows = s->windows * keep + 1.0f;
    s->k2 += (fminf(fmaxf(ratio, 0.01f), 100.0f) - s->k2) / (s->windows + 1.0f);
    add(s, w);
    return true;
}

/* The slope q that minimises sum w (y - q x)^2 / (1 + k2 q^2): k2 xy q^2 + (xx - k2 yy) q - xy = 0. */
float soh_value(const struct soh *s)
{
    float half = 0.5f * (s->xx - s->k2 * s->yy);
    float slope = 2.0f * half;
    float root = sqrtf(half * half + s->k2 * s->xy * s->xy);
    float q = slope > 0.0f ? s->xy / (half + root) : (root - half) / (s->k2 * s->xy); /* without cancellation */

    return fminf(fmaxf(q, LOWEST), HIGHEST);
}

/* The weights hold both errors at a slope of 1, which is near enough; what the windows disagree by widens it. */
float soh_sigma(const struct soh *s)
{
    float q = soh_value(s);
    float left = fmaxf(s->yy - 2.0f * q * s->xy + q * q * s->xx, 0.0f);

    return sqrtf(fmaxf(1.0f, left / fmaxf(s->windows, 1.0f)) / s->xx + MODEL * MODEL);
}

float soh_bound(const struct soh *s)
{
    return NORMAL_95 * soh_sigma(s);
}
