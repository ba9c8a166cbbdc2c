/* SPDX-License-Identifier: Apache-2.0 */
#include "firmware/core/estimation/soc_filter.h"

#include <math.h>

#include "firmware/core/estimation/unseen_flow.h"

#define ERROR_START_V     0.015f /* until the first voltage, 1 sigma */
#define H_UNSURE          0.6f   /* hysteresis: anything from -1 to 1 */
#define GAP_s             120.0f /* no sample for longer: the current in between is not known */
#define UNKNOWN_C         0.3f   /* and taken to be within this many capacities an hour, 1 sigma */
#define BIAS_WALK_C_PER_h 0.001f
#define HOLD_s            1.0f  /* so long the last current holds when no new one comes */
#define VOLTAGE_MIN_V     0.1f  /* outside of these no sensor of one cell speaks the truth; */
#define VOLTAGE_MAX_V     6.0f  /* a supercapacitor may be at 0 */
#define START_SIGMA       1.0f  /* nothing is known */
#define HARDLY_KNOWN      0.15f /* a SOC told no better than this gives way to the first voltage */
#define BLUR_LEAST        0.02f /* one step of the table or so */
#define BLUR_s            60.0f /* and samples within this time miss it in the same way */
#define SURPRISE          3.0f  /* an innovation beyond so many sigma counts as that many */
#define FROZEN_SAMPLES    5

static float capacity_As(const struct soc_filter *f)
{
    return 3600.0f * f->model.p->capacity_Ah * f->soh;
}

void soc_filter_init(struct soc_filter *f, const struct est_profile *p, float soc, float sigma, float soh)
{
    float bias_A = p->noise.bias_C * p->capacity_Ah;

    *f = (struct soc_filter) { .soh = soh, .temp_degC = 25.0f };
    cell_model_init(&f->model, p);
    f->x[EST_SOC] = soc;
    f->x[EST_SCALE] = 1.0f;
    f->P[EST_SOC][EST_SOC] = sigma * sigma;
    f->P[EST_ERROR][EST_ERROR] = ERROR_START_V * ERROR_START_V;
    f->P[EST_BIAS][EST_BIAS] = bias_A * bias_A;
    f->P[EST_SCALE][EST_SCALE] = p->noise.scale * p->noise.scale;
}

static float square(float x)
{
    return x * x;
}

/* Variance that the slow error tends to. */
static float error_variance(const struct soc_filter *f, const struct cell_view *v)
{
    const struct est_noise *n = &f->model.p->noise;
    float drop_V = fabsf(v->drop_V);
    float cold_V = n->slow_cold_V * fmaxf(25.0f - f->temp_degC, 0.0f) / 10.0f;
    float flows = fminf(drop_V / 0.03f, 1.0f); /* 30 mV of polarisation: the cold begins to matter */
    float share_V = n->slow_share * drop_V;
    float curve_V = v->m_V * f->model.h_unsure; /* on which branch of the curve it is */

    return square(n->slow_V) + square(share_V) + flows * square(cold_V) + square(curve_V);
}

/* P = F P F' + Q with F = identity but for F[SOC][BIAS] = dt/Q and F[ERROR][ERROR] = keep. */
static void spread(struct soc_filter *f, float dt_s, float keep, float soc_variance, float error_variance_V2)
{
    float g = dt_s / capacity_As(f);
    float(*P)[EST_STATES] = f->P;
    float hours = dt_s / 3600.0f;
    float bias_A = BIAS_WALK_C_PER_h * f->model.p->capacity_Ah;
    float walk = f->model.p->noise.scale_walk;

    for (int j = 0; j < EST_STATES; j++)
        P[EST_SOC][j] += g * P[EST_BIAS][j];
    for (int j = 0; j < EST_STATES; j++)
        P[j][EST_SOC] += g * P[j][EST_BIAS];
    for (int j = 0; j < EST_STATES; j++)
        P[EST_ERROR][j] *= keep;
    for (int j = 0; j < EST_STATES; j++)
        P[j][EST_ERROR] *= keep;
    P[EST_SOC][EST_SOC] += soc_variance;
    P[EST_ERROR][EST_ERROR] += (1.0f - keep * keep) * error_variance_V2;
    P[EST_BIAS][EST_BIAS] += bias_A * bias_A * hours;
    P[EST_SCALE][EST_SCALE] += walk * walk * hours;
}

