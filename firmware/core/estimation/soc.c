/* SPDX-License-Identifier: Apache-2.0 */
#include "firmware/core/estimation/soc.h"

#include <math.h>

#include "common/err.h"
#include "proto/validity.h"

#define MAMS_PER_MAH 3600000
#define ROOM_degC    25.0f
#define SLOW_s       300.0f /* the current that the times to full and to empty go by */
#define END_MS       10000  /* full or empty for so long */
#define FULL_SIGMA   0.01f
#define EMPTY_SIGMA  0.02f
#define SET_SIGMA    0.01f
#define OFF_SIGMA    0.005f /* more of it for a time without power, whose length nobody knows */
#define H_UNSURE     0.2f   /* small currents may have flowed unseen */
#define SOH_SIGMA    0.05f  /* of the capacity on the nameplate */
#define SOH_OFF      0.005f /* more of it for a time without power */
#define OCV_MOST     0.03f  /* an open-circuit voltage that says no more than this is no anchor */
#define COUNT_GAIN   0.007f /* error of counting: share of all charge moved, 1 sigma */
#define COUNT_BIAS   0.3f   /* and share of the sensor's unknown bias */
#define H_LEAST      0.1f   /* doubt about the branch of the curve, 1 sigma */
#define SLEEP_SHARE  0.02f  /* self-discharge and quiescent load: at most so much a month, 1 sigma */

static const struct est_profile *const plain[CHEMISTRIES] = {
    [CHEMISTRY_NMC] = &est_profile_nmc,
    [CHEMISTRY_LFP] = &est_profile_lfp,
    [CHEMISTRY_NIMH] = &est_profile_nimh,
    [CHEMISTRY_SCAP] = &est_profile_scap,
};

static const struct est_profile *const makes[] = { &est_profile_panasonic_nca, &est_profile_lg_nmc, &est_profile_a123_lfp,
                                                   &est_profile_lfp_flatzone, &est_profile_leaf_lmo };

static const struct est_profile *profile_of(const int32_t *params)
{
    int32_t number = params[PARAM_cell_profile];
    bool fitted = number >= 1 && number <= (int32_t)(sizeof(makes) / sizeof(*makes));

    return fitted ? makes[number - 1] : plain[params[PARAM_chemistry]];
}

static int32_t permyriad(float share)
{
    return (int32_t)lroundf(fminf(fmaxf(share, 0.0f), 1.0f) * 10000.0f);
}

static float capacity_mAh(const struct soc *s)
{
    return (float)s->capacity_mAh * s->mean.soh;
}

/* --- start, save, wake --- */

void soc_init(struct soc *s, const int32_t *params)
{
    *s = (struct soc) { .capacity_mAh = params[PARAM_capacity_mAh], .mean_V = NAN };
    charge_time_init(&s->charge);
    soc_filter_init(&s->mean, profile_of(params), 0.5f, 0.3f, 1.0f);
    soh_init(&s->soh, 1.0f, SOH_SIGMA);
    for (int i = 0; i < PACK_CELLS_MAX; i++)
        cell_delta_init(&s->cell[i]);
}

void soc_save(const struct soc *s, struct soc_saved *saved)
{
    const struct est_profile *p = s->mean.model.p;

    *saved = (struct soc_saved) { .left_mAms = (int64_t)((double)s->mean.x[EST_SOC] * (double)capacity_mAh(s) * MAMS_PER_MAH),
                                  .sigma = sqrtf(s->mean.P[EST_SOC][EST_SOC]),
                                  .bias_C = s->mean.x[EST_BIAS] / p->capacity_Ah,
                                  .scale = s->mean.x[EST_SCALE],
                                  .h = s->mean.model.h,
                                  .soh = s->mean.soh,
                                  .soh_sigma = soh_sigma(&s->soh) };
}

