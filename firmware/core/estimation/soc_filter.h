/* SPDX-License-Identifier: Apache-2.0 */
/* soc_filter.h -- SOC of one cell (or of the mean cell) by an extended Kalman filter on the cell model, with its 95 % bound.
 *
 * States: SOC, the slow error of the model's voltage, the bias of the current sensor, the scale of all resistances. What the model does
 * not know is in the second state: an error that lasts (slow_s), larger under polarisation and in the cold. So one sample
 * tells little, many samples in a row tell hardly more, and where the OCV is flat or the model weak the filter tends to counting.
 * A long rest lets that error fade, so a rest is an anchor by itself. A charge that tapers off at the full voltage is
 * another one (soc_filter_full()).
 *
 * Not a judge of the plant: values that no sensor should send are not used and widen the bound, nothing more. About 250
 * floating point operations and 6 calls of expf/asinhf a step; no heap; bounded time; 144 bytes.
 */
#ifndef FIRMWARE_ESTIMATION_SOC_FILTER_H
#define FIRMWARE_ESTIMATION_SOC_FILTER_H

#include <stdbool.h>

#include "firmware/core/estimation/cell_model.h"

enum { EST_SOC, EST_ERROR, EST_BIAS, EST_SCALE, EST_STATES };

struct soc_filter {
    struct cell_model model;
    float x[EST_STATES];             /* 0 to 1; V; A; 1 = as in the profile */
    float P[EST_STATES][EST_STATES]; /* symmetric, positive */
    float soc_carry;                 /* what single precision could not add to the SOC yet: small currents for long */
    float soh;                       /* capacity now, share of the profile's */
    float temp_degC, current_A;      /* last good values */
    float last_V, last_moved_A;      /* to see a voltage that stands still */
    float unseen_V;                  /* what flowed before the first voltage, 1 sigma: it fades */
    bool begun;                      /* a voltage has been taken */
    int same;                        /* samples of the same voltage while the current moved */
    float blind_s;                   /* for so long no current was told */
};

struct soc_filter_in {
    float dt_s;      /* since the sample before; 0 at the first */
    float current_A; /* mean over dt_s; NaN: no value */
    float voltage_V; /* NaN: no value */
    float temp_degC; /* NaN: no value, the last one holds */
};

/* `soc` 0 to 1 with `sigma` (0.15 or more: hardly known, the first voltage counts for more); soh above 0. The cell is taken to be in the middle of
 * anything: unseen_flow.h. */
void soc_filter_init(struct soc_filter *f, const struct est_profile *p, float soc, float sigma, float soh);

/* Start from this sample alone: the SOC of its voltage without the drop of its current and without what is likely to have flowed before. Under load
 * the bound is wide, since nobody saw that; the end of a rest will tell. The sample must hold a voltage; without a current, 0 is taken. */
void soc_filter_start(struct soc_filter *f, const struct est_profile *p, float soh, const struct soc_filter_in *in);

/* The SOC that was known before says nothing about this voltage: more than 3 sigma apart, all that may have gone on unseen included. Before
 * the first step. */
bool soc_filter_is_another_cell(const struct soc_filter *f, const struct soc_filter_in *in);

/* One sample, 0.01 to 3600 s after the one before. */
void soc_filter_step(struct soc_filter *f, const struct soc_filter_in *in);

/* Nothing has flowed for long: the polarisation is gone, and the next voltage is an open-circuit voltage. */
void soc_filter_rested(struct soc_filter *f);

/* Somebody knows the SOC within `sigma`: a measurement beside others. */
void soc_filter_anchor(struct soc_filter *f, float soc, float sigma);

/* The charger ended at the full voltage and a small current: the SOC is 1 within `sigma`. */
void soc_filter_full(struct soc_filter *f, float sigma);

/* The SOC is this, whatever the filter thinks (calibration). */
void soc_filter_set(struct soc_filter *f, float soc, float sigma);

/* SOC 0 to 1; and the bound: the true SOC is within soc +- bound in 95 % of all samples. */
float soc_filter_soc(const struct soc_filter *f);
float soc_filter_bound(const struct soc_filter *f);

#endif
