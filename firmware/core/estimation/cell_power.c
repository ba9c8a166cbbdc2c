/* SPDX-License-Identifier: Apache-2.0 */
#include "firmware/core/estimation/cell_power.h"

#include <math.h>

#define MOST_WARMER_K 15.0f /* more is not promised */

enum { HALVINGS = 11 }; /* 0.05 % of most_A */

static float voltage(const struct cell_power_in *in, const struct cell_view *v)
{
    return v->ocv_V - in->scale * v->drop_V - in->error_V;
}

static float warming(const struct cell_power_in *in, float current_A, float drop_V)
{
    float heat_J_per_K = in->model->p->heat_J_per_K;
    float heat_J = fabsf(current_A * in->scale * drop_V) * in->seconds;

    return heat_J_per_K > 0.0f ? fminf(heat_J / heat_J_per_K, MOST_WARMER_K) : 0.0f;
}

float cell_power_V(const struct cell_power_in *in, float current_A)
{
    float moved = current_A * in->seconds / (3600.0f * in->capacity_Ah);
    struct cell_view begin = cell_model_view(in->model, current_A, in->temp_degC, in->soc);
    struct cell_view end = begin;

    for (int k = 0; k < 2; k++) {
        float warmer_K = warming(in, current_A, 0.3f * begin.drop_V + 0.7f * end.drop_V);
        struct cell_model later = *in->model;

        cell_model_step(&later, in->seconds, current_A, in->temp_degC + 0.5f * warmer_K, in->soc - 0.5f * moved);
        end = cell_model_view(&later, current_A, in->temp_degC + warmer_K, in->soc - moved);
    }
    float begin_V = voltage(in, &begin);
    float end_V = voltage(in, &end);

    return in->charge ? fmaxf(begin_V, end_V) : fminf(begin_V, end_V);
}

static bool is_inside(const struct cell_power_in *in, float amount_A)
{
    float current_A = in->charge ? -amount_A : amount_A;
    float volts = cell_power_V(in, current_A);

    return in->charge ? volts <= in->limit_V : volts >= in->limit_V;
}

float cell_power_A(const struct cell_power_in *in)
{
    float room = fmaxf(in->charge ? 1.0f - in->soc : in->soc, 0.0f);
    float high_A = fminf(in->most_A, room * in->capacity_Ah * 3600.0f / in->seconds);
    float low_A = 0.0f;

    if (is_inside(in, high_A))
        return high_A;
    for (int k = 0; k < HALVINGS; k++) {
        float mid_A = 0.5f * (low_A + high_A);

        if (is_inside(in, mid_A))
            low_A = mid_A;
        else
            high_A = mid_A;
    }
    return low_A;
}
