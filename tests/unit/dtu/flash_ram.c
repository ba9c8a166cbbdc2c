/* SPDX-License-Identifier: Apache-2.0 */
#include "flash_ram.h"

#include <stdlib.h>
#include <string.h>

#include "common/err.h"

/* How many of n bytes still get through. */
static uint32_t spend(struct flash_ram *f, uint32_t n)
{
    uint32_t k = f->budget < n ? (uint32_t)f->budget : n;

    f->budget -= k;
    f->off = f->off || k < n;
    return k;
}

static int erase(void *ctx, uint32_t sector)
{
    struct flash_ram *f = ctx;
    uint32_t size = f->port.geometry.sector_size;

    if (f->off)
        return BMS_ERR_IO;
    if (sector >= f->port.geometry.sector_count)
        return BMS_ERR_RANGE;
    uint32_t k = spend(f, size);

    f->writes++;
    memset(f->bytes + (size_t)sector * size, 0xFF, k);
    f->erased[sector]++;
    return k == size ? BMS_ERR_OK : BMS_ERR_IO;
}

static int program(void *ctx, uint32_t address, const uint8_t *data, uint32_t n)
{
    struct flash_ram *f = ctx;
    uint32_t unit = f->port.geometry.write_size;

    if (f->off)
        return BMS_ERR_IO;
    if (address % unit || n % unit || address / f->port.geometry.sector_size != (address + n - 1) / f->port.geometry.sector_size)
        return BMS_ERR_RANGE;
    for (uint32_t u = 0; u < n; u += unit) {
        bool blank = true, zero = true;

        for (uint32_t i = u; i < u + unit; i++) {
            blank = blank && f->bytes[address + i] == 0xFF;
            zero = zero && data[i] == 0;
        }
        if (!blank && !zero) {
            f->violations++;
            return BMS_ERR_STATE;
        }
    }
    uint32_t k = spend(f, n);

    f->writes++;
    memcpy(f->bytes + address, data, k);
    return k == n ? BMS_ERR_OK : BMS_ERR_IO;
}

static int read_back(void *ctx, uint32_t address, uint8_t *out, uint32_t n)
{
    const struct flash_ram *f = ctx;

    if ((uint64_t)address + n > (uint64_t)f->port.geometry.sector_size * f->port.geometry.sector_count)
        return BMS_ERR_RANGE;
    memcpy(out, f->bytes + address, n);
    return BMS_ERR_OK;
}

static int sync_nothing(void *ctx)
{
    const struct flash_ram *f = ctx;

    return f->off ? BMS_ERR_IO : BMS_ERR_OK;
}

void flash_ram_init(struct flash_ram *f, uint32_t sector_size, uint32_t sector_count, uint32_t write_size)
{
    *f = (struct flash_ram) { .port = { f, { sector_size, sector_count, write_size }, erase, program, read_back, sync_nothing },
                              .budget = UINT64_MAX };
    f->bytes = malloc((size_t)sector_size * sector_count);
    f->erased = calloc(sector_count, sizeof(*f->erased));
    memset(f->bytes, 0xFF, (size_t)sector_size * sector_count);
}

void flash_ram_power(struct flash_ram *f, uint64_t budget)
{
    f->off = false;
    f->budget = budget;
}

void flash_ram_free(struct flash_ram *f)
{
    free(f->bytes);
    free(f->erased);
}
