/* SPDX-License-Identifier: Apache-2.0 */
/* key_store.h -- the key data in a journal over two units of memory, so that a power cut at any byte costs the write under way and nothing else.
 *
 *   unit 0  | save 1 | save 2 | ... | save n |        unit 1  | save n+1 | ...        flash: saves follow each other until the unit is full;
 *                                                                                     then the other one, which has been erased long before
 *   unit 0  | save 1, 3, 5 .. |                       unit 1  | save 2, 4, 6 .. |     EEPROM, FRAM: one place in each, written over
 *
 * save: magic (4), sequence (4), length (2), key data (KEY_DATA_SIZE), CRC-32C of all before it (4); little-endian; FF up to a whole program unit.
 * Written in pages from the first to the last. The valid one with the newest sequence counts. Saving never waits for an erase as long as
 * key_store_tidy() was called since the save before: hold-up is for KEY_STORE_SIZE bytes only (`./cellwarden bench holdup`: 35 ms of 50 with an EEPROM
 * of 5 ms a page, less with flash). The smallest EEPROM that holds all of nvm_layout_of() has 128 kbit, and those (24xx128, 25xx128) have pages of 64
 * bytes; a place begins a page.
 */
#ifndef FIRMWARE_KEY_STORE_H
#define FIRMWARE_KEY_STORE_H

#include "firmware/core/store/key_data.h"
#include "firmware/port/nvm_port.h"

enum { KEY_STORE_UNITS = 2, KEY_STORE_SIZE = 4 + 4 + 2 + KEY_DATA_SIZE + 4, KEY_DATA_PAGE = 64, KEY_STORE_HOLD_UP_MS = 50 };

struct key_geometry {
    size_t offset; /* of the first unit, bytes */
    size_t unit;   /* bytes of each unit, KEY_STORE_SIZE or more; whole erase units, where the memory has those */
    size_t page;   /* most bytes in one write, 1 or more; whole program units */
};

enum { KEY_STORE_NOWHERE = -1 };

struct key_store {
    const struct nvm_port *port; /* borrowed */
    struct key_geometry geometry;
    uint32_t sequence; /* of the newest valid save */
    int newest;        /* its place, counted over both units; or KEY_STORE_NOWHERE */
    int next;          /* the place to be written next: never the newest valid one; KEY_STORE_NOWHERE: something must be erased before */
    bool untidy;       /* the unit without the newest save is not blank */
};

/* Read the newest valid save into *k. Returns 0, or why there is none: BMS_ERR_CORRUPT (something is written, nothing is valid),
 * BMS_ERR_UNKNOWN (nothing was ever written), BMS_ERR_IO. Then *k is not touched, and the store can be used all the same. */
int key_store_load(struct key_store *s, const struct nvm_port *port, const struct key_geometry *g, struct key_data *k);

/* Write one more. Returns 0 when it is safe, or BMS_ERR_IO: then the newest valid save is still there. */
int key_store_save(struct key_store *s, const struct key_data *k);

/* Flash only: erase what holds nothing that counts, so that the next save finds room at once. Call it after loading and after each save, while there
 * is power: it takes as long as the memory's erase. Returns 0, also when there was nothing to do, or BMS_ERR_IO. */
int key_store_tidy(struct key_store *s);

#endif
