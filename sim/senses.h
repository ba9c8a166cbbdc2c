/* SPDX-License-Identifier: Apache-2.0 */
/* senses.h -- what is true at the board's own inputs: insulation and the bridge, charging interface, interlock, sensors of the current (ME-3, 5, 6, 9 to 11).
 *
 * The chassis finds its place between the rails through the insulation, the bridge and the Y capacitors; it starts in the middle.
 */
#ifndef SIM_SENSES_H
#define SIM_SENSES_H

#include <stdbool.h>
#include <stdint.h>

#include "firmware/core/measure/sense.h"

enum { SENSES_BRIDGE_kohm = 500, SENSES_DIVIDER_kohm = 10000 }; /* of this board: the defaults of its parameters */

struct senses {
    double pos_kohm, neg_kohm;              /* insulation of each rail */
    double bridge_kohm[2], divider_kohm[2]; /* of the board: positive, negative rail; as built, not as bought */
    double y_uF;                            /* all Y capacitors together */
    double pos_share;                       /* positive rail above chassis, as a share of the pack's voltage */
    uint8_t bridge;                         /* SENSE_BRIDGE_* connected */
    bool hvil_closed;
    double inlet_C[SENSE_INLETS];
    double cc_ohm; /* INFINITY: nothing is plugged in */
    double cp_V;   /* CP while it is high */
    double cp_share;
    double cc2_V;
    double analog_V[SENSE_ANALOGS];
    double sensor_C; /* of the Hall sensor or shunt */
};

/* A healthy vehicle with nothing plugged in, at room temperature. */
void senses_init(struct senses *s);

/* A slow charger is plugged in, whose cable carries 32 A, and offers all of that; or nothing is. */
void senses_plug_slow(struct senses *s, bool in);

/* The chassis moves for so long. */
void senses_step(struct senses *s, double ms);

/* What an ideal board reads. current_A: positive on discharge. */
void senses_read(const struct senses *s, double pack_V, double current_A, struct sense *out);

#endif
