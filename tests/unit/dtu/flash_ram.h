/* SPDX-License-Identifier: Apache-2.0 */
/* flash_ram.h -- flash in memory that is as strict as the chip, and whose power can be cut at any byte of a write. */
#ifndef TESTS_UNIT_DTU_FLASH_RAM_H
#define TESTS_UNIT_DTU_FLASH_RAM_H

#include <stdbool.h>
#include <stdint.h>

#include "dtu/core/flash_port.h"

struct flash_ram {
    struct flash_port port;
    uint8_t *bytes;
    uint64_t budget; /* bytes that may still be programmed or erased; then the power is gone */
    bool off;
    uint32_t writes;     /* programs and erases */
    uint32_t violations; /* units programmed twice */
    uint32_t *erased;
};

void flash_ram_init(struct flash_ram *f, uint32_t sector_size, uint32_t sector_count, uint32_t write_size);
void flash_ram_power(struct flash_ram *f, uint64_t budget); /* back on, for so many bytes */
void flash_ram_free(struct flash_ram *f);

#endif
