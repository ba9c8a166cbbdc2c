/* SPDX-License-Identifier: Apache-2.0 */
#include "firmware/core/estimation/sop.h"

#include <math.h>

#include "firmware/core/estimation/cell_power.h"
#include "proto/validity.h"

#define PROMISE   0.98f /* of what is predicted: the model is no better than this */
#define SURE      0.05f /* an SOC known to so much is taken as it is; what is unknown beyond is taken off */
#define PERIOD_MS 100

const float sop_seconds[SOP_TIMES] = { 2.0f, 10.0f, 30.0f };

enum sop_ask { GIVES_2_S, GIVES_10_S, GIVES_30_S, TAKES_2_S, TAKES_10_S, TAKES_30_S, TAKES_OF_CHARGER, SOP_ASKS };

static const struct {
    int time;
    bool charge, past_soc;
} asks[SOP_ASKS] = {
    [GIVES_2_S] = { SOP_2_S, false, false },       [GIVES_10_S] = { SOP_10_S, false, false }, [GIVES_30_S] = { SOP_30_S, false, false },
    [TAKES_2_S] = { SOP_2_S, true, false },        [TAKES_10_S] = { SOP_10_S, true, false },  [TAKES_30_S] = { SOP_30_S, true, false },
    [TAKES_OF_CHARGER] = { SOP_10_S, true, true },
};

void sop_init(struct sop *s)
{
    *s = (struct sop) { .since_ms = PERIOD_MS / 2 }; /* not in the step in which the SOC is worked out */
    for (int k = 0; k < SOP_TIMES; k++)
        s->discharge_mA[k] = s->charge_mA[k] = scalar_invalid(VALIDITY_NEVER);
    s->charger_mA = scalar_invalid(VALIDITY_NEVER);
}

/* How far the first cell to be full, or empty, is from the mean. */
static float nearest_end(const struct soc *soc, bool charge)
{
    float soc_most = soc->cell[0].soc;

    for (int32_t i = 1; i < soc->cells; i++)
        soc_most = charge ? fmaxf(soc_most, soc->cell[i].soc) : fminf(soc_most, soc->cell[i].soc);
    return soc_most;
}

/* The largest current that leaves that cell its charge. */
static float charge_allows_A(const struct soc *soc, const struct cell_power_in *in)
{
    float end = in->soc + nearest_end(soc, in->charge);
    float room = fmaxf(in->charge ? 1.0f - end : end, 0.0f);

    return room * in->capacity_Ah * 3600.0f / in->seconds;
}

/* The cell whose voltage is worst at this current: by its SOC and by its resistance. */
static int32_t worst_cell(const struct soc *soc, const struct cell_power_in *in, const struct cell_ohms *ohms,
                          const struct cell_ohms_fit *fit, float amount_A)
{
    float current_A = in->charge ? -amount_A : amount_A;
    struct cell_view now = cell_model_view(in->model, current_A, in->temp_degC, in->soc);
    float step = in->charge ? 0.02f : -0.02f;
    float slope_V =
        (cell_model_ocv(soc->mean.model.p, in->temp_degC, in->soc + step) - cell_model_ocv(soc->mean.model.p, in->temp_degC, in->soc)) /
        step;
    float drop_V = in->scale * now.drop_V, most_V = 0.0f;
    int32_t worst = 0;

    for (int32_t i = 0; i < soc->cells; i++) {
        float apart_V = slope_V * soc->cell[i].soc - drop_V * cell_ohms_more(ohms, fit, i);
        float bad_V = in->charge ? apart_V : -apart_V;

        if (i == 0 || bad_V > most_V) {
            worst = i;
            most_V = bad_V;
        }
    }
    return worst;
}

