/* SPDX-License-Identifier: Apache-2.0 */
#include "sim/load.h"

#include <math.h>

static const double step_s = 0.01;

enum { STOP, ACCELERATE, CRUISE, BRAKE, SEGMENTS };

/* clang-format off */
static const struct segment {
    double min_s, max_s;       /* how long */
    double min_C, max_C;       /* times the rated current */
    double slew_C_per_s;
    int next[2];               /* one of the two follows */
} segments[SEGMENTS] = {
    [STOP]       = { 5, 30, 0.01, 0.03, 0.5, { ACCELERATE, ACCELERATE } },
    [ACCELERATE] = { 3, 12, 0.60, 1.60, 0.8, { CRUISE, BRAKE } },
    [CRUISE]     = { 8, 60, 0.15, 0.45, 0.4, { BRAKE, ACCELERATE } },
    [BRAKE]      = { 2,  8, -0.60, -0.15, 0.6, { STOP, CRUISE } },
};
/* clang-format on */

static void begin_segment(struct drive *d, struct noise *noise)
{
    d->segment = segments[d->segment].next[noise_u64(noise) & 1];
    const struct segment *s = &segments[d->segment];

    d->left_s = noise_even(noise, s->min_s, s->max_s);
    d->target_A = d->rated_A * noise_even(noise, s->min_C, s->max_C);
    d->slew_A_per_s = d->rated_A * s->slew_C_per_s;
}

double drive_step(struct drive *d, struct noise *noise, double most_A, double least_A)
{
    if (d->left_s <= 0)
        begin_segment(d, noise);
    d->left_s -= step_s;
    double most = d->slew_A_per_s * step_s;

    d->current_A += fmin(fmax(d->target_A - d->current_A, -most), most);
    d->current_A = fmin(fmax(d->current_A, least_A), most_A);
    return d->current_A;
}

/* Ramps up in about 10 s; backs off while the highest cell is above the limit, so the current tapers. */
double charger_step(struct charger *c, double highest_V, double most_A)
{
    double most = c->constant_A * 0.1 * step_s;
    double error = c->constant_V - highest_V;
    double change = fmin(fmax(error * 20, -1), 1) * most;

    c->current_A = fmin(fmax(c->current_A + change, 0), fmin(c->constant_A, most_A));
    if (error <= 0.002 && c->current_A < fmin(c->end_A, most_A))
        c->full = true;
    return c->full ? 0 : -c->current_A;
}
