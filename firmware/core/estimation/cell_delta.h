/* SPDX-License-Identifier: Apache-2.0 */
/* cell_delta.h -- how far one cell is from the mean cell: in SOC, and in resistance.
 *
 * What model and sensors get wrong is nearly the same for all cells of a pack, so the difference of two voltages at one instant says more than either of
 * them: ocv(s + delta) - ocv(s) - drop * more. A Kalman filter with two states a cell, 20 bytes and about 100 floating point operations a step, once a
 * second. Where the OCV is flat a cell keeps what it was last known by, and its bound grows with the charge that went through.
 */
#ifndef FIRMWARE_ESTIMATION_CELL_DELTA_H
#define FIRMWARE_ESTIMATION_CELL_DELTA_H

#include "firmware/core/estimation/cell_model.h"

struct cell_delta {
    float soc;              /* this cell's SOC minus that of the mean cell */
    float ohm;              /* its resistance against the mean cell's, minus 1 */
    float p_ss, p_so, p_oo; /* their covariance */
};

struct cell_delta_in {            /* one instant */
    const struct est_profile *p;  /* of the mean cell's model */
    const struct cell_view *mean; /* the mean cell's model now */
    float mean_soc, mean_V;       /* the mean cell: estimated, measured */
    float temp_degC;
    float voltage_V; /* of this cell */
    float moved;     /* capacities that went through since this cell's last step, 0 or more */
    float dt_s;      /* since then; 0 the first time */
};

void cell_delta_init(struct cell_delta *d);

/* A voltage that no cell of the model has changes nothing. */
void cell_delta_step(struct cell_delta *d, const struct cell_delta_in *in);

#endif