/* was_mA: the answer of the time before, which tells at what current the worst cell is looked for; or not known. */
static int32_t predict(const struct soc *soc, const struct cell_ohms *ohms, enum sop_ask ask, int32_t was_mA, const int32_t *p)
{
    bool charge = asks[ask].charge, past_soc = asks[ask].past_soc;
    const struct soc_filter *f = &soc->mean;
    float to_mA = (float)soc->capacity_mAh / f->model.p->capacity_Ah; /* mA of the pack for 1 A of the profile's cell */
    float unsure = fmaxf(sqrtf(f->P[EST_SOC][EST_SOC]) - SURE, 0.0f);
    struct cell_ohms_fit fit = cell_ohms_fit(ohms, f->x[EST_SCALE], f->P[EST_SCALE][EST_SCALE]);
    struct cell_power_in in = { .model = &f->model,
                                .temp_degC = f->temp_degC,
                                .soc = fminf(fmaxf(f->x[EST_SOC] + (charge ? unsure : -unsure), 0.0f), 1.0f),
                                .scale = fit.scale,
                                .error_V = f->x[EST_ERROR],
                                .capacity_Ah = f->model.p->capacity_Ah * f->soh,
                                .seconds = sop_seconds[asks[ask].time],
                                .charge = charge,
                                .past_soc = past_soc };
    int32_t limit_mV = p[charge ? PARAM_cell_over_voltage_derate_limit : PARAM_cell_under_voltage_derate_limit];

    in.error_V += cell_model_ocv(f->model.p, f->temp_degC, in.soc) -
                  cell_model_ocv(f->model.p, f->temp_degC, f->x[EST_SOC]); /* now it is as measured */
    in.limit_V = (float)limit_mV / 1000.0f;
    in.most_A = (float)p[charge ? PARAM_charge_max_dA : PARAM_discharge_max_dA] * 100.0f / to_mA;
    if (soc->cells > 0) {
        float about_A = scalar_validity(was_mA) == VALIDITY_OK ? (float)was_mA / to_mA : 0.5f * in.most_A;

        in.most_A = past_soc ? in.most_A : fminf(in.most_A, charge_allows_A(soc, &in));
        int32_t worst = worst_cell(soc, &in, ohms, &fit, about_A);

        in.soc = fminf(fmaxf(in.soc + soc->cell[worst].soc, 0.0f), 1.0f);
        in.scale *= 1.0f + cell_ohms_more(ohms, &fit, worst) + fit.unseen;
    }
    return (int32_t)lroundf(PROMISE * cell_power_A(&in) * to_mA);
}

static int32_t *answer_to(struct sop *s, enum sop_ask ask)
{
    return asks[ask].past_soc ? &s->charger_mA : asks[ask].charge ? &s->charge_mA[asks[ask].time] : &s->discharge_mA[asks[ask].time];
}

static void work_out(struct sop *s, const struct soc *soc, enum sop_ask ask, const int32_t *params)
{
    int32_t *to = answer_to(s, ask);

    *to = soc->known && !soc->restored ? predict(soc, &s->ohms, ask, *to, params) : scalar_invalid(VALIDITY_NEVER);
}

void sop_all(struct sop *s, const struct soc *soc, const int32_t *params)
{
    for (int ask = 0; ask < SOP_ASKS; ask++)
        work_out(s, soc, (enum sop_ask)ask, params);
}

/* The pulses tell the resistances. */
static void follow(struct sop *s, const struct soc *soc, const struct soc_in *in)
{
    const struct soc_filter *f = &soc->mean;
    bool stepped = soc->past_ms == 0;

    s->model_ms += in->dt_ms;
    float moved = (f->current_A - f->x[EST_BIAS]) * (float)s->model_ms / (3.6e6f * f->model.p->capacity_Ah);
    float rise_V = -soc->view.slope_V * moved - soc->view.m_V * (f->model.h - s->h);

    cell_ohms_step(&s->ohms, &(struct cell_ohms_in) { .dt_ms = in->dt_ms,
                                                      .cell_mV = in->cell_mV,
                                                      .cells = in->cells,
                                                      .complete = in->complete,
                                                      .stepped = stepped,
                                                      .known = soc->known && !soc->restored && isfinite(soc->mean_V),
                                                      .drop_V = soc->view.drop_V / f->x[EST_SCALE],
                                                      .ocv_V = s->ocv_V + 0.5f * rise_V,
                                                      .moved = moved });
    if (!stepped)
        return;
    s->h = f->model.h;
    s->ocv_V += rise_V;
    s->model_ms = 0;
}

void sop_step(struct sop *s, const struct soc *soc, const struct soc_in *in)
{
    follow(s, soc, in);
    s->since_ms += in->dt_ms;
    if (s->since_ms < PERIOD_MS)
        return;
    s->since_ms = 0;
    work_out(s, soc, (enum sop_ask)s->next, in->params);
    s->next = (s->next + 1) % SOP_ASKS;
}
