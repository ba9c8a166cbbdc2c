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

/* One step of 10 ms; returns the current. The vehicle takes no more than most_A and brakes with no more than -least_A: what the board allows. */
double drive_step(struct drive *d, struct noise *noise, double most_A, double least_A);

struct charger {
    double constant_A; /* CC */
    double constant_V; /* CV, of the highest cell */
    double end_A;      /* full below */
    double current_A;  /* 0 to constant_A, into the pack */
    bool full;
};

/* highest_V: the highest cell. most_A: what the board asks for. Returns the current, which is negative (into the pack). */
double charger_step(struct charger *c, double highest_V, double most_A);

#endif
