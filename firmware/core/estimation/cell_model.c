/* SPDX-License-Identifier: Apache-2.0 */
#include "firmware/core/estimation/cell_model.h"

#include <math.h>

#define KELVIN 273.15f
#define ROOM_K 298.15f

struct spot { /* where a value lies between two points of an axis */
    int at;
    float share; /* 0 to 1 towards the next point */
};

static struct spot spot_on_soc(float soc, int points)
{
    float x = soc * (float)(points - 1);

    if (!(x > 0.0f))
        return (struct spot) { 0, 0.0f };
    if (x >= (float)(points - 1))
        return (struct spot) { points - 2, 1.0f };
    return (struct spot) { (int)x, x - (float)(int)x };
}

static struct spot spot_on_temp(const struct est_profile *p, float temp_degC)
{
    int at = 0;

    while (at < p->temps - 2 && temp_degC >= p->temp_degC[at + 1])
        at++;
    float share = (temp_degC - p->temp_degC[at]) / (p->temp_degC[at + 1] - p->temp_degC[at]);

    return (struct spot) { at, share > 0.0f ? fminf(share, 1.0f) : 0.0f };
}

/* The same for the resistances. Over ten or fifteen kelvin their curve is far enough from a straight line: 2 % in the middle. */
static struct spot bent(const struct est_profile *p, struct spot t)
{
    float low_K = p->temp_degC[t.at] + KELVIN, high_K = p->temp_degC[t.at + 1] + KELVIN;
    float inverse = t.share * high_K / (low_K + t.share * (high_K - low_K)); /* the share on the axis of 1 / T */
    float fall = p->r_K * (high_K - low_K) / (low_K * high_K);               /* e-folds between the two rows */

    return (struct spot) { t.at, p->r_K > 0.0f ? inverse * (1.0f + 0.5f * fall * (1.0f - inverse)) : t.share };
}

static float along(const float *row, struct spot s)
{
    return row[s.at] + (row[s.at + 1] - row[s.at]) * s.share;
}

static float look_up(const float *table, int width, struct spot t, struct spot s)
{
    float low = along(table + t.at * width, s);
    float high = along(table + (t.at + 1) * width, s);

    return low + (high - low) * t.share;
}

void cell_model_init(struct cell_model *m, const struct est_profile *p)
{
    *m = (struct cell_model) { .p = p };
}

void cell_model_step(struct cell_model *m, float dt_s, float current_A, float temp_degC, float soc)
{
    const struct est_profile *p = m->p;
    struct spot t = bent(p, spot_on_temp(p, temp_degC));
    struct spot s = spot_on_soc(soc, EST_SOC_R);

    for (int k = 0; k < EST_BRANCHES; k++) {
        float keep = expf(-dt_s / p->tau_s[k]);

        m->u_V[k] = m->u_V[k] * keep + (1.0f - keep) * look_up(p->rc_ohm[k], EST_SOC_R, t, s) * current_A;
    }
    float keep = expf(-fabsf(current_A) * dt_s * p->gamma / (3600.0f * p->capacity_Ah));

    m->h_unsure *= keep;
    m->h = m->h * keep + (current_A < 0.0f ? keep - 1.0f : 1.0f - keep);
}

float cell_model_settle(struct cell_model *m, float current_A, float temp_degC, float soc)
{
    const struct est_profile *p = m->p;
    struct spot t = bent(p, spot_on_temp(p, temp_degC));
    struct spot s = spot_on_soc(soc, EST_SOC_R);
    float sum_ohm = 0.0f;

    for (int k = 0; k < EST_BRANCHES; k++) {
        float ohm = look_up(p->rc_ohm[k], EST_SOC_R, t, s);

        m->u_V[k] = ohm * current_A;
        sum_ohm += ohm;
    }
    return sum_ohm;
}

struct cell_view cell_model_view(const struct cell_model *m, float current_A, float temp_degC, float soc)
{
    const struct est_profile *p = m->p;
    struct spot t = spot_on_temp(p, temp_degC), r = bent(p, t);
    struct spot s = spot_on_soc(soc, EST_SOC_R);
    struct spot o = spot_on_soc(soc, EST_SOC_OCV);
    float i0_A = p->i0_A * expf(p->i0_K * (1.0f / ROOM_K - 1.0f / (temp_degC + KELVIN)));
    float x = current_A / i0_A;
    float r0_ohm = look_up(p->r0_ohm, EST_SOC_R, r, s);
    float a_V = look_up(p->a_V, EST_SOC_R, r, s);
    float m_V = along(p->hysteresis_V, s);
    struct cell_view v = { .m_V = m_V };

    v.ocv_V = look_up(p->ocv_V, EST_SOC_OCV, t, o) - m_V * m->h;
    v.slope_V = (look_up(p->ocv_V, EST_SOC_OCV, t, (struct spot) { o.at, 1.0f }) -
                 look_up(p->ocv_V, EST_SOC_OCV, t, (struct spot) { o.at, 0.0f })) *
                (float)(EST_SOC_OCV - 1);
    v.drop_V = r0_ohm * current_A + a_V * asinhf(x);
    v.per_A_V = r0_ohm + a_V / (i0_A * sqrtf(1.0f + x * x));
    for (int k = 0; k < EST_BRANCHES; k++) {
        v.drop_V += m->u_V[k];
        v.per_A_V += look_up(p->rc_ohm[k], EST_SOC_R, r, s);
    }
    return v;
}

float cell_model_ocv(const struct est_profile *p, float temp_degC, float soc)
{
    return look_up(p->ocv_V, EST_SOC_OCV, spot_on_temp(p, temp_degC), spot_on_soc(soc, EST_SOC_OCV));
}

/* The curve never falls with the SOC: halve the interval, 2^-16 is left. */
float cell_model_soc(const struct est_profile *p, float temp_degC, float ocv_V)
{
    float low = 0.0f, high = 1.0f;

    for (int k = 0; k < 16; k++) {
        float mid = 0.5f * (low + high);

        if (cell_model_ocv(p, temp_degC, mid) < ocv_V)
            low = mid;
        else
            high = mid;
    }
    return 0.5f * (low + high);
}