/* Joseph form, so that P stays positive in single precision. A state that is not to learn has gain 0. */
static void correct(struct soc_filter *f, const float H[EST_STATES], float innovation, float variance, const bool learns[EST_STATES])
{
    float PH[EST_STATES], K[EST_STATES];
    float S = variance;

    for (int i = 0; i < EST_STATES; i++) {
        PH[i] = 0.0f;
        for (int j = 0; j < EST_STATES; j++)
            PH[i] += f->P[i][j] * H[j];
    }
    for (int i = 0; i < EST_STATES; i++)
        S += H[i] * PH[i];
    float surprise = fabsf(innovation) / sqrtf(S);

    if (surprise > SURPRISE) /* as if it had been measured that much worse */
        S *= (surprise / SURPRISE) * (surprise / SURPRISE);
    for (int i = 0; i < EST_STATES; i++) {
        K[i] = learns[i] ? PH[i] / S : 0.0f;
        f->x[i] += K[i] * innovation;
    }
    for (int i = 0; i < EST_STATES; i++) /* P - K PH' - PH K' + K S K' */
        for (int j = 0; j <= i; j++) {
            float p = f->P[i][j] - K[i] * PH[j] - PH[i] * K[j] + K[i] * S * K[j];

            f->P[i][j] = p;
            f->P[j][i] = p;
        }
    for (int i = 0; i < EST_STATES; i++)
        f->P[i][i] = fmaxf(f->P[i][i], 1e-10f);
}

static void keep_sane(struct soc_filter *f)
{
    float most_A = 4.0f * f->model.p->noise.bias_C * f->model.p->capacity_Ah;

    f->x[EST_SOC] = fminf(fmaxf(f->x[EST_SOC], 0.0f), 1.0f);
    f->x[EST_BIAS] = fminf(fmaxf(f->x[EST_BIAS], -most_A), most_A);
    f->x[EST_SCALE] = fminf(fmaxf(f->x[EST_SCALE], 0.4f), 3.0f);
}

static bool is_frozen(struct soc_filter *f, const struct soc_filter_in *in)
{
    bool moved = fabsf(f->current_A - f->last_moved_A) > 0.2f * f->model.p->capacity_Ah;

    if (in->voltage_V < f->last_V || in->voltage_V > f->last_V)
        f->same = 0;
    else if (moved && f->same < FROZEN_SAMPLES)
        f->same++;
    f->last_V = in->voltage_V;
    f->last_moved_A = f->current_A;
    return f->same >= FROZEN_SAMPLES;
}

static void forget_error(struct soc_filter *f, float variance_V2)
{
    for (int i = 0; i < EST_STATES; i++)
        f->P[EST_ERROR][i] = f->P[i][EST_ERROR] = 0.0f;
    f->P[EST_ERROR][EST_ERROR] = variance_V2;
    f->x[EST_ERROR] = 0.0f;
}

/* The first voltage: nobody saw what flowed before. A SOC that is hardly known gives way to it. */
static void begin(struct soc_filter *f, float voltage_V)
{
    struct first_sample in = { f->current_A, voltage_V, f->temp_degC };
    float told = f->P[EST_SOC][EST_SOC];
    float trust = 1.0f, error_V;

    if (told < square(HARDLY_KNOWN)) {
        error_V = unseen_flow(&f->model, &in, f->x[EST_SOC]);
    } else {
        struct first_soc first = unseen_flow_soc(&f->model, &in, f->x[EST_SOC], sqrtf(told));

        f->x[EST_SOC] = first.soc;
        f->P[EST_SOC][EST_SOC] = told + first.trust * (square(START_SIGMA) - told);
        error_V = first.error_V;
        trust = first.trust;
    }
    forget_error(f, square(error_V));
    f->unseen_V = error_V * (1.0f - trust);
    f->begun = true;
}

/* The OCV as it looks to somebody who knows the SOC no better than this (central differences of Norgaard): its mean, its slope, and the variance that a
 * straight line misses. Where the SOC is well known it is the tangent. */
struct blurred {
    float mean_V, slope_V, variance_V2;
};

static struct blurred look_around(const struct soc_filter *f, const struct cell_view *v)
{
    const float h2 = 3.0f;
    const struct est_profile *p = f->model.p;
    float soc = f->x[EST_SOC];
    float reach = fmaxf(sqrtf(h2 * f->P[EST_SOC][EST_SOC]), BLUR_LEAST);
    float low = fmaxf(soc - reach, 0.0f);
    float high = fminf(soc + reach, 1.0f);
    float here_V = cell_model_ocv(p, f->temp_degC, soc);
    float low_V = cell_model_ocv(p, f->temp_degC, low);
    float high_V = cell_model_ocv(p, f->temp_degC, high);
    float slope_V = (high_V - low_V) / (high - low);
    float bend_V = low_V + slope_V * (soc - low) - here_V; /* the chord against the curve */

