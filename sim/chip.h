/* SPDX-License-Identifier: Apache-2.0 */
/* chip.h -- one simulated AFE chip of the daisy chain, at register level (proto/afe.h is its data sheet).
 *
 * It knows registers, addressing, balancing and its own faults; frames, links and CRCs are sim/afe_chain.c. What it measures comes from
 * the world through `struct chip_sense`: the true voltages and probe readings at its pins.
 */
#ifndef SIM_CHIP_H
#define SIM_CHIP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/units.h"
#include "proto/afe.h"
#include "sim/noise.h"

enum { CHIP_REGISTERS = 128, CHIP_FAULT_COM = 0x0001 /* bit of AFE_REG_FAULT_SUM: a frame with a bad CRC came */ };

struct chip_sense { /* at the pins of one chip, written by the world */
    double cell_mV[AFE_CELLS_MAX];
    uint16_t aux_code[AFE_AUX_INPUTS]; /* sim/probe.h; PROBE_OPEN where nothing is fitted */
    uint8_t cells;                     /* wired to this chip */
    double board_C;                    /* what is around the chip */
};

struct chip_faults {      /* injected; all zero = healthy */
    uint32_t open_taps;   /* bit j: sense wire j is broken; wire j lies between cell j and cell j + 1, wire 0 at the negative end */
    uint16_t stuck_cells; /* bit k: cell k + 1 keeps its last reading */
    double die_C;         /* not 0: the die has this temperature */
    bool bad_crc;         /* its next answer carries a wrong CRC; cleared when used */
};

struct chip {
    struct chip_sense sense;
    struct chip_faults faults;
    double noise_mV;            /* deviation of one cell reading */
    bool addressed, addressing; /* has an address; waits for one */
    uint8_t reg[CHIP_REGISTERS];
    uint16_t code[AFE_CELLS_MAX]; /* last readings */
    double was_mV[AFE_CELLS_MAX]; /* and the truth at that instant, for those who compare */
    double die_C;                 /* follows the board and the bypasses that are on */
    uint32_t balance_left_ms;     /* 0 with CBTIME 0: no limit */
};

/* Power-on: registers to their reset values, no address. The world's part (sense, faults, noise) stays. */
void chip_reset(struct chip *chip);

/* 1 to 6 bytes into consecutive registers. Read-only and unknown ones ignore it. */
void chip_write(struct chip *chip, uint8_t reg, const uint8_t *data, size_t n);

/* n bytes of consecutive registers; those beyond the last read 0. */
void chip_read(const struct chip *chip, uint8_t reg, uint8_t *data, size_t n);

/* Measure now, and put the channels chosen in AFE_REG_CHANNELS into data[2 * (AFE_CELLS_MAX + AFE_AUX_INPUTS)]. Returns the bytes. */
size_t chip_sample(struct chip *chip, struct noise *noise, uint8_t *data);

/* A frame with a bad CRC came by. */
void chip_count_bad_frame(struct chip *chip);

/* Time for the balancing limit. */
void chip_step(struct chip *chip, uint32_t ms);

/* Bypasses that are on now: bit k = cell k + 1. */
uint16_t chip_bypass(const struct chip *chip);

uint8_t chip_address(const struct chip *chip);

#endif
