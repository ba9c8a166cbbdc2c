/* SPDX-License-Identifier: Apache-2.0 */
#include "firmware/core/estimation/cell_power.h"

#include <math.h>

#define MOST_WARMER_K 15.0f /* more is not promised */

#define LATE_s        1.0f   /* and not earlier: nobody sees the first heat */
#define NEAR          0.001f /* near enough, share of the answer */

enum { TRIES = 8, LOOKS = 4 };

static const float looks[LOOKS] = { 0.07f, 0.25f, 0.55f,
                                    1.0f }; /* warming and polarisation go against each other: the worst may be in the middle */

static float voltage(const struct cell_power_in *in, const struct cell_view *v)
{
    return v->ocv_V - in->scale * v->drop_V - in->error_V;
}

/* Kelvin a second. */
static float warming(const struct cell_power_in *in, float current_A, float drop_V)
{
    float heat_J_per_K = in->model->p->heat_J_per_K;

    return heat_J_per_K > 0.0f ? fabsf(current_A * in->scale * drop_V) / heat_J_per_K : 0.0f;
}

/* What the current leaves above the lowest voltage, or below the highest, where it comes nearest to it; negative: it passes it. */
static float room_V(const struct cell_power_in *in, const struct cell_view *v)
{
    float above_V = voltage(in, v) - in->limit_V;

    return in->charge ? -above_V : above_V;
}

float cell_power_room_V(const struct cell_power_in *in, float amount_A)
{
    float current_A = in->charge ? -amount_A : amount_A;
    float soc = in->soc, temp_degC = in->temp_degC, last_s = 0.0f;
    struct cell_model m = *in->model;
    struct cell_view v = cell_model_view(&m, current_A, temp_degC, soc);
    float least_V = room_V(in, &v);

    for (int k = 0; k < LOOKS; k++) {
        float dt_s = looks[k] * in->seconds - last_s;
        float warms_s = fmaxf(fminf(dt_s, last_s + dt_s - LATE_s), 0.0f);
        float warmer_K = fminf(warming(in, current_A, v.drop_V) * warms_s, in->temp_degC + MOST_WARMER_K - temp_degC);
        float moved = current_A * dt_s / (3600.0f * in->capacity_Ah);

        cell_model_step(&m, dt_s, current_A, temp_degC + 0.5f * warmer_K, soc - 0.5f * moved);
        soc -= moved;
        temp_degC += warmer_K;
        v = cell_model_view(&m, current_A, temp_degC, soc);
        least_V = fminf(least_V, room_V(in, &v));
        last_s += dt_s;
    }
    return least_V;
}

/* False position, by which a bound that stays counts for half as much each time (Illinois). What is given is on the safe side of the limit. */
float cell_power_A(const struct cell_power_in *in)
{
    float room = fmaxf(in->charge ? 1.0f - in->soc : in->soc, 0.0f);
    float high_A = in->past_soc ? in->most_A : fminf(in->most_A, room * in->capacity_Ah * 3600.0f / in->seconds), low_A = 0.0f;
    float high_V = cell_power_room_V(in, high_A), low_V;

    if (high_V >= 0.0f)
        return high_A;
    low_V = cell_power_room_V(in, 0.0f);
    if (!(low_V > 0.0f))
        return 0.0f;
    for (int k = 0, side = 0; k < TRIES && high_A - low_A > NEAR * high_A; k++) {
        float mid_A = low_A + (high_A - low_A) * low_V / (low_V - high_V);
        float mid_V = cell_power_room_V(in, mid_A);

        if (mid_V >= 0.0f) {
            low_A = mid_A;
            low_V = mid_V;
            high_V *= side > 0 ? 0.5f : 1.0f;
            side = 1;
        } else {
            high_A = mid_A;
            high_V = mid_V;
            low_V *= side < 0 ? 0.5f : 1.0f;
            side = -1;
        }
    }
    return low_A;
}
