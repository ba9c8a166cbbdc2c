/* SPDX-License-Identifier: Apache-2.0 */
/* crossing.h -- bring a BIU on the rig into any contactor state, cross the limit of any alarm there, and measure the time to its reaction.
 *
 * The reaction: a row that opens (at once, or without load), while a relay is commanded closed, has reacted when all are commanded open; every
 * other one when its alarm stands. A row that waits for no load finds one that does not go. Time runs from the end of the step before the crossing, so that the wait for the next scan or frame is in it.
 */
#ifndef TESTS_CROSSING_H
#define TESTS_CROSSING_H

#include "tests/unit/firmware/rig.h"

enum crossing_set { CROSSING_SHIPPED, CROSSING_MILDEST, CROSSING_HARDEST }; /* the reactions of all rows */

enum { CROSSING_PHASES = 4, CROSSING_WAIT_MS = 30000, CROSSING_NEVER = INT32_MAX };

/* Default parameters of NMC with these reactions. params[PARAMS]. */
void crossing_params(enum crossing_set set, int32_t *params);

/* 48 NMC cells in this state; `phase` 0 to 3 shifts all that follows by 10 ms each against scans. False: the state was not reached. */
bool crossing_reach(struct rig *r, enum contactor_state state, unsigned phase, enum crossing_set set);

/* The row can be crossed in the state that the rig is in. */
bool crossing_applies(const struct rig *r, enum alarm alarm);

/* Cross the limit, exactly at it, and step; returns the ms until the reaction, or CROSSING_NEVER. A delay of the row of more than 10 s is cut to
 * that, and what was cut off is added. */
uint32_t crossing_reaction_ms(struct rig *r, enum alarm alarm);

/* The worst over all states and phases; *cases is increased by how many there were. */
uint32_t crossing_worst_ms(struct rig *r, enum alarm alarm, enum crossing_set set, unsigned *cases);

#endif
