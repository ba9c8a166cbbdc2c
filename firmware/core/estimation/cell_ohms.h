/* SPDX-License-Identifier: Apache-2.0 */
/* cell_ohms.h -- how much more or less resistance each cell has than the mean cell, and the mean cell than its profile, for the power (sop.h).
 *
 * Small pulses of a few millivolts say little a reading, and much in some thousand readings. All readings of a second are averaged, and the seconds of a stretch
 * of two minutes fitted by least squares:
 *
 *     cell - mean cell = -more * drop + a * charge moved + b        mean cell - ocv = -scale * drop + a * charge moved + b
 *
 * drop is that of the model at scale 1; a and b take up other capacities, the offsets of the sensors, an OCV that is off, and whatever is slow. The three
 * columns are the same for all cells, so a cell costs four sums and three multiplications a second. At the end of a stretch a and b are forgotten and what it told of
 * the resistances is added to what is known, which fades in half an hour.
 *
 * cell_delta.h has a resistance too, of one reading a second under a noise that lasts: it keeps the differences in SOC honest and no more.
 */
#ifndef FIRMWARE_ESTIMATION_CELL_OHMS_H
#define FIRMWARE_ESTIMATION_CELL_OHMS_H

#include <stdbool.h>
#include <stdint.h>

#include "common/units.h"

enum { OHMS_DROP, OHMS_MOVED, OHMS_ONE, OHMS_COLUMNS };

struct cell_ohms {
    uint32_t sum_mV[PACK_CELLS_MAX]; /* readings of this second */
    float sum[OHMS_COLUMNS];         /* of the model in this second: drop, charge, steps */
    float sum_ocv_V;
    int32_t readings;
    int32_t cells;
    uint32_t since_ms; /* the last reading */
    bool spoilt;       /* a value was missing in this second */

    float moved;                         /* capacities since the stretch began, positive on discharge */
    int32_t seconds;                     /* of this stretch */
    float first_drop_V, first_V;         /* of the mean cell in its first second */
    float S[OHMS_COLUMNS][OHMS_COLUMNS]; /* sums of column times column */
    float told;                          /* by the stretches before: what is left of the first column, squared, */
    struct cell_ohms_sums {
        float y[OHMS_COLUMNS]; /* column times voltage */
        float told;            /* and of the first column times voltage */
    } cell[PACK_CELLS_MAX], mean;
};

struct cell_ohms_in { /* a step of the board, and the model at it */
    uint32_t dt_ms;
    const uint16_t *cell_mV; /* [cells]; looked at only when complete */
    int32_t cells;
    bool complete;
    bool stepped; /* the model has just gone on, with the mean current since it did last; else the rest is not looked at */
    bool known;   /* by a known current, from a known SOC */
    float drop_V; /* at scale 1 */
    float ocv_V;  /* mean over this step */
    float moved;  /* capacities in this step, positive on discharge */
};

struct cell_ohms_fit {        /* what the sums say now */
    float keep[OHMS_COLUMNS]; /* column times voltage to the first column's share */
    float told;
    float scale; /* of the mean cell */
    float
        unseen; /* by so much the worst cell is likely to be worse than it seems, since all are taken to be nearer to the mean than they are */
};

void cell_ohms_init(struct cell_ohms *o);
void cell_ohms_step(struct cell_ohms *o, const struct cell_ohms_in *in);

/* `scale` with variance `scale_2` is what is known of the mean cell without this. */
struct cell_ohms_fit cell_ohms_fit(const struct cell_ohms *o, float scale, float scale_2);

/* Its resistance against the mean cell's, minus 1. */
float cell_ohms_more(const struct cell_ohms *o, const struct cell_ohms_fit *fit, int32_t cell);

#endif
