/* SPDX-License-Identifier: Apache-2.0 */
/* flash_file.h -- flash_port over a file: a gateway's journal, and the model of a flash chip on a PC.
 *
 * It is as strict as the chip: a write unit is programmed once after an erase (again only with zeros), or the call fails. The file holds the
 * inverted bytes, so that a hole is erased flash and a new journal takes no space; behind the last sector follows one u32 for each sector:
 * how often it was erased. The file is locked: one journal, one program.
 */
#ifndef DTU_PORT_POSIX_FLASH_FILE_H
#define DTU_PORT_POSIX_FLASH_FILE_H

#include <stdbool.h>
#include <stdint.h>

#include "dtu/core/flash_port.h"

struct flash_file { /* allocated by the caller, fields private */
    struct flash_port port;
    int fd;
    const uint8_t *map; /* for reading */
    uint64_t size;
};

/* Open or make the file. An existing file keeps its size: geometry.sector_count is then what fits. *fresh: the file was made now. Returns 0,
 * BMS_ERR_IO (errno says why), BMS_ERR_STATE when another program has it, BMS_ERR_RANGE for a geometry or a size that cannot be. */
int flash_file_open(struct flash_file *f, const char *path, const struct flash_geometry *geometry, bool *fresh);

/* Times that a sector was erased. */
uint32_t flash_file_erased(const struct flash_file *f, uint32_t sector);

/* Sync and close. */
void flash_file_close(struct flash_file *f);

#endif
