/* SPDX-License-Identifier: Apache-2.0 */
#include "firmware/core/estimation/charge_time.h"

#include <math.h>
#include <stdbool.h>

#include "firmware/core/estimation/cell_model.h"

void charge_time_init(struct charge_time *t)
{
    *t = (struct charge_time) { 0 };
}

/* What the end voltage lets through at this SOC. */
static float possible_A(const struct charge_time *t, const struct charge_time_in *in, float soc)
{
    struct cell_model m;

    cell_model_init(&m, in->p);
    m.h = -1.0f; /* the branch of charging */
    struct cell_view v = cell_model_view(&m, -fminf(t->possible_A, in->current_A), in->temp_degC, soc);

    return (in->end_V - v.ocv_V) / (v.per_A_V * in->scale);
}

/* Hours for a slice over which the possible current falls in a straight line: first at the current of now, then at what is possible, until end_A. */
static float slice_hours(float charge_Ah, float from_A, float to_A, float now_A, float end_A)
{
    float fall_A = fmaxf(from_A - to_A, 1e-6f);

    if (to_A >= now_A)
        return charge_Ah / now_A;
    float full_A = fminf(from_A, now_A);

    return charge_Ah * (from_A - full_A) / (fall_A * now_A) + charge_Ah / fall_A * logf(full_A / fmaxf(to_A, end_A));
}

void charge_time_step(struct charge_time *t, const struct charge_time_in *in)
{
    float now_A = fmaxf(in->current_A, 1.01f * in->end_A);

    if (t->slices == 0) {
        *t = (struct charge_time) { .hours = t->hours, .soc = in->soc, .possible_A = now_A, .slices = CHARGE_TIME_SLICES };
        t->possible_A = possible_A(t, in, in->soc);
    }
    float width = fminf(1.0f / CHARGE_TIME_SLICES, 1.0f - t->soc);
    float to_A = possible_A(t, in, t->soc + width);
    bool goes_on = width > 0.0f && t->possible_A > in->end_A;

    if (goes_on)
        t->run_hours += slice_hours(width * in->capacity_Ah, t->possible_A, to_A, now_A, in->end_A);
    t->soc += width;
    t->possible_A = to_A;
    t->slices = goes_on && to_A > in->end_A ? t->slices - 1 : 0;
    if (t->slices == 0)
        t->hours = t->run_hours;
}
