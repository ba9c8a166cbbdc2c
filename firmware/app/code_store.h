/* SPDX-License-Identifier: Apache-2.0 */
/* code_store.h -- the trouble codes in two units of memory, written in turn when they change, so that a power cut costs the last change only.
 *
 * A room of its own: hold-up is for the key data, and codes of all alarms would not fit into it. Writing takes many steps of the board, one page or one
 * erase in each, so that no step waits for a memory longer than for that. Flash is erased ahead (code_store_tidy()), where nobody is hurt by a step
 * that lasts as long as the erase: at the start, and while no contactor is closed. A second change in one drive waits for that.
 *
 * unit: magic (4), sequence (4), length (2), image (dtc_image.h), CRC-32C of all before it (4); little-endian. The newer one with a right CRC counts.
 */
#ifndef FIRMWARE_CODE_STORE_H
#define FIRMWARE_CODE_STORE_H

#include "firmware/core/diagnosis/dtc_image.h"
#include "firmware/port/nvm_port.h"

enum { CODE_STORE_UNITS = 2, CODE_STORE_SIZE = 4 + 4 + 2 + DTC_IMAGE_MAX + 4 };

struct code_geometry {
    size_t offset; /* of the first unit, bytes */
    size_t unit;   /* bytes of each, CODE_STORE_SIZE up to a whole program unit or more; whole erase units, where the memory has those */
    size_t page;   /* most bytes in one write, 1 or more; whole program units */
};

struct code_store {
    const struct nvm_port *port; /* borrowed */
    struct code_geometry geometry;
    uint32_t sequence; /* of the newest valid unit */
    unsigned next;     /* unit to be written next: never the newest valid one */
    bool erasing, writing;
    bool blank;      /* flash: the next unit is erased */
    size_t at, size; /* of the unit under way: bytes done, bytes in all */
    uint8_t bytes[CODE_STORE_SIZE + NVM_PROGRAM_MAX];
};

/* Find the newest valid image: *image points into the store until the next call, *n bytes. Returns 0, or why there is none, as key_store_load();
 * then *image is NULL, and the store can be used all the same. */
int code_store_load(struct code_store *s, const struct nvm_port *port, const struct code_geometry *g, const uint8_t **image, size_t *n);

/* Take the codes as they are now, to be written by code_store_step(). Not while it is busy. */
void code_store_begin(struct code_store *s, const struct dtc_memory *d);
bool code_store_is_busy(const struct code_store *s);

/* Flash: erase the unit that comes next, unless it is blank or being written. Takes as long as its erases. Returns 0 or BMS_ERR_IO. */
int code_store_tidy(struct code_store *s);

/* Writing would begin with an erase. */
bool code_store_must_erase(const struct code_store *s);

/* One page or one erase, if there is one to do. Returns 0, or BMS_ERR_IO: then this writing is given up, and the unit before still counts. */
int code_store_step(struct code_store *s);

#endif
