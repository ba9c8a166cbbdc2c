/* SPDX-License-Identifier: Apache-2.0 */
/* fake_chain.h -- a tiny AFE chain for the tests of the driver: answers as proto/afe.h says, with faults on demand. Not the simulator. */
#ifndef TESTS_FAKE_CHAIN_H
#define TESTS_FAKE_CHAIN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/units.h"
#include "proto/afe.h"

struct fake_chip {
    bool dead;      /* breaks the chain in front of it */
    bool mute;      /* takes part, answers nothing */
    bool spoil_crc; /* answers with a wrong CRC */
    int address;    /* -1 = none */
    uint32_t channels;
    uint8_t nchan, cbtime, status;
    uint16_t cbenbl;
    unsigned cbenbl_writes;
    uint16_t cell_raw[AFE_CELLS_MAX];
    uint16_t aux_raw[AFE_AUX_INPUTS];
    uint16_t die_raw;
};

struct fake_chain {
    int chips;
    struct fake_chip chip[AFE_DEVICES_MAX];
    uint8_t out[4096];
    size_t out_len;
    unsigned bad_commands, scans, addressings; /* bad: no frame, or a register with a length that is not its own */
    unsigned probes;                           /* rounds of questions for an address, counted by that for the lowest chip */
};

/* Powered up, without addresses; every cell at cell_mV, every probe at 25 degC, every die at 40 degC. */
void fake_chain_init(struct fake_chain *c, int chips, int cell_mV);

/* One chip loses its power for a moment. */
void fake_chain_reset_chip(struct fake_chain *c, int chip);

/* Raw value of a voltage. */
uint16_t fake_raw(int mV);

/* Raw value of a die's temperature, to the nearest. */
uint16_t fake_die(int32_t ddegC);

/* Bytes from the BIU; the answers gather in out[]. The caller empties out_len. */
void fake_chain_receive(struct fake_chain *c, const uint8_t *p, size_t n);

#endif
