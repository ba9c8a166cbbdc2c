/* SPDX-License-Identifier: Apache-2.0 */
/* afe_faults.h -- what is wrong with the AFE chain now, each fault with its board, chip and cell (ME-12). Looks, changes nothing.
 *
 * The alarms act (afe_silent, cell_tap_open, ...); this tells whoever has to find the fault where to look. A broken link is one fault, named from
 * both ends: the last chip that answers and the first that does not.
 */
#ifndef FIRMWARE_AFE_FAULTS_H
#define FIRMWARE_AFE_FAULTS_H

#include <stddef.h>
#include <stdint.h>

#include "firmware/core/measure/afe.h"
#include "firmware/core/measure/measure.h"

enum { AFE_FAULT_RECENT_MS = 2000, AFE_FAULTS_MAX = 32 }; /* a bad CRC or a reset is told for so long */

enum afe_fault_kind {
    AFE_FAULT_LINK,   /* between `near` and `at`; nothing from `at` on answers */
    AFE_FAULT_SILENT, /* one chip, while one behind it answers */
    AFE_FAULT_CRC,    /* answers with a wrong checksum */
    AFE_FAULT_RESET,  /* the chip had lost its address */
    AFE_FAULT_WIRE,   /* open sense wire at `cell` */
    AFE_FAULT_STUCK,  /* reading of `cell` does not change */
    AFE_FAULT_JUMP,   /* reading of `cell` cannot be true */
};

struct afe_place {
    uint8_t board; /* 0 = BIU, 1 to 10 = BMU */
    uint8_t chip;  /* on that board, from 1; 0 = the BIU's own end of the chain */
};

struct afe_fault {
    enum afe_fault_kind kind;
    struct afe_place at, near; /* near: of a link only */
    uint8_t cell;              /* of the pack, from 1; 0 = the chip */
};

/* Fill out[max]; returns how many there are, at most max. Chips first, then cells, each from the BIU on. silent_ms: an older answer is none. */
size_t afe_faults_of(const struct afe *afe, const struct measure *m, uint32_t silent_ms, struct afe_fault *out, size_t max);

/* "broken link", "silent chip", ... */
const char *afe_fault_text(enum afe_fault_kind kind);

#endif
