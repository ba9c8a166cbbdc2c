/* SPDX-License-Identifier: Apache-2.0 */
#include "firmware/core/estimation/unseen_flow.h"

#include <math.h>

#define LOAD_C     0.05f  /* capacities an hour: less is no drive and no charge */
#define NOW_SHARE  0.7f   /* of the current of now, for each C that a drive takes on average */
#define NOW_MOST_C 2.0f   /* more is a peak and says nothing of before */
#define UNSURE     0.6f   /* share of what a drive takes, 1 sigma */
#define HEAD_SHARE 0.5f   /* of the way up to the full cell: as likely below as above */
#define LEAST_V    0.015f /* 1 sigma when nothing can have flowed */
#define HALVINGS   12     /* of the SOC that is looked for: 0.02 points are left */

static float before_C(float now_C, float drive_C)
{
    if (now_C > LOAD_C)
        return drive_C * (1.0f + NOW_SHARE * fminf(now_C, NOW_MOST_C));
    return now_C < -LOAD_C ? now_C : 0.0f;
}

float unseen_flow(struct cell_model *m, const struct first_sample *in, float soc)
{
    const struct est_profile *p = m->p;
    float now_C = in->current_A / p->capacity_Ah;
    float flowed_C = before_C(now_C, p->drive_C), unsure_C = fmaxf(UNSURE * p->drive_C, -0.5f * now_C);
    float per_C_V = p->capacity_Ah * cell_model_settle(m, 0.0f, in->temp_degC, soc);
    struct cell_view v = cell_model_view(m, in->current_A, in->temp_degC, soc);
    float head_V = fmaxf(cell_model_ocv(p, in->temp_degC, 1.0f) - in->voltage_V - v.drop_V, 0.0f);
    float flowed_V = flowed_C * per_C_V, unsure_V = unsure_C * per_C_V;

    if (now_C >= -LOAD_C)
        unsure_V = fminf(unsure_V, head_V);
    if (flowed_V > HEAD_SHARE * head_V) {
        flowed_C *= HEAD_SHARE * head_V / flowed_V;
        unsure_V = fminf(unsure_V, HEAD_SHARE * head_V);
    }
    cell_model_settle(m, flowed_C * p->capacity_Ah, in->temp_degC, soc);
    return LEAST_V + unsure_V;
}

static float square(float x)
{
    return x * x;
}

/* What the model says of this sample at a SOC, with what is likely to have flowed. It never falls with the SOC: the OCV rises, the resistances fall. */
static float expected_V(struct cell_model *m, const struct first_sample *in, float soc)
{
    unseen_flow(m, in, soc);
    struct cell_view v = cell_model_view(m, in->current_A, in->temp_degC, soc);

    return v.ocv_V - v.drop_V;
}

static float soc_of(struct cell_model *m, const struct first_sample *in, float voltage_V)
{
    float low = 0.0f, high = 1.0f;

    for (int k = 0; k < HALVINGS; k++) {
        float mid = 0.5f * (low + high);

        if (expected_V(m, in, mid) < voltage_V)
            low = mid;
        else
            high = mid;
    }
    return 0.5f * (low + high);
}

struct first_soc unseen_flow_soc(struct cell_model *m, const struct first_sample *in, float told, float told_sigma)
{
    float soc = soc_of(m, in, in->voltage_V);
    float flow_V = unseen_flow(m, in, soc);
    struct cell_view v = cell_model_view(m, in->current_A, in->temp_degC, soc);
    float error_V = sqrtf(square(flow_V) + square(v.m_V * m->h_unsure) + square(m->p->noise.slow_V));
    float half = 0.5f * (soc_of(m, in, in->voltage_V + error_V) - soc_of(m, in, in->voltage_V - error_V));
    float trust = 1.0f / (1.0f + square(square(half / told_sigma)));
    struct first_soc out = { told + trust * (soc - told), error_V, trust };

    unseen_flow(m, in, out.soc);
    return out;
}
