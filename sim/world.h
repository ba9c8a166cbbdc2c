/* SPDX-License-Identifier: Apache-2.0 */
/* world.h -- what surrounds the board: the AFE chain at its pins, contactors, current sensor, low-voltage inputs, and the true values.
 *
 * Somebody moves it: sim/model.c (cells, road, charger) or sim/replay.c (a recorded log). sim/board.c looks at it through the firmware's ports;
 * the firmware cannot tell the two apart.
 */
#ifndef SIM_WORLD_H
#define SIM_WORLD_H

#include "firmware/port/input_port.h"
#include "sim/afe_chain.h"
#include "sim/contactors.h"
#include "sim/csu.h"
#include "sim/probe.h"
#include "sim/senses.h"
#include "sim/wiring.h"

enum { WORLD_STEP_MS = 10, WORLD_NO_CELL_VALUE = 0xFFFF };

struct world_board {         /* what is wrong with the board itself; injected */
    bool ram_bit, flash_bit; /* one bit that does not hold, one that has changed */
    bool watchdog;           /* its last start was the watchdog's */
    bool late;               /* every step takes longer than its slot */
    double clock_ppm;        /* its clock is fast by so much */
};

struct world_told { /* what the board tells vehicle and charger; without a board nothing is limited */
    double discharge_A, charge_A;
    bool charger_on; /* the charger shall give charger_A */
    double charger_A;
    bool charge_over; /* the board will not go on charging until the plug has been pulled */
};

struct world {
    struct world_board board;
    struct wiring wiring;
    struct afe_chain chain;
    struct contactors contactors;
    struct csu csu;
    struct probe probe;
    struct senses senses;
    struct input_reading inputs; /* link_voltage_mV follows the contactors, sense the senses, the rest is set by who moves the world */
    double current_A;            /* positive on discharge */
    double link_V;               /* behind the contactors */
    struct world_told told;      /* set by the board, obeyed by who moves the world */
    bool hole[PACK_CELLS_MAX];   /* the log has no value for this cell now */
};

void world_init(struct world *w, const struct wiring *wiring, double noise_mV, uint64_t seed);

/* Cell i (0-based) has this voltage. */
void world_set_cell(struct world *w, int i, double mV);

/* Channel k (0 to 3) of chip i has a probe at this temperature. */
void world_set_probe(struct world *w, int chip, int channel, double temp_C);

void world_set_pack_V(struct world *w, double volts);

/* What each cell was when the chips last measured it, to the nearest mV, or WORLD_NO_CELL_VALUE. mV[wiring.cells] */
void world_truth(const struct world *w, uint16_t *mV);

/* 10 ms: relays move, the link charges or drains, balancing times run. */
void world_step(struct world *w);

#endif