void soc_restore(struct soc *s, const struct soc_saved *saved)
{
    const struct est_profile *p = s->mean.model.p;
    bool has_soh = saved->soh >= 0.3f && saved->soh <= 1.2f;
    float sigma = saved->sigma > 0.0f && saved->sigma <= 1.0f ? saved->sigma + OFF_SIGMA : 0.05f;

    soc_filter_init(&s->mean, p, 0.0f, sigma, has_soh ? saved->soh : 1.0f);
    if (has_soh && saved->soh_sigma > 0.0f && saved->soh_sigma < 0.3f)
        soh_init(&s->soh, saved->soh, saved->soh_sigma + SOH_OFF);
    float soc = (float)((double)saved->left_mAms / MAMS_PER_MAH / (double)capacity_mAh(s));

    s->mean.x[EST_SOC] = fminf(fmaxf(soc, 0.0f), 1.0f);
    if (fabsf(saved->bias_C) <= 4.0f * p->noise.bias_C)
        s->mean.x[EST_BIAS] = saved->bias_C * p->capacity_Ah;
    if (saved->scale >= 0.4f && saved->scale <= 3.0f)
        s->mean.x[EST_SCALE] = saved->scale;
    s->mean.model.h = fabsf(saved->h) <= 1.0f ? saved->h : 0.0f;
    s->mean.model.h_unsure = H_UNSURE;
    s->known = s->restored = true;
}

void soc_wake(struct soc *s, uint32_t slept_ms, const int32_t *params)
{
    float sigma = SLEEP_SHARE * ((float)slept_ms / 2.6e9f);

    s->sum_mAms = 0;
    s->sum_ms = s->past_ms = s->rested_ms = s->ended_ms = 0;
    s->rest_is_told = s->end_is_told = false;
    s->slow_mA = 0.0f;
    s->mean_V = NAN;
    s->mean.P[EST_SOC][EST_SOC] += sigma * sigma;
    if (s->known && slept_ms >= (uint32_t)params[PARAM_ocv_rest_ms]) {
        soc_filter_rested(&s->mean);
        s->ocv_due = true;
    }
}

int soc_set(struct soc *s, int32_t permyriad_)
{
    if (permyriad_ < 0 || permyriad_ > 10000)
        return BMS_ERR_RANGE;
    soc_filter_set(&s->mean, (float)permyriad_ / 10000.0f, SET_SIGMA);
    s->known = s->calibrated = true;
    s->restored = false;
    s->calibrated_permyriad = permyriad_;
    return BMS_ERR_OK;
}

int32_t soc_calibrated(const struct soc *s)
{
    return s->calibrated ? s->calibrated_permyriad : SOC_NOT_SET;
}

/* --- step --- */

static float mean_of(const struct soc_in *in)
{
    int64_t sum_mV = 0;

    if (!in->complete || in->cells <= 0)
        return NAN;
    for (int32_t i = 0; i < in->cells; i++)
        sum_mV += in->cell_mV[i];
    return (float)sum_mV / (1000.0f * (float)in->cells);
}

/* The current of the profile's cell for one of the pack. */
static float profile_A(const struct soc *s, float pack_mA)
{
    return pack_mA * s->mean.model.p->capacity_Ah / (float)s->capacity_mAh;
}

/* What the filter is told: the mean current since its last step, in the scale of its profile's cell. */
static struct soc_filter_in sample_of(const struct soc *s, const struct soc_in *in)
{
    bool has_current = s->sum_ms > 0 && s->sum_ms >= s->past_ms / 2;

    return (struct soc_filter_in) { .dt_s = (float)s->past_ms / 1000.0f,
                                    .current_A = has_current ? profile_A(s, (float)s->sum_mAms / (float)s->sum_ms) : NAN,
                                    .voltage_V = mean_of(in),
                                    .temp_degC = scalar_validity(in->temp_ddegC) == VALIDITY_OK ? (float)in->temp_ddegC / 10.0f : NAN };
}

static void first_sample(struct soc *s, const struct soc_in *in)
{
    struct soc_filter_in sample = sample_of(s, in);
    bool again = s->restored && !soc_filter_is_another_cell(&s->mean, &sample);

    s->restored = false;
    if (!again && isfinite(sample.voltage_V))
        soc_filter_start(&s->mean, s->mean.model.p, s->mean.soh, &sample);
    s->known = s->known || isfinite(sample.voltage_V);
}