    return (struct blurred) { v->ocv_V, slope_V, (h2 - 1.0f) / (h2 * h2) * bend_V * bend_V };
}

static void take_voltage(struct soc_filter *f, const struct soc_filter_in *in)
{
    const struct est_noise *n = &f->model.p->noise;
    float current_A = f->current_A - f->x[EST_BIAS];
    struct cell_view v = cell_model_view(&f->model, current_A, f->temp_degC, f->x[EST_SOC]);
    struct blurred b = look_around(f, &v);
    float H[EST_STATES] = { b.slope_V, -1.0f, v.per_A_V * f->x[EST_SCALE], -v.drop_V };
    bool knows_soc = f->P[EST_SOC][EST_SOC] < 0.05f * 0.05f;
    bool learns[EST_STATES] = { true, true, knows_soc, knows_soc };
    float samples = in->dt_s > 1.0f ? 1.0f : fmaxf(in->dt_s, 0.01f); /* faster sampling tells no more */
    float expected_V = b.mean_V - f->x[EST_SCALE] * v.drop_V - f->x[EST_ERROR];

    float share_V = n->white_share * v.drop_V;

    correct(f, H, in->voltage_V - expected_V, (square(n->white_V) + square(share_V)) / samples + BLUR_s / samples * b.variance_V2, learns);
}

/* How long the slow error lasts. What flowed unseen before the start stays in the slowest branch, and is gone as that is. */
static float slow_time_s(struct soc_filter *f, float dt_s, float usual_V2)
{
    const struct est_profile *p = f->model.p;
    float slowest_s = p->tau_s[EST_BRANCHES - 1];

    f->unseen_V *= expf(-dt_s / slowest_s);
    float share = square(f->unseen_V) / (square(f->unseen_V) + usual_V2 + 1e-12f);

    return p->noise.slow_s + share * fmaxf(slowest_s - p->noise.slow_s, 0.0f);
}

/* SOC minus `share`, with what single precision cuts off carried on (Kahan): 0.001 C at 10 Hz would never arrive. */
static void count(struct soc_filter *f, float share)
{
    float want = f->soc_carry - share;
    float soc = f->x[EST_SOC] + want;

    f->soc_carry = want - (soc - f->x[EST_SOC]);
    f->x[EST_SOC] = soc;
}

static void advance(struct soc_filter *f, float dt_s, bool current_known)
{
    const struct est_noise *n = &f->model.p->noise;
    float current_A = f->current_A - f->x[EST_BIAS];
    float moved = fabsf(current_A) * dt_s / capacity_As(f);
    float soc_variance = n->count_share * n->count_share * moved;
    float blind_s = current_known && dt_s <= GAP_s ? 0.0f : f->blind_s + dt_s;

    if (blind_s > 0.0f) /* unknown, but the same all the time: the error grows with the time, not with its root */
        soc_variance += square(UNKNOWN_C / 3600.0f) * (square(blind_s) - square(f->blind_s));
    f->blind_s = current_known ? 0.0f : blind_s;
    struct cell_view v = cell_model_view(&f->model, current_A, f->temp_degC, f->x[EST_SOC]);

    float usual_V2 = error_variance(f, &v);
    float lasts_s = slow_time_s(f, dt_s, usual_V2);
    float keep = expf(-dt_s / lasts_s);

    spread(f, dt_s, keep, soc_variance, usual_V2 + square(f->unseen_V));
    count(f, current_A * dt_s / capacity_As(f));
    f->x[EST_ERROR] *= keep;
    keep_sane(f);
    cell_model_step(&f->model, dt_s, current_A, f->temp_degC, f->x[EST_SOC]);
}

static bool is_current(const struct soc_filter *f, float current_A) /* false for NaN */
{
    return fabsf(current_A) < f->model.p->most_C * f->model.p->capacity_Ah;
}

static bool is_voltage(const struct soc_filter *f, float voltage_V)
{
    float least_V = fminf(VOLTAGE_MIN_V, cell_model_ocv(f->model.p, f->temp_degC, 0.0f) - VOLTAGE_MIN_V);

    return voltage_V > least_V && voltage_V < VOLTAGE_MAX_V;
}

