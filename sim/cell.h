/* SPDX-License-Identifier: Apache-2.0 */
/* cell.h -- one battery cell: open-circuit voltage, hysteresis, resistance with two slow branches, and heat.
 *
 *   v = OCV(soc) + hysteresis - i R0 - v1 - v2        i positive on discharge
 *
 * A physical model for the test bench, in double and SI-like units (V, A, degC, s). The firmware never sees it; it sees AFE registers.
 * Resistances grow in the cold (Arrhenius). Called by sim/cells.c, every 10 ms for the electrical part and every second for the heat.
 */
#ifndef SIM_CELL_H
#define SIM_CELL_H

#include "proto/tables.h"

struct cell_type {       /* of one chemistry, for a cell of the pack's capacity; made by cell_type_init() */
    const double *ocv_V; /* CELL_OCV_POINTS values, 0 to 100 % */
    double capacity_As;
    double r0_ohm, r1_ohm, r2_ohm;
    double keep1, keep2; /* what is left of v1, v2 after one electrical step */
    double hysteresis_V; /* half the gap between the charge and discharge curves */
    double heat_J_per_K;
    double min_V, max_V; /* where a load or a charger stops */
};

enum { CELL_OCV_POINTS = 21, CELL_STEP_MS = 10 };

struct cell {
    double soc;        /* 0 to 1; a little beyond on abuse */
    double v1_V, v2_V; /* slow branches */
    double hysteresis; /* -1 after discharge, +1 after charge */
    double temp_C;
    double size;       /* capacity of this cell / nominal */
    double stiffness;  /* resistance of this cell / nominal */
    double cold;       /* resistance factor of its temperature */
    double heat_J;     /* made since the last cell_warm() */
    double terminal_V; /* after the last step */
};

/* chemistry of proto/tables.h, nominal capacity in mAh. */
void cell_type_init(struct cell_type *type, enum chemistry chemistry, double capacity_mAh);

/* Open-circuit voltage at soc, clamped to the ends of the curve by a straight line. */
double cell_ocv_V(const struct cell_type *type, double soc);

/* One step of CELL_STEP_MS at current_A through the cell (load plus bypass). */
void cell_step(struct cell *cell, const struct cell_type *type, double current_A);

/* Put the heat made since the last call, plus flow_W from the neighbours over dt_s, into the temperature. */
void cell_warm(struct cell *cell, const struct cell_type *type, double flow_W, double dt_s);

#endif