static void look_at_rest(struct soc *s, const struct soc_in *in)
{
    int32_t limit_mA = in->params[PARAM_ocv_rest_current_mA];
    bool rests = scalar_validity(in->current_mA) == VALIDITY_OK && in->current_mA <= limit_mA && in->current_mA >= -limit_mA;

    s->rested_ms = !rests ? 0 : in->dt_ms >= INT32_MAX - s->rested_ms ? INT32_MAX : s->rested_ms + in->dt_ms;
    if (!rests)
        s->rest_is_told = false;
    if (s->rested_ms < (uint32_t)in->params[PARAM_ocv_rest_ms] || s->rest_is_told || !s->known)
        return;
    s->rest_is_told = true;
    s->ocv_due = true;
    soc_filter_rested(&s->mean);
}

/* The SOC is known here without counting: with the anchor before it a window for the capacity. */
static void drop_anchor(struct soc *s, float soc, float sigma)
{
    const struct est_noise *n = &s->mean.model.p->noise;
    struct soc_anchor *a = &s->anchor;
    float moved = a->soc - soc;
    struct soh_window w = { .soc = fabsf(moved),
                            .sigma = sqrtf(sigma * sigma + a->sigma * a->sigma),
                            .share = moved < 0.0f ? -a->share : a->share,
                            .count_sigma = COUNT_GAIN * a->moved + COUNT_BIAS * n->bias_C * a->hours + 1e-4f,
                            .aged = a->aged };

    bool taken = a->known && soh_take(&s->soh, &w);

    if (taken)
        s->mean.soh = soh_value(&s->soh);
    *a = (struct soc_anchor) { .known = true, .soc = soc, .sigma = sigma, .aged = taken ? 0.0f : a->aged };
}

/* After a rest, where the curve is steep enough to tell. */
static void look_at_ocv(struct soc *s, float voltage_V)
{
    const struct soc_filter *f = &s->mean;
    const struct est_profile *p = f->model.p;
    float ocv_V = voltage_V + s->view.m_V * f->model.h;
    float error_V =
        sqrtf(p->noise.slow_V * p->noise.slow_V + s->view.m_V * s->view.m_V * (H_LEAST * H_LEAST + f->model.h_unsure * f->model.h_unsure));
    float low = cell_model_soc(p, f->temp_degC, ocv_V - error_V);
    float high = cell_model_soc(p, f->temp_degC, ocv_V + error_V);

    s->ocv_due = false;
    if (high - low <= 2.0f * OCV_MOST && low > 0.0f && high < 1.0f)
        drop_anchor(s, 0.5f * (low + high), fmaxf(0.5f * (high - low), 0.002f));
}

static float furthest(const struct soc *s, bool highest)
{
    float most = 0.0f;

    for (int32_t i = 0; i < s->cells; i++)
        most = highest ? fmaxf(most, s->cell[i].soc) : fminf(most, s->cell[i].soc);
    return most;
}

/* The SOC of a cell that a charge has left at this voltage: 1 at the top of the curve, less when the charge ends below it. */
static float soc_at_end(const struct soc *s, float cell_V, float *sigma)
{
    const struct soc_filter *f = &s->mean;
    float ocv_V = cell_V + s->view.m_V * f->model.h + s->view.drop_V;
    float error_V = f->model.p->noise.slow_V;
    float low = cell_model_soc(f->model.p, f->temp_degC, ocv_V - error_V);
    float high = cell_model_soc(f->model.p, f->temp_degC, ocv_V + error_V);

    *sigma = fmaxf(0.5f * (high - low), FULL_SIGMA);
    return cell_model_soc(f->model.p, f->temp_degC, ocv_V);
}

/* After a step of the filter. Full is when the strongest cell is, empty when the weakest is. */
static void look_at_ends(struct soc *s, const struct soc_in *in, uint32_t past_ms)
{
    const int32_t *p = in->params;
    float little_mA = (float)s->capacity_mAh * (float)p[PARAM_full_current_permille] / 1000.0f;
    float now_mA = s->mean.current_A / s->mean.model.p->capacity_Ah * (float)s->capacity_mAh;
    float most_mV = 0.0f, sigma = EMPTY_SIGMA;
    bool full = false, empty = false;

    for (int32_t i = 0; in->complete && fabsf(now_mA) <= little_mA && i < in->cells; i++) {
        most_mV = fmaxf(most_mV, (float)in->cell_mV[i]);
        full = full || (in->charging && now_mA < 0.0f && in->cell_mV[i] >= p[PARAM_full_cell_mV]);
        empty = empty || (now_mA >= 0.0f && in->cell_mV[i] <= p[PARAM_empty_cell_mV]);
    }
    s->ended_ms = full || empty ? s->ended_ms + past_ms : 0;
    if (s->ended_ms == 0)
        s->end_is_told = false;
    if (s->ended_ms < END_MS || s->end_is_told)
        return;
    s->end_is_told = true;
    float soc = full ? soc_at_end(s, most_mV / 1000.0f, &sigma) - furthest(s, true) : -furthest(s, false);

    soc_filter_anchor(&s->mean, soc, sigma);
    drop_anchor(s, soc, sigma);
}

