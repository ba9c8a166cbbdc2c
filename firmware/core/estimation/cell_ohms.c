/* SPDX-License-Identifier: Apache-2.0 */
#include "firmware/core/estimation/cell_ohms.h"

#include <math.h>
#include <string.h>

#define READ_MS     20       /* the chain is read no more often */
#define STEPS       10       /* of the model in a second */
#define STRETCH     120      /* seconds */
#define FADES_s     1800.0f  /* a pack warms and cools unevenly within this time */
#define NOISE_V     0.00012f /* of a second's mean of one cell against the mean cell, 1 sigma */
#define MEAN_V      0.0003f  /* of the mean cell against its model */
#define CELL_SPREAD 0.04f    /* of the resistances in a pack, 1 sigma */
#define RIDGE       (NOISE_V * NOISE_V / (CELL_SPREAD * CELL_SPREAD))
#define TREND_V     0.05f /* two cells drift apart by so much in a capacity, 1 sigma */
#define MORE_MOST   0.5f
#define SCALE_LEAST 0.4f
#define SCALE_MOST  3.0f

void cell_ohms_init(struct cell_ohms *o)
{
    *o = (struct cell_ohms) { 0 };
}

/* What of the first column the others do not explain: its sum of squares, and how column times voltage makes its share. */
static float eliminate(const float S[OHMS_COLUMNS][OHMS_COLUMNS], float keep[OHMS_COLUMNS])
{
    float moved2 = S[OHMS_MOVED][OHMS_MOVED] + NOISE_V * NOISE_V / (TREND_V * TREND_V);
    float both = S[OHMS_MOVED][OHMS_ONE], ones = S[OHMS_ONE][OHMS_ONE];
    float det = moved2 * ones - both * both;

    keep[OHMS_DROP] = 1.0f;
    keep[OHMS_MOVED] = keep[OHMS_ONE] = 0.0f;
    if (!(det > 0.0f))
        return 0.0f;
    keep[OHMS_MOVED] = -(S[OHMS_DROP][OHMS_MOVED] * ones - S[OHMS_DROP][OHMS_ONE] * both) / det;
    keep[OHMS_ONE] = -(S[OHMS_DROP][OHMS_ONE] * moved2 - S[OHMS_DROP][OHMS_MOVED] * both) / det;
    float left = S[OHMS_DROP][OHMS_DROP] + keep[OHMS_MOVED] * S[OHMS_DROP][OHMS_MOVED] + keep[OHMS_ONE] * S[OHMS_DROP][OHMS_ONE];

    return fmaxf(left, 0.0f);
}

static float share(const struct cell_ohms_sums *c, const float keep[OHMS_COLUMNS])
{
    return c->told + keep[OHMS_DROP] * c->y[OHMS_DROP] + keep[OHMS_MOVED] * c->y[OHMS_MOVED] + keep[OHMS_ONE] * c->y[OHMS_ONE];
}

static void close_sums(struct cell_ohms_sums *c, const float keep[OHMS_COLUMNS], float fade)
{
    *c = (struct cell_ohms_sums) { .told = fade * share(c, keep) };
}

/* The end of a stretch. */
static void begin_stretch(struct cell_ohms *o)
{
    if (o->seconds == 0)
        return;
    float keep[OHMS_COLUMNS], fade = expf(-(float)o->seconds / FADES_s);

    o->told = fade * (o->told + eliminate(o->S, keep));
    for (int32_t i = 0; i < o->cells; i++)
        close_sums(&o->cell[i], keep, fade);
    close_sums(&o->mean, keep, fade);
    memset(o->S, 0, sizeof(o->S));
    o->seconds = 0;
    o->moved = 0.0f;
}

static void add(struct cell_ohms_sums *c, const float column[OHMS_COLUMNS], float volts)
{
    for (int k = 0; k < OHMS_COLUMNS; k++)
        c->y[k] += column[k] * volts;
}

