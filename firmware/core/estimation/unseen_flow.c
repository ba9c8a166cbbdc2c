/* SPDX-License-Identifier: Apache-2.0 */
#include "firmware/core/estimation/unseen_flow.h"

#include <math.h>

#define LOAD_C     0.05f /* capacities an hour: less is no drive and no charge */
#define NOW_SHARE  0.7f /* of the current of now, for each C that a drive takes on average */
#define NOW_MOST_C 2.0f /* more is a peak and says nothing of before */
#define UNSURE     0.6f   /* share of what a drive takes, 1 sigma */
#define HEAD_SHARE 0.5f   /* of the way up to the full cell: as likely below as above */
#define LEAST_V    0.015f /* 1 sigma when nothing can have flowed */
#define TRIES      4      /* the resistance depends on the SOC that is looked for */

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

struct first_soc unseen_flow_soc(struct cell_model *m, const struct first_sample *in, float told, float told_sigma)
{
    const struct est_profile *p = m->p;
    struct first_soc out = { .soc = told };

    for (int k = 0; k < TRIES; k++) {
        float flow_V = unseen_flow(m, in, out.soc);
        struct cell_view v = cell_model_view(m, in->current_A, in->temp_degC, out.soc);
        float ocv_V = in->voltage_V + v.drop_V;

        out.error_V = sqrtf(square(flow_V) + square(v.m_V * m->h_unsure) + square(p->noise.slow_V));
        float low = cell_model_soc(p, in->temp_degC, ocv_V - out.error_V);
        float high = cell_model_soc(p, in->temp_degC, ocv_V + out.error_V);
        float ratio = square(0.5f * (high - low) / told_sigma);

        out.trust = 1.0f / (1.0f + square(ratio));
        out.soc = told + out.trust * (cell_model_soc(p, in->temp_degC, ocv_V) - told);
    }
    return out;
}