static void step_mean(struct soc *s, const struct soc_in *in)
{
    struct soc_filter_in sample = sample_of(s, in);
    struct soc_filter *f = &s->mean;

    soc_filter_step(f, &sample);
    float current_A = f->current_A - f->x[EST_BIAS];

    s->mean_V = isfinite(sample.current_A) ? sample.voltage_V : NAN;
    s->view = cell_model_view(&f->model, current_A, f->temp_degC, f->x[EST_SOC]);
    s->view.drop_V *= f->x[EST_SCALE];
    s->turn.moved += fabsf(current_A) * sample.dt_s / (3600.0f * f->model.p->capacity_Ah);
    s->turn.s += sample.dt_s;
    s->anchor.share += current_A * sample.dt_s / (3600.0f * f->model.p->capacity_Ah);
    s->anchor.moved += fabsf(current_A) * sample.dt_s / (3600.0f * f->model.p->capacity_Ah);
    s->anchor.aged += fabsf(current_A) * sample.dt_s / (3600.0f * f->model.p->capacity_Ah);
    s->anchor.hours += sample.dt_s / 3600.0f;
    if (!isfinite(sample.current_A))
        s->anchor.known = false; /* nobody knows what went through */
    if (s->ocv_due && isfinite(sample.voltage_V))
        look_at_ocv(s, sample.voltage_V);
    float now_mA = f->current_A / f->model.p->capacity_Ah * (float)s->capacity_mAh;

    s->slow_mA += (now_mA - s->slow_mA) * fminf(sample.dt_s / SLOW_s, 1.0f);
    look_at_ends(s, in, s->past_ms);
    charge_time_step(&s->charge, &(struct charge_time_in) { .p = f->model.p,
                                                            .temp_degC = f->temp_degC,
                                                            .soc = f->x[EST_SOC],
                                                            .scale = f->x[EST_SCALE],
                                                            .capacity_Ah = f->model.p->capacity_Ah * f->soh,
                                                            .current_A = -profile_A(s, s->slow_mA),
                                                            .end_V = (float)in->params[PARAM_charge_cell_mV] / 1000.0f,
                                                            .end_A = profile_A(s, 100.0f * (float)in->params[PARAM_charge_end_dA]) });
    s->sum_mAms = 0;
    s->sum_ms = s->past_ms = 0;
}

/* The voltages of this instant against the mean of this instant: only right after a step of the mean. A tenth of the cells. */
static void step_cells(struct soc *s, const struct soc_in *in)
{
    int32_t share = (in->cells + 9) / 10;

    s->cells = in->cells;
    for (int32_t n = 0; isfinite(s->mean_V) && n < share; n++) {
        struct cell_delta_in cell = { .p = s->mean.model.p,
                                      .mean = &s->view,
                                      .mean_soc = s->mean.x[EST_SOC],
                                      .mean_V = s->mean_V,
                                      .temp_degC = s->mean.temp_degC,
                                      .voltage_V = (float)in->cell_mV[s->next] / 1000.0f,
                                      .moved = s->last_turn.moved,
                                      .dt_s = s->last_turn.s };

        cell_delta_step(&s->cell[s->next], &cell);
        if (++s->next >= in->cells) {
            s->next = 0;
            s->last_turn = s->turn;
            s->turn = (struct soc_turn) { 0 };
            return;
        }
    }
}

