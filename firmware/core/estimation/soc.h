/* SPDX-License-Identifier: Apache-2.0 */
/* soc.h -- state of charge of the pack, of its weakest and strongest cell, and what is left (ES-1, ES-4, ES-5).
 *
 * The mean cell is followed by the filter of estimation/soc_filter.h ten times a second, each cell by its difference from the mean
 * (estimation/cell_delta.h) once a second, a few cells a step. The filter sees a cell of its profile: the current is scaled by the capacities.
 *
 *   - First start: the SOC of the voltage without the drop of the current, and as sure as that is; a start under load is wide, not wrong.
 *   - After a power loss: what was saved, with its variance, unless the cells say that they are others.
 *   - A rest of ocv_rest_ms makes the next voltage an open-circuit voltage; a sleep counts as a rest.
 *   - Two of these anchors (rest where the curve is steep, full, empty) and the charge between them are a window for the capacity (estimation/soh.h).
 *   - Full: charging, the highest cell at full_cell_mV, little current; its SOC is that of the curve there, so a charge that ends below the top of the curve
 *     is not called 100 %. Empty: the lowest cell at empty_cell_mV, little current.
 *
 * Pure logic in single precision. Known weakness: the differences of the cells are not kept over a power loss.
 */
#ifndef FIRMWARE_SOC_H
#define FIRMWARE_SOC_H

#include <stdbool.h>
#include <stdint.h>

#include "common/units.h"
#include "firmware/core/estimation/cell_delta.h"
#include "firmware/core/estimation/charge_time.h"
#include "firmware/core/estimation/soc_filter.h"
#include "firmware/core/estimation/soh.h"
#include "proto/tables.h"

enum {
    SOC_NOT_SET = 65535, /* what a tool shows while no SOC was set by calibration (ES-5) */
    SOC_STEP_MS = 100,
    SOC_MINUTES_MAX = 60000
};

struct soc_saved { /* what must outlive the power */
    int64_t left_mAms;
    float sigma;  /* of the SOC, 0 to 1; 0: not saved, so that hardly anything is known */
    float bias_C; /* of the current sensor, capacities an hour */
    float scale;  /* of the resistances */
    float h;      /* of the curve, -1 to 1 */
    float soh;    /* 0: not saved */
    float soh_sigma;
};

struct soc_anchor { /* where the SOC was known without counting, and what went through since */
    bool known;
    float soc, sigma;
    float share, moved, hours; /* net discharge and all charge, capacities of the profile */
    float aged;                /* since the last window */
};

struct soc {
    struct soc_filter mean;
    struct cell_delta cell[PACK_CELLS_MAX];
    int32_t cells; /* with a delta */
    int32_t capacity_mAh;
    int64_t sum_mAms; /* since the last step of the filter: charge, */
    uint32_t sum_ms;  /* its time with a current, */
    uint32_t past_ms; /* and all of the time */
    float mean_V;     /* at the last step of the filter; NaN: not all cells had a value */
    struct cell_view view;
    int32_t next; /* cell whose delta is next */
    struct soc_turn {
        float s, moved;
    } turn, last_turn;  /* time and capacities moved while every cell had one turn */
    uint32_t rested_ms; /* |current| has been below the limit for so long */
    uint32_t ended_ms;  /* full or empty for so long */
    float slow_mA;      /* mean of the last minutes */
    struct soh soh;
    struct soc_anchor anchor;
    struct charge_time charge;
    bool ocv_due; /* the next voltage is an open-circuit voltage */
    bool known;
    bool restored;     /* not yet compared with the cells */
    bool rest_is_told; /* once a rest */
    bool end_is_told;
    bool calibrated;
    int32_t calibrated_permyriad;
};

struct soc_in {
    uint32_t dt_ms;
    int32_t current_mA;      /* sample scalar */
    const uint16_t *cell_mV; /* [cells]; looked at only when complete */
    int32_t cells;
    bool complete;      /* every cell has a value */
    int32_t temp_ddegC; /* mean of the probes, sample scalar */
    bool charging;
    const int32_t *params; /* running copy */
};

/* Not known yet. Chemistry, cell_profile and capacity_mAh are read here. */
void soc_init(struct soc *s, const int32_t *params);

/* What was saved when the board went off. Dropped at the first complete measurement when these are other cells. */
void soc_restore(struct soc *s, const struct soc_saved *saved);
void soc_save(const struct soc *s, struct soc_saved *saved); /* only when known */

void soc_step(struct soc *s, const struct soc_in *in);

/* After a sleep of so many ms in which nothing was counted and as good as nothing flowed. */
void soc_wake(struct soc *s, uint32_t slept_ms, const int32_t *params);

/* Set by calibration (ES-5): 0 to 10,000 permyriad, BMS_ERR_RANGE beyond. What was set last since the start, SOC_NOT_SET before that. */
int soc_set(struct soc *s, int32_t permyriad);
int32_t soc_calibrated(const struct soc *s);

/* Sample scalars; scalar_invalid(NEVER) while not known. */
int32_t soc_permyriad(const struct soc *s);
int32_t soc_band_permyriad(const struct soc *s); /* the true SOC is within so much in 95 % of cases */
int32_t soc_cell_min_permyriad(const struct soc *s);
int32_t soc_cell_max_permyriad(const struct soc *s);
int32_t soc_resistance_permyriad(const struct soc *s); /* against that of the profile */
int32_t soc_soh_permyriad(const struct soc *s);        /* capacity against capacity_mAh (ES-2) */
int32_t soc_soh_band_permyriad(const struct soc *s);
int32_t soc_left_mAh(const struct soc *s);
int32_t soc_left_Wh(const struct soc *s); /* OCV of what is left, all cells */

/* At the mean current of the last minutes; SOC_MINUTES_MAX when it does not go there. To full: with the taper at charge_cell_mV (charge_time.h). */
int32_t soc_time_to_full_min(const struct soc *s);
int32_t soc_time_to_empty_min(const struct soc *s);

/* The curve of a chemistry's plain cell at 25 degC, both ways: 0 to 10,000 permyriad; mV of one cell at rest. Outside the curve the nearest end. */
int32_t soc_of_ocv(enum chemistry chemistry, int32_t mV);
int32_t soc_ocv_mV(enum chemistry chemistry, int32_t permyriad);

#endif
