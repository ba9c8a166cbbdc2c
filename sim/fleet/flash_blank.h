/* SPDX-License-Identifier: Apache-2.0 */
/* flash_blank.h -- a device's flash in memory, of which only what was written takes room.
 *
 * Bytes are kept inverted: blank flash (0xFF) is zero, which is what memory that nobody has touched reads as. What is erased goes back to the system.
 * No power cuts, no wear. Sectors are whole pages of memory.
 */
#ifndef SIM_FLEET_FLASH_BLANK_H
#define SIM_FLEET_FLASH_BLANK_H

#include "dtu/core/flash_port.h"

struct flash_blank {
    struct flash_port port;
    uint8_t *inverted; /* owned */
    uint64_t written;  /* bit per sector: holds something */
};

enum { FLASH_BLANK_SECTORS_MAX = 64 };

/* Blank flash. 0, BMS_ERR_RANGE (sectors from 1 to FLASH_BLANK_SECTORS_MAX, of whole pages) or BMS_ERR_NOSPACE. */
int flash_blank_init(struct flash_blank *f, uint32_t sector_size, uint32_t sectors);

/* The sector's bytes are not needed any more: it reads as blank. For a journal whose records there are all acknowledged and will not be asked for again. */
void flash_blank_forget(struct flash_blank *f, uint32_t sector);

void flash_blank_free(struct flash_blank *f);

#endif
