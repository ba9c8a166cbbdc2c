/* SPDX-License-Identifier: Apache-2.0 */
/* nvm.h -- the stored parameters and the count of board starts, in two slots written in turn, so that a power cut costs the last write only.
 * In flash each slot has erase units of its own, and is erased before it is written.
 *
 * slot: magic (4), sequence (4), boot count (4), number of pairs (2), pairs of id (2) and value (4), CRC-32C of all before it (4); all
 * little-endian. The slot with the newer sequence and a right CRC counts. A firmware with other parameters takes what it knows.
 */
#ifndef FIRMWARE_NVM_H
#define FIRMWARE_NVM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "firmware/port/nvm_port.h"
#include "proto/tables.h"

enum {
    NVM_SLOTS = 2,
    NVM_SLOT_SIZE = 4096,                       /* bytes */
    NVM_KEY_OFFSET = NVM_SLOTS * NVM_SLOT_SIZE, /* of a memory without erase units: the key data (key_store.h) */
    NVM_KEY_STRIDE = 512,
    NVM_CODE_STRIDE = 2048, /* trouble codes (code_store.h), behind the key data */
    NVM_SIZE = NVM_KEY_OFFSET + 2 * NVM_KEY_STRIDE + 2 * NVM_CODE_STRIDE,
};

struct nvm_layout {     /* where what lies, bytes; each slot and each unit of the key data begins an erase unit */
    size_t slot;        /* from one slot to the next */
    size_t key_offset;  /* of the key data (key_store.h) */
    size_t key_unit;    /* of each of its two units */
    size_t code_offset; /* of the trouble codes (code_store.h) */
    size_t code_unit;   /* of each of their two units */
    size_t size;        /* in all */
};

/* For a memory of this kind; port->size does not matter. */
struct nvm_layout nvm_layout_of(const struct nvm_port *port);

struct nvm {
    const struct nvm_port *port; /* borrowed */
    uint32_t sequence;           /* of the newest valid slot */
    uint32_t boot;
    unsigned next_slot; /* to be written next: never the newest valid one */
};

/* What nvm_load() found. */
struct nvm_image {
    int32_t params[PARAMS]; /* always usable */
    uint16_t replaced;      /* values that were missing or out of range and became the chemistry's default */
};

/* Read the newest valid slot. Returns 0, or why there is none: BMS_ERR_CORRUPT (something is written, nothing is valid), BMS_ERR_UNKNOWN
 * (nothing was ever written), BMS_ERR_IO. Then, and only then, image->params are left as the caller had set them. */
int nvm_load(struct nvm *nvm, const struct nvm_port *port, struct nvm_image *image);

/* Write params[PARAMS] and nvm->boot to the older slot. Returns 0 when they are safe, or BMS_ERR_IO. */
int nvm_store(struct nvm *nvm, const int32_t *params);

#endif
