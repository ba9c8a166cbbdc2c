/* SPDX-License-Identifier: Apache-2.0 */
/* soh.h -- capacity of a cell against that of its profile, from windows: how far the SOC moved and how much charge went through meanwhile.
 *
 * Both are measured with errors, so least squares of one over the other would be biased: this is recursive total least squares with forgetting. It keeps three
 * sums of (charge, SOC) over all windows, scaled so that both errors count alike; the slope has a closed form and the curvature of the
 * cost gives the bound. (G. Plett, Recursive approximate weighted total least squares estimation of battery cell total capacity, J. Power Sources
 * 196, 2011: the proportional case.) Pure logic, single precision, 20 bytes.
 */
#ifndef FIRMWARE_ESTIMATION_SOH_H
#define FIRMWARE_ESTIMATION_SOH_H

#include <stdbool.h>

struct soh {
    float xx, xy, yy; /* SOC moved, charge moved (in capacities of the profile), weighted */
    float k2;         /* variance of x for one of y, mean over the windows */
    float windows;    /* remembered */
};

struct soh_window {
    float soc;         /* SOC moved: its amount, 0 to 1 */
    float sigma;       /* of it */
    float share;       /* charge moved, capacities of the profile */
    float count_sigma; /* of it: sensor gain and bias */
    float aged;        /* capacities that went through, both ways, since the window before: what was seen then counts less */
};

/* What is known before: `soh` (1 = as the profile) with `sigma`. */
void soh_init(struct soh *s, float soh, float sigma);

/* Returns whether the window was taken: at least SOH_LEAST of SOC, and of a plausible slope. */
#define SOH_LEAST 0.25f
bool soh_take(struct soh *s, const struct soh_window *w);

/* 0.3 to 1.2; and the bound: the true value is within in 95 % of cases. */
float soh_value(const struct soh *s);
float soh_sigma(const struct soh *s);
float soh_bound(const struct soh *s);

#endif