static void take_second(struct cell_ohms *o)
{
    float drop_V = o->sum[OHMS_DROP] / STEPS, to_V = 0.001f / (float)o->readings;
    uint32_t all_mV = 0;

    for (int32_t i = 0; i < o->cells; i++)
        all_mV += o->sum_mV[i];
    float mean_V = to_V * (float)all_mV / (float)o->cells, apart_V = mean_V - o->sum_ocv_V / STEPS;

    if (o->seconds == 0) { /* counted from here: single precision has no room for what a constant takes up anyway */
        o->first_drop_V = drop_V;
        o->first_V = apart_V;
    }
    const float column[OHMS_COLUMNS] = { drop_V - o->first_drop_V, o->sum[OHMS_MOVED] / STEPS, 1.0f };

    for (int32_t i = 0; i < o->cells; i++)
        add(&o->cell[i], column, to_V * (float)o->sum_mV[i] - mean_V);
    add(&o->mean, column, apart_V - o->first_V);
    for (int j = 0; j < OHMS_COLUMNS; j++)
        for (int k = 0; k < OHMS_COLUMNS; k++)
            o->S[j][k] += column[j] * column[k];
    if (++o->seconds >= STRETCH)
        begin_stretch(o);
}

static void begin_second(struct cell_ohms *o)
{
    memset(o->sum_mV, 0, sizeof(o->sum_mV));
    memset(o->sum, 0, sizeof(o->sum));
    o->sum_ocv_V = 0.0f;
    o->readings = 0;
    o->spoilt = false;
}

static void read_cells(struct cell_ohms *o, const struct cell_ohms_in *in)
{
    o->since_ms += in->dt_ms;
    if (o->since_ms < READ_MS)
        return;
    o->since_ms = 0;
    if (in->cells != o->cells)
        cell_ohms_init(o);
    o->cells = in->cells;
    o->spoilt = o->spoilt || !in->complete;
    if (o->spoilt)
        return;
    for (int32_t i = 0; i < o->cells; i++)
        o->sum_mV[i] += in->cell_mV[i];
    o->readings++;
}

void cell_ohms_step(struct cell_ohms *o, const struct cell_ohms_in *in)
{
    o->spoilt = o->spoilt || !in->known;
    read_cells(o, in);
    if (!in->stepped)
        return;
    o->sum[OHMS_DROP] += in->drop_V;
    o->sum[OHMS_MOVED] += o->moved + 0.5f * in->moved;
    o->sum[OHMS_ONE] += 1.0f;
    o->sum_ocv_V += in->ocv_V;
    o->moved += in->moved;
    if (o->sum[OHMS_ONE] < STEPS)
        return;
    if (o->spoilt)
        begin_stretch(o); /* what was an offset before may be another one now */
    else if (o->readings > 0 && o->cells > 0)
        take_second(o);
    begin_second(o);
}

struct cell_ohms_fit cell_ohms_fit(const struct cell_ohms *o, float scale, float scale_2)
{
    struct cell_ohms_fit fit;
    float known = MEAN_V * MEAN_V / scale_2;
    float worst = 0.63f + 0.38f * logf(fmaxf((float)o->cells, 1.0f)); /* of so many normal numbers, in their spread: 1.4 of 8, 2.6 of 160 */

    fit.told = o->told + eliminate(o->S, fit.keep);
    fit.scale = fminf(fmaxf((known * scale - share(&o->mean, fit.keep)) / (known + fit.told), SCALE_LEAST), SCALE_MOST);
    fit.unseen = worst * CELL_SPREAD * (1.0f - sqrtf(fit.told / (fit.told + RIDGE)));
    return fit;
}

float cell_ohms_more(const struct cell_ohms *o, const struct cell_ohms_fit *fit, int32_t cell)
{
    float more = -share(&o->cell[cell], fit->keep) / ((fit->told + RIDGE) * fit->scale);

    return fminf(fmaxf(more, -MORE_MOST), MORE_MOST);
}
