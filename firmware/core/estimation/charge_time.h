/* SPDX-License-Identifier: Apache-2.0 */
/* charge_time.h -- how long a charge still takes: constant current until the cell is at the end voltage, then that voltage held while the current falls
 * to the end current (ES-4). The cell of the profile is run through its tables in slices of SOC, one slice a call, so that a step of the board
 * stays short. Pure logic in single precision.
 */
#ifndef FIRMWARE_CHARGE_TIME_H
#define FIRMWARE_CHARGE_TIME_H

#include "firmware/core/estimation/profile.h"

enum { CHARGE_TIME_SLICES = 40 }; /* of all of the SOC: after so many calls at most there is a new answer */

struct charge_time_in {
    const struct est_profile *p;
    float temp_degC;
    float soc;         /* 0 to 1 */
    float scale;       /* its resistances against those of the profile */
    float capacity_Ah; /* of the profile's cell, as it is now */
    float current_A;   /* of now, positive while charging */
    float end_V;       /* held at the end of the charge */
    float end_A;       /* full when it takes less than this, above 0 */
};

struct charge_time {
    float hours;                      /* of the last whole run; 0 before the first */
    float soc, run_hours, possible_A; /* at the beginning of the next slice */
    int slices;                       /* left in this run; 0: begin anew */
};

void charge_time_init(struct charge_time *t);

/* One slice; what is in `in` may change between calls, an answer is as new as its run. A current of end_A or less counts as 1 % more than that. */
void charge_time_step(struct charge_time *t, const struct charge_time_in *in);

#endif
