/* SPDX-License-Identifier: Apache-2.0 */
/* unseen_flow.h -- what flowed before the first sample: a start in the middle of a drive or of a charge, with nobody having looked before.
 *
 * Under load the first voltage holds a polarisation that no sample explains. It is not zero on average: who discharges now did so before. What that was
 * depends on the use of the cell, so a profile says what a drive takes on average (drive_C). On recorded drives of an electric car's cells (two makes, 0.5 C,
 * -20 to 25 degC, 18 logs) the three branches stood where 0.5 C + 0.35 of the current now would have brought them, +-0.3 C (1 sigma) at every
 * temperature; those of a small LFP cell that is driven at 0.1 C stood at a fifth of that. So all three go with drive_C. The mean of the next seconds or minutes
 * tells no more than the current of now. A charge is taken to have been as it is. Without current the cell may rest or wait at a light: no polarisation,
 * and the same doubt.
 * And no OCV is above that of a full cell, so a voltage near that one cannot hide much discharge.
 */
#ifndef FIRMWARE_ESTIMATION_UNSEEN_FLOW_H
#define FIRMWARE_ESTIMATION_UNSEEN_FLOW_H

#include "firmware/core/estimation/cell_model.h"

struct first_sample {
    float current_A, voltage_V, temp_degC; /* all finite */
};

/* Brings the branches of `m` to where they are likely to be at this SOC; returns 1 sigma of their sum, in volts. */
float unseen_flow(struct cell_model *m, const struct first_sample *in, float soc);

struct first_soc {
    float soc, error_V; /* and 1 sigma of the polarisation, hysteresis and model in it */
    float trust;        /* 0 to 1: how much of it is from the voltage */
};

/* The SOC at which the model would show this voltage: OCV, resistances and what is likely to have flowed, each at that SOC. What was told (`told_sigma`
 * above 0) holds only where the curve is too flat to say: sigma of the voltage beyond that of what was told. The branches are set as above. About 40 times
 * the work of one step, once. */
struct first_soc unseen_flow_soc(struct cell_model *m, const struct first_sample *in, float told, float told_sigma);

#endif
