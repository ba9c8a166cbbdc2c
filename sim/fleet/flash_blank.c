/* SPDX-License-Identifier: Apache-2.0 */
#define _DEFAULT_SOURCE /* madvise, MAP_ANONYMOUS */
#include "sim/fleet/flash_blank.h"

#include <sys/mman.h>
#include <unistd.h>

#include "common/err.h"

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
        madvise(f->inverted + (size_t)sector * size, size, MADV_DONTNEED); /* reads as zero from now on */
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
    long page = sysconf(_SC_PAGESIZE);

    *f = (struct flash_blank) {
        .port = { .ctx = f, .geometry = geometry, .erase = erase, .program = program, .read = read_flash, .sync = sync_nothing }
    };
    if (sectors == 0 || sectors > FLASH_BLANK_SECTORS_MAX || page <= 0 || sector_size == 0 || sector_size % (unsigned long)page != 0)
        return BMS_ERR_RANGE;
    void *room = mmap(NULL, size_of(f), PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

    f->inverted = room == MAP_FAILED ? NULL : room;
    return f->inverted ? BMS_ERR_OK : BMS_ERR_NOSPACE;
}

void flash_blank_free(struct flash_blank *f)
{
    if (f->inverted)
        munmap(f->inverted, size_of(f));
    f->inverted = NULL;
}
