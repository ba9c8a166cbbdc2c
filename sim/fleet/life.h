/* SPDX-License-Identifier: Apache-2.0 */
/* life.h -- what a vehicle of the fleet does, and the samples that its board would take. Repeatable by seed.
 *
 *   DRIVING --> PARKED --> CHARGING --> PARKED --> DRIVING ..      each for some minutes
 *
 * Beside that its radio goes away now and then (--offline); then the journal fills, and is sent when it is back. Not a model of cells: sim/world.h
 * is one. Voltages follow charge and current closely enough that records are as long as those of a real pack.
 */
#ifndef SIM_FLEET_LIFE_H
#define SIM_FLEET_LIFE_H

#include "proto/sample.h"
#include "sim/noise.h"

struct life_config {
    uint8_t cells, temps;
    unsigned offline_permille; /* share of the time without radio */
    uint32_t boot;             /* of all samples: another one for each run, or the server takes them for old ones */
};

struct life {
    struct life_config config;
    struct noise noise;
    enum pack_mode mode;
    uint32_t mode_left_s, radio_left_s;
    bool radio;
    double charge, current_A; /* 0 to 1; positive on discharge */
    int8_t apart_mV[PACK_CELLS_MAX];
    uint32_t no;
};

void life_init(struct life *l, const struct life_config *config, uint64_t seed);

/* The next sample, `dt_s` after the one before. */
void life_sample(struct life *l, double dt_s, uint64_t utc_ms, struct sample *out);

/* A second of radio weather: true while there is a network. */
bool life_radio(struct life *l);

#endif
