/* SPDX-License-Identifier: Apache-2.0 */
/* load.h -- what the road and the charger ask of a pack: a seeded drive of accelerations, cruising, regeneration and stops, or CC/CV charge. */
#ifndef SIM_LOAD_H
#define SIM_LOAD_H

#include <stdbool.h>

#include "sim/noise.h"

struct drive {
    double rated_A;   /* the current that empties the pack in an hour */
    double current_A; /* positive on discharge */
    double target_A, slew_A_per_s;
    double left_s; /* of this segment */
    int segment;
};

/* One step of 10 ms; returns the current. */
double drive_step(struct drive *d, struct noise *noise);

struct charger {
    double constant_A; /* CC */
    double constant_V; /* CV, of the highest cell */
    double end_A;      /* full below */
    double current_A;  /* 0 to constant_A, into the pack */
    bool full;
};

/* highest_V: the highest cell. Returns the current, which is negative (into the pack). */
double charger_step(struct charger *c, double highest_V);

#endif