static void take_temperature(struct soc_filter *f, float temp_degC)
{
    if (temp_degC > -60.0f && temp_degC < 120.0f)
        f->temp_degC = temp_degC;
}

void soc_filter_step(struct soc_filter *f, const struct soc_filter_in *in)
{
    bool has_current = is_current(f, in->current_A);
    float dt_s = in->dt_s > 0.0f ? fminf(in->dt_s, 3600.0f) : 0.0f;

    if (has_current)
        f->current_A = in->current_A;
    else if (f->blind_s > HOLD_s)
        f->current_A = 0.0f;
    take_temperature(f, in->temp_degC);
    advance(f, dt_s, has_current);
    if (has_current && is_voltage(f, in->voltage_V) && !is_frozen(f, in)) {
        if (!f->begun)
            begin(f, in->voltage_V);
        take_voltage(f, in);
    }
    keep_sane(f);
}

void soc_filter_start(struct soc_filter *f, const struct est_profile *p, float soh, const struct soc_filter_in *in)
{
    float current_A;

    soc_filter_init(f, p, 0.5f, START_SIGMA, soh);
    f->model.h_unsure = H_UNSURE;
    current_A = is_current(f, in->current_A) ? in->current_A : 0.0f;
    soc_filter_step(f, &(struct soc_filter_in) { 0.0f, current_A, in->voltage_V, in->temp_degC });
}

bool soc_filter_is_another_cell(const struct soc_filter *f, const struct soc_filter_in *in)
{
    struct soc_filter g = *f;

    g.current_A = is_current(f, in->current_A) ? in->current_A : 0.0f;
    take_temperature(&g, in->temp_degC);
    float unseen_V = unseen_flow(&g.model, &(struct first_sample) { g.current_A, in->voltage_V, g.temp_degC }, g.x[EST_SOC]);
    struct cell_view v = cell_model_view(&g.model, g.current_A, g.temp_degC, g.x[EST_SOC]);
    float sigma2_V = square(unseen_V) + square(v.slope_V) * g.P[EST_SOC][EST_SOC];

    return square(in->voltage_V - (v.ocv_V - v.drop_V)) > square(SURPRISE) * sigma2_V;
}

void soc_filter_rested(struct soc_filter *f)
{
    for (int k = 0; k < EST_BRANCHES; k++)
        f->model.u_V[k] = 0.0f;
    forget_error(f, square(f->model.p->noise.slow_V));
    f->unseen_V = 0.0f;
    f->begun = true;
}

void soc_filter_anchor(struct soc_filter *f, float soc, float sigma)
{
    const float H[EST_STATES] = { 1.0f, 0.0f, 0.0f, 0.0f };
    const bool learns[EST_STATES] = { true, true, true, false };

    correct(f, H, soc - f->x[EST_SOC], sigma * sigma, learns);
    keep_sane(f);
}

void soc_filter_full(struct soc_filter *f, float sigma)
{
    soc_filter_anchor(f, 1.0f, sigma);
}

/* 1 sigma of the voltage beside a SOC that somebody vouches for: what flowed unseen, and all that the voltage says against it. */
static float error_beside(const struct soc_filter *f, float soc)
{
    struct cell_model unseen = f->model; /* its own branches stay as they are */
    struct cell_view v = cell_model_view(&f->model, f->current_A, f->temp_degC, soc);
    float unseen_V = unseen_flow(&unseen, &(struct first_sample) { f->current_A, f->last_V, f->temp_degC }, soc);

    return sqrtf(square(unseen_V) + square(f->last_V - v.ocv_V + v.drop_V));
}

void soc_filter_set(struct soc_filter *f, float soc, float sigma)
{
    for (int i = 0; i < EST_STATES; i++)
        f->P[EST_SOC][i] = f->P[i][EST_SOC] = 0.0f;
    f->P[EST_SOC][EST_SOC] = sigma * sigma;
    f->x[EST_SOC] = soc;
    f->soc_carry = 0.0f;
    forget_error(f, square(f->begun ? error_beside(f, soc) : ERROR_START_V));
}

float soc_filter_soc(const struct soc_filter *f)
{
    return f->x[EST_SOC];
}

float soc_filter_bound(const struct soc_filter *f)
{
    const struct est_noise *n = &f->model.p->noise;

    return fminf(n->bound_sigmas * sqrtf(f->P[EST_SOC][EST_SOC]) + n->bound_floor, 1.0f);
}
