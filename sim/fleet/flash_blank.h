/* SPDX-License-Identifier: Apache-2.0 */
/* flash_blank.h -- a device's flash in memory, of which only what was written takes room.
 *
 * Bytes are kept inverted: blank flash (0xFF) is zero, which is what memory that nobody has touched reads as. No power cuts, no wear.
 */
#ifndef SIM_FLEET_FLASH_BLANK_H
#define SIM_FLEET_FLASH_BLANK_H

#include "dtu/core/flash_port.h"

struct flash_blank {
    struct flash_port port;
    uint8_t *inverted; /* owned */
};

/* Blank flash. 0 or BMS_ERR_NOSPACE. */
int flash_blank_init(struct flash_blank *f, uint32_t sector_size, uint32_t sectors);

void flash_blank_free(struct flash_blank *f);

#endif
