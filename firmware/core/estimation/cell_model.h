/* SPDX-License-Identifier: Apache-2.0 */
/* cell_model.h -- the voltage of one cell from current, temperature and SOC, by the tables of a profile.
 *
 *     V = ocv(T, s) - m(s) h - drop        drop = r0 I + a asinh(I / i0(T)) + u1 + u2 + u3
 *
 * u_k are the three RC branches, h is the hysteresis: 1 after long discharge, -1 after long charge. Pure logic in single
 * precision; current is positive on discharge.
 */
#ifndef FIRMWARE_ESTIMATION_CELL_MODEL_H
#define FIRMWARE_ESTIMATION_CELL_MODEL_H

#include "firmware/core/estimation/profile.h"

struct cell_model {
    const struct est_profile *p; /* borrowed, must outlive this struct */
    float u_V[EST_BRANCHES];
    float h;
    float h_unsure; /* how far h may be off, 1 sigma; set by who starts, fades as h does */
};

struct cell_view { /* the model at one instant */
    float ocv_V;   /* with hysteresis */
    float slope_V; /* d ocv / d SOC, volts for all of the SOC */
    float drop_V;  /* what current takes from the OCV */
    float per_A_V; /* d drop / d I, had the current flowed for long */
    float m_V;     /* half the gap of the hysteresis here */
};

/* At rest, no hysteresis. */
void cell_model_init(struct cell_model *m, const struct est_profile *p);

/* `dt_s` >= 0 with a constant current. */
void cell_model_step(struct cell_model *m, float dt_s, float current_A, float temp_degC, float soc);

/* As if `current_A` had flowed for long: sets the branches, not the hysteresis. Returns the sum of their resistances. */
float cell_model_settle(struct cell_model *m, float current_A, float temp_degC, float soc);

/* After the step of the same instant. */
struct cell_view cell_model_view(const struct cell_model *m, float current_A, float temp_degC, float soc);

/* OCV between the branches [V]. */
float cell_model_ocv(const struct est_profile *p, float temp_degC, float soc);

/* And back: 0 to 1; outside of the curve the nearest end. */
float cell_model_soc(const struct est_profile *p, float temp_degC, float ocv_V);

#endif
