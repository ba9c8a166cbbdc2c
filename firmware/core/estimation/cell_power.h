/* SPDX-License-Identifier: Apache-2.0 */
/* cell_power.h -- the largest constant current that one cell can give or take for some seconds without leaving its limits (SOP).
 *
 * The model is run ahead from its state of now (polarisation and hysteresis included) and the current is found by halving an interval: a bounded number of
 * predictions. Limits: voltage, SOC and current. A high limit of the temperature is
 * the pack's (limits.h); what the cell warms up meanwhile lowers its resistance, which counts in the cold.
 */
#ifndef FIRMWARE_ESTIMATION_CELL_POWER_H
#define FIRMWARE_ESTIMATION_CELL_POWER_H

#include <stdbool.h>

#include "firmware/core/estimation/cell_model.h"

struct cell_power_in {
    const struct cell_model *model; /* the cell as it is now; borrowed */
    float temp_degC;
    float soc;         /* 0 to 1 */
    float scale;       /* its resistances against those of the profile */
    float error_V;     /* slow error of the model: V = model - error */
    float capacity_Ah; /* of now */
    float seconds;     /* how long, above 0 */
    float limit_V;     /* lowest voltage for discharge, highest for charge */
    float most_A;      /* never more than this, positive */
    bool charge;       /* else discharge */
    bool past_soc;     /* the SOC is no limit: what it says may be wrong, the voltage is not */
};

/* Positive in both directions, 0 to most_A. */
float cell_power_A(const struct cell_power_in *in);

/* How far the voltage stays inside of its limit with this current, positive in both directions, where it comes nearest to it; negative: outside. */
float cell_power_room_V(const struct cell_power_in *in, float amount_A);

#endif
