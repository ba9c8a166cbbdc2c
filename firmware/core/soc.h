/* SPDX-License-Identifier: Apache-2.0 */
/* soc.h -- state of charge by open-circuit voltage and counting, and what is left (ES-4).
 *
 * The first complete measurement gives the start, from the chemistry's OCV curve and the mean cell; then current is counted; after a rest
 * of ocv_rest_ms the curve sets it again, but not where the curve is flatter than 1 mV for 1 % (the middle of LFP). Known weakness: a
 * start under load is wrong by the voltage drop until the first rest; an estimator with a model is a module of its own.
 */
#ifndef FIRMWARE_SOC_H
#define FIRMWARE_SOC_H

#include <stdbool.h>
#include <stdint.h>

#include "proto/tables.h"

enum { SOC_NOT_SET = 65535 }; /* what a tool shows while no SOC was set by calibration (ES-5) */

struct soc {
    enum chemistry chemistry;
    int64_t full_mAms;  /* capacity, mA ms */
    int64_t left_mAms;  /* 0 to full */
    uint32_t rested_ms; /* |current| has been below the limit for so long */
    bool known;
    bool restored; /* from the key data, not yet compared with the cells */
    bool calibrated;
    int32_t calibrated_permyriad;
};

struct soc_in {
    uint32_t dt_ms;
    int32_t current_mA; /* sample scalar */
    int32_t mean_mV;    /* mean cell; looked at only when complete */
    bool complete;      /* every cell has a value */
    int32_t rest_ms;    /* ocv_rest_ms */
    int32_t rest_mA;    /* ocv_rest_current_mA */
};

/* Not known yet. */
void soc_init(struct soc *s, enum chemistry chemistry, int32_t capacity_mAh);

/* What was left when the board went off. The first complete measurement drops it when the curve says otherwise by more than 10 %, where the curve
 * can tell: then these are other cells. */
void soc_restore(struct soc *s, int64_t left_mAms);

void soc_step(struct soc *s, const struct soc_in *in);

/* After a sleep: nothing was counted, and the rest is counted afresh. */
void soc_wake(struct soc *s);

/* Set by calibration (ES-5): 0 to 10,000 permyriad, BMS_ERR_RANGE beyond. What was set last since the start, SOC_NOT_SET before that. */
int soc_set(struct soc *s, int32_t permyriad);
int32_t soc_calibrated(const struct soc *s);

/* Sample scalars; scalar_invalid(NEVER) while not known. Energy: what is left times the mean of the curve below, for `cells` in series. */
int32_t soc_permyriad(const struct soc *s);
int32_t soc_left_mAh(const struct soc *s);
int32_t soc_left_Wh(const struct soc *s, int32_t cells);

/* The curve, both ways: 0 to 10,000 permyriad; mV of one cell at rest. Outside the curve the nearest end. */
int32_t soc_of_ocv(enum chemistry chemistry, int32_t mV);
int32_t soc_ocv_mV(enum chemistry chemistry, int32_t permyriad);

#endif
