/* SPDX-License-Identifier: Apache-2.0 */
/* model.h -- a vehicle that drives, rests and charges, for ever: moves the world by the cell model.
 *
 *   DRIVE ──> REST ──> CHARGE ──> REST ──> DRIVE ..     a scenario says where it starts and how long each lasts
 *
 * The heater of a pack lies in front of RL3: it takes its current from the slow charger, when RL4 is closed and the board asks for it.
 * No current flows while the contactors are open, whatever road and charger want.
 */
#ifndef SIM_MODEL_H
#define SIM_MODEL_H

#include "sim/cells.h"
#include "sim/load.h"
#include "sim/world.h"

enum scenario { SCENARIO_DRIVE, SCENARIO_MIXED, SCENARIO_CHARGE, SCENARIOS };
enum model_phase { MODEL_DRIVE, MODEL_REST_EMPTY, MODEL_CHARGE, MODEL_REST_FULL, MODEL_PHASES };

struct model {
    enum scenario scenario;
    enum model_phase phase;
    double phase_s; /* since it began */
    struct cells cells;
    struct drive drive;
    struct charger charger; /* the slow one */
    bool fast;              /* it is a fast one instead, which somebody else moves: */
    double fast_A;          /* what it drives into the pack, negative */
    double fast_gives_A;    /* what it gives, to the heater while RL3 is open */
    bool fast_over;         /* it has ended the charge */
    struct noise noise;
};

/* "drive", "mixed", "charge" -> the scenario, or BMS_ERR_UNKNOWN. */
int scenario_by_name(const char *name);

void model_init(struct model *m, enum scenario scenario, enum chemistry chemistry, double capacity_mAh, int cells, uint64_t seed);

/* All has stood at this temperature for long. */
void model_soak(struct model *m, double ambient_C);

/* 10 ms of the vehicle; the result goes to the pins of `w`. Call before world_step(). */
void model_step(struct model *m, struct world *w);

#endif
