/* SPDX-License-Identifier: Apache-2.0 */
#include "firmware/core/estimation/cell_delta.h"

#include <math.h>

#define START_SOC  0.05f   /* spread of a pack that nobody has balanced, 1 sigma */
#define START_OHM  0.06f   /* of its resistances */
#define SIZE_SHARE 0.02f   /* cells differ by so much in capacity: SOC error for one capacity moved */
#define OHM_WALK   0.0002f /* in a second */
#define WHITE_V    0.0015f /* of the difference of two readings, 1 sigma */
#define SHARE      0.02f   /* more of it: share of the polarisation, which is not the same in all cells */
#define ALIKE_s    30.0f   /* readings within this time err alike */
#define MOST       0.5f    /* a cell further away is none of this pack */
#define STRANGE_V  1.0f

void cell_delta_init(struct cell_delta *d)
{
    *d = (struct cell_delta) { .p_ss = START_SOC * START_SOC, .p_oo = START_OHM * START_OHM };
}

static float within(float x, float most)
{
    return fminf(fmaxf(x, -most), most);
}

void cell_delta_step(struct cell_delta *d, const struct cell_delta_in *in)
{
    float apart_V = in->voltage_V - in->mean_V;
    float drop_V = in->mean->drop_V;

    d->p_ss += SIZE_SHARE * SIZE_SHARE * in->moved;
    d->p_oo += OHM_WALK * OHM_WALK * in->dt_s;
    if (!(fabsf(apart_V) < STRANGE_V))
        return;
    float soc = fminf(fmaxf(in->mean_soc + d->soc, 0.0f), 1.0f);
    float step = soc > 0.5f ? -0.02f : 0.02f;
    float here_V = cell_model_ocv(in->p, in->temp_degC, soc);
    float slope_V = (cell_model_ocv(in->p, in->temp_degC, soc + step) - here_V) / step;
    float innovation = apart_V - (here_V - cell_model_ocv(in->p, in->temp_degC, in->mean_soc) - drop_V * d->ohm);
    float alike = in->dt_s > 0.0f ? fmaxf(ALIKE_s / in->dt_s, 1.0f) : 1.0f;
    float noise_V2 = (WHITE_V * WHITE_V + SHARE * SHARE * drop_V * drop_V) * alike;

    float ps = d->p_ss * slope_V - d->p_so * drop_V;
    float po = d->p_so * slope_V - d->p_oo * drop_V;
    float S = slope_V * ps - drop_V * po + noise_V2;

    d->soc = within(d->soc + ps / S * innovation, MOST);
    d->ohm = within(d->ohm + po / S * innovation, MOST);
    d->p_ss = fmaxf(d->p_ss - ps * ps / S, 1e-9f);
    d->p_so -= ps * po / S;
    d->p_oo = fmaxf(d->p_oo - po * po / S, 1e-9f);
}
