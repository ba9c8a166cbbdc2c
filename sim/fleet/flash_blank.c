/* SPDX-License-Identifier: Apache-2.0 */
#include "sim/fleet/flash_blank.h"

#include <stdlib.h>
#include <string.h>

#include "common/err.h"

enum { WRITE_SIZE = 4 };

static uint32_t size_of(const struct flash_blank *f)
{
    return f->port.geometry.sector_size * f->port.geometry.sector_count;
}

static int erase(void *ctx, uint32_t sector)
{
    struct flash_blank *f = ctx;
    uint32_t size = f->port.geometry.sector_size;

    if (sector >= f->port.geometry.sector_count)
        return BMS_ERR_RANGE;
    uint8_t *at = f->inverted + (size_t)sector * size;

    for (uint32_t i = 0; i < size; i++)
        if (at[i]) /* a page that was never written stays untouched */
            at[i] = 0;
    return BMS_ERR_OK;
}

static int program(void *ctx, uint32_t address, const uint8_t *data, uint32_t n)
{
    struct flash_blank *f = ctx;

    if (address > size_of(f) || n > size_of(f) - address)
        return BMS_ERR_RANGE;
    for (uint32_t i = 0; i < n; i++)
        f->inverted[address + i] = (uint8_t)(f->inverted[address + i] | (uint8_t)~data[i]);
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
    f->inverted = calloc(sectors, sector_size);
    return f->inverted ? BMS_ERR_OK : BMS_ERR_NOSPACE;
}

void flash_blank_free(struct flash_blank *f)
{
    free(f->inverted);
    f->inverted = NULL;
}
