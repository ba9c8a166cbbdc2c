/* SPDX-License-Identifier: Apache-2.0 */
/* key_store.h -- the key data in two copies written in turn, so that a power cut at any byte costs the write under way and nothing else.
 *
 * copy: magic (4), sequence (4), length (2), key data (KEY_DATA_SIZE), CRC-32C of all before it (4); little-endian. Written in whole pages, from
 * the first to the last. The copy with the newer sequence and a right CRC counts. A save is KEY_STORE_SIZE bytes: 7 pages of 32 bytes, 35 ms of
 * hold-up for an EEPROM that takes 5 ms a page.
 */
#ifndef FIRMWARE_KEY_STORE_H
#define FIRMWARE_KEY_STORE_H

#include "firmware/core/key_data.h"
#include "firmware/port/nvm_port.h"

enum { KEY_STORE_COPIES = 2, KEY_STORE_SIZE = 4 + 4 + 2 + KEY_DATA_SIZE + 4, KEY_DATA_PAGE = 32 };

struct key_geometry {
    size_t offset; /* of the first copy, bytes */
    size_t stride; /* from one copy to the next; KEY_STORE_SIZE or more: an erase block, where the memory has those */
    size_t page;   /* most bytes in one write, 1 or more */
};

struct key_store {
    const struct nvm_port *port; /* borrowed */
    struct key_geometry geometry;
    uint32_t sequence; /* of the newest valid copy */
    unsigned next;     /* copy to be written next: never the newest valid one */
};

/* Read the newest valid copy into *k. Returns 0, or why there is none: BMS_ERR_CORRUPT (something is written, nothing is valid),
 * BMS_ERR_UNKNOWN (nothing was ever written), BMS_ERR_IO. Then *k is not touched, and the store can be used all the same. */
int key_store_load(struct key_store *s, const struct nvm_port *port, const struct key_geometry *g, struct key_data *k);

/* Write to the older copy. Returns 0 when it is safe, or BMS_ERR_IO: then the newest valid copy is still there. */
int key_store_save(struct key_store *s, const struct key_data *k);

#endif
