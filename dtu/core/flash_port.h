/* SPDX-License-Identifier: Apache-2.0 */
/* flash_port.h -- flash memory as a board must provide it to the journal. Declared beside its only user, because the core includes no port.
 *
 * Erased flash reads as 0xFF, programming clears bits. Between two erases a write unit is programmed once; programming it a second time is
 * allowed only with zeros (NOR flash and the ECC flash of STM32 both permit that). A power cut may leave an erase or a program half done.
 *
 * One user, one thread; each call returns when the flash is done. Addresses count from the first byte of sector 0.
 */
#ifndef DTU_CORE_FLASH_PORT_H
#define DTU_CORE_FLASH_PORT_H

#include <stdint.h>

struct flash_geometry {
    uint32_t sector_size;  /* bytes erased at once, a multiple of write_size */
    uint32_t sector_count; /* sector_size * sector_count < 2^32 */
    uint32_t write_size;   /* bytes programmed at once: a power of two, 1 to FLASH_WRITE_MAX */
};

enum { FLASH_WRITE_MAX = 32 };

struct flash_port {
    void *ctx; /* handed back to every call, owned by the port */
    struct flash_geometry geometry;

    /* Every byte of the sector to 0xFF. 0 or BMS_ERR_IO, BMS_ERR_RANGE. */
    int (*erase)(void *ctx, uint32_t sector);

    /* Write data[n]; address and n are multiples of write_size, in one sector. 0, BMS_ERR_RANGE, BMS_ERR_STATE (already programmed), BMS_ERR_IO. */
    int (*program)(void *ctx, uint32_t address, const uint8_t *data, uint32_t n);

    /* Any address and length inside the flash. 0, BMS_ERR_RANGE, BMS_ERR_IO. */
    int (*read)(void *ctx, uint32_t address, uint8_t *out, uint32_t n);

    /* Return when all that was programmed survives a power cut. 0 or BMS_ERR_IO. On bare flash: nothing to do. */
    int (*sync)(void *ctx);
};

#endif