void soc_step(struct soc *s, const struct soc_in *in)
{
    s->past_ms += in->dt_ms;
    if (scalar_validity(in->current_mA) == VALIDITY_OK) {
        s->sum_mAms += (int64_t)in->current_mA * in->dt_ms;
        s->sum_ms += in->dt_ms;
    }
    look_at_rest(s, in);
    if ((!s->known || s->restored) && in->complete) {
        first_sample(s, in);
    } else if (s->known && !s->restored && s->past_ms >= SOC_STEP_MS) {
        step_mean(s, in);
        if (in->complete)
            step_cells(s, in);
    }
}

/* --- scalars --- */

static int32_t share_of(const struct soc *s, float share)
{
    return s->known ? permyriad(share) : scalar_invalid(VALIDITY_NEVER);
}

int32_t soc_permyriad(const struct soc *s)
{
    return share_of(s, s->mean.x[EST_SOC]);
}

int32_t soc_band_permyriad(const struct soc *s)
{
    return share_of(s, soc_filter_bound(&s->mean));
}

int32_t soc_cell_min_permyriad(const struct soc *s)
{
    return share_of(s, s->mean.x[EST_SOC] + furthest(s, false));
}

int32_t soc_cell_max_permyriad(const struct soc *s)
{
    return share_of(s, s->mean.x[EST_SOC] + furthest(s, true));
}

int32_t soc_resistance_permyriad(const struct soc *s)
{
    return s->known ? (int32_t)lroundf(s->mean.x[EST_SCALE] * 10000.0f) : scalar_invalid(VALIDITY_NEVER);
}

int32_t soc_soh_permyriad(const struct soc *s)
{
    return s->known ? (int32_t)lroundf(soh_value(&s->soh) * 10000.0f) : scalar_invalid(VALIDITY_NEVER);
}

int32_t soc_soh_band_permyriad(const struct soc *s)
{
    return s->known ? (int32_t)lroundf(soh_bound(&s->soh) * 10000.0f) : scalar_invalid(VALIDITY_NEVER);
}

int32_t soc_left_mAh(const struct soc *s)
{
    return s->known ? (int32_t)lroundf(s->mean.x[EST_SOC] * capacity_mAh(s)) : scalar_invalid(VALIDITY_NEVER);
}

int32_t soc_left_Wh(const struct soc *s)
{
    const float width = 1.0f / (float)(EST_SOC_OCV - 1);
    const struct est_profile *p = s->mean.model.p;
    float soc = s->mean.x[EST_SOC], area_V = 0.0f, low_V = cell_model_ocv(p, s->mean.temp_degC, 0.0f);

    if (!s->known)
        return scalar_invalid(VALIDITY_NEVER);
    for (int i = 0; i < EST_SOC_OCV - 1 && (float)i * width < soc; i++) {
        float to = fminf((float)(i + 1) * width, soc), high_V = cell_model_ocv(p, s->mean.temp_degC, to);

        area_V += 0.5f * (low_V + high_V) * (to - (float)i * width);
        low_V = high_V;
    }
    return (int32_t)lroundf(area_V * capacity_mAh(s) / 1000.0f * (float)s->cells);
}

static int32_t minutes(const struct soc *s, float hours, float mA)
{
    float least_mA = (float)s->capacity_mAh / 1000.0f;

    if (!s->known)
        return scalar_invalid(VALIDITY_NEVER);
    return mA < least_mA ? SOC_MINUTES_MAX : (int32_t)fminf(hours * 60.0f, (float)SOC_MINUTES_MAX);
}

int32_t soc_time_to_full_min(const struct soc *s)
{
    return minutes(s, s->charge.hours, -s->slow_mA);
}

int32_t soc_time_to_empty_min(const struct soc *s)
{
    return minutes(s, s->mean.x[EST_SOC] * capacity_mAh(s) / fmaxf(s->slow_mA, 1.0f), s->slow_mA);
}

int32_t soc_ocv_mV(enum chemistry chemistry, int32_t permyriad_)
{
    return (int32_t)lroundf(1000.0f * cell_model_ocv(plain[chemistry], ROOM_degC, (float)permyriad_ / 10000.0f));
}

int32_t soc_of_ocv(enum chemistry chemistry, int32_t mV)
{
    return permyriad(cell_model_soc(plain[chemistry], ROOM_degC, (float)mV / 1000.0f));
}
