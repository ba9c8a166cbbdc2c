/* SPDX-License-Identifier: Apache-2.0 */
#include "sim/fleet/flash_blank.h"

#include "common/err.h"
#include "sim/fleet/pages.h"

enum { WRITE_SIZE = 4 };

static uint32_t size_of(const struct flash_blank *f)
{
    return f->port.geometry.sector_size * f->port.geometry.sector_count;
}

void flash_blank_forget(struct flash_blank *f, uint32_t sector)
{
    uint32_t size = f->port.geometry.sector_size;
    uint64_t bit = (uint64_t)1 << sector;

    if (f->written & bit)
        pages_forget(f->inverted + (size_t)sector * size, size);
    f->written &= ~bit;
}

static int erase(void *ctx, uint32_t sector)
{
    struct flash_blank *f = ctx;

    if (sector >= f->port.geometry.sector_count)
        return BMS_ERR_RANGE;
    flash_blank_forget(f, sector);
    return BMS_ERR_OK;
}

static int program(void *ctx, uint32_t address, const uint8_t *data, uint32_t n)
{
    struct flash_blank *f = ctx;

    if (address > size_of(f) || n > size_of(f) - address)
        return BMS_ERR_RANGE;
    for (uint32_t i = 0; i < n; i++) {
        f->written |= (uint64_t)1 << ((address + i) / f->port.geometry.sector_size);
        f->inverted[address + i] = (uint8_t)(f->inverted[address + i] | (uint8_t)~data[i]);
    }
    return BMS_ERR_OK;
}

static int read_flash(void *ctx, uint32_t address, uint8_t *out, uint32_t n)
{
    struct flash_blank *f = ctx;

    if (address > size_of(f) || n > size_of(f) - address)
        return BMS_ERR_RANGE;
    for (uint32_t i = 0; i < n; i++)
        out[i] = (uint8_t)~f->inverted[address + i];
    return BMS_ERR_OK;
}

static int sync_nothing(void *ctx)
{
    (void)ctx;
    return BMS_ERR_OK;
}

int flash_blank_init(struct flash_blank *f, uint32_t sector_size, uint32_t sectors)
{
    struct flash_geometry geometry = { sector_size, sectors, WRITE_SIZE };

    *f = (struct flash_blank) {
        .port = { .ctx = f, .geometry = geometry, .erase = erase, .program = program, .read = read_flash, .sync = sync_nothing }
    };
    if (sectors == 0 || sectors > FLASH_BLANK_SECTORS_MAX || sector_size == 0 || sector_size % pages_size() != 0)
        return BMS_ERR_RANGE;
    f->inverted = pages_take(size_of(f));
    return f->inverted ? BMS_ERR_OK : BMS_ERR_NOSPACE;
}

void flash_blank_free(struct flash_blank *f)
{
    pages_give(f->inverted, size_of(f));
    f->inverted = NULL;
}
