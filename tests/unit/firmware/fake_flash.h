/* SPDX-License-Identifier: Apache-2.0 */
/* fake_flash.h -- flash of any geometry whose power can be cut at every byte of a write and at every part of an erase.
 *
 * Refuses what real flash cannot do: writing what was not erased, or less than a program unit; erasing less than an erase unit. The program unit under
 * way when the power goes holds anything after it; an erase unit is anything from the start on: erased, old or neither, byte by byte.
 */
#ifndef TESTS_FAKE_FLASH_H
#define TESTS_FAKE_FLASH_H

#include <stdbool.h>
#include <string.h>

#include "common/err.h"
#include "firmware/app/nvm.h"

struct flash_geometry {
    const char *name;
    size_t erase_size, program_size, page; /* bytes; page: most in one write */
    double program_us, erase_ms;           /* of one program unit, one erase unit; data sheets, worst case */
};

/* clang-format off */
static const struct flash_geometry flash_geometries[] = { /* name, erase, program, page, us, ms */
    { "serial NOR, 4 kB sectors, 4-byte writes",              4096,       4, 32,   40,  400 }, /* by the byte: 30 us and 2.5 us for each further one */
    { "MCU flash, 128 kB sectors, 32-byte words",           131072,      32, 32,  500, 4000 },
    { "MCU flash, 2 kB pages, 8-byte double words",           2048,       8, 32,   91,   25 },
};
/* clang-format on */
enum { FLASH_GEOMETRIES = sizeof(flash_geometries) / sizeof(flash_geometries[0]), FLASH_SIZE_MAX = 6 * 131072, FLASH_ERASE_CUTS = 16 };

struct fake_flash {
    uint8_t bytes[FLASH_SIZE_MAX];
    const struct flash_geometry *g;
    long cut; /* so many bytes written and sixteenths erased until the power goes; -1 = never */
    bool off; /* the power is gone */
    uint32_t dice;
    unsigned programs, erases, forbidden; /* program units written, units erased, things that cannot be done */
    struct nvm_port port;
};

static inline uint8_t fake_flash_roll(struct fake_flash *f)
{
    f->dice = f->dice * 1664525u + 1013904223u;
    return (uint8_t)(f->dice >> 24);
}

/* True while there is power for one more. */
static inline bool fake_flash_spend(struct fake_flash *f)
{
    if (f->cut == 0)
        f->off = true;
    if (f->cut > 0)
        f->cut--;
    return !f->off;
}

static inline int fake_flash_read(void *ctx, size_t offset, uint8_t *buf, size_t n)
{
    struct fake_flash *f = ctx;

    if (f->off || offset + n > f->port.size)
        return BMS_ERR_IO;
    memcpy(buf, f->bytes + offset, n);
    return BMS_ERR_OK;
}

static inline int fake_flash_program(struct fake_flash *f, uint8_t *at, const uint8_t *data)
{
    for (size_t i = 0; i < f->g->program_size; i++)
        f->forbidden += at[i] != 0xFF;
    for (size_t i = 0; i < f->g->program_size; i++)
        if (!fake_flash_spend(f)) {
            for (size_t k = 0; k < f->g->program_size; k++) /* some bits are there, some not */
                at[k] = (uint8_t)(data[k] | fake_flash_roll(f));
            return BMS_ERR_IO;
        }
    memcpy(at, data, f->g->program_size);
    f->programs++;
    return BMS_ERR_OK;
}

static inline int fake_flash_write(void *ctx, size_t offset, const uint8_t *data, size_t n)
{
    struct fake_flash *f = ctx;
    int err = BMS_ERR_OK;

    if (f->off || offset + n > f->port.size)
        return BMS_ERR_IO;
    if (offset % f->g->program_size || n % f->g->program_size) {
        f->forbidden++;
        return BMS_ERR_IO;
    }
    for (size_t at = 0; at < n && !err; at += f->g->program_size)
        err = fake_flash_program(f, f->bytes + offset + at, data + at);
    return err;
}

static inline int fake_flash_erase(void *ctx, size_t offset)
{
    struct fake_flash *f = ctx;

    if (f->off || offset + f->g->erase_size > f->port.size)
        return BMS_ERR_IO;
    f->forbidden += offset % f->g->erase_size != 0;
    for (unsigned part = 0; part < FLASH_ERASE_CUTS; part++)
        if (!fake_flash_spend(f)) {
            for (size_t i = 0; i < f->g->erase_size; i++) {
                uint8_t x = fake_flash_roll(f);

                f->bytes[offset + i] = x % FLASH_ERASE_CUTS < part ? 0xFF
                                       : x & 0x20                  ? f->bytes[offset + i]
                                                                   : (uint8_t)(x | f->bytes[offset + i]);
            }
            return BMS_ERR_IO;
        }
    memset(f->bytes + offset, 0xFF, f->g->erase_size);
    f->erases++;
    return BMS_ERR_OK;
}

static inline void fake_flash_init(struct fake_flash *f, const struct flash_geometry *g)
{
    memset(f->bytes, 0xFF, sizeof(f->bytes));
    f->g = g;
    f->cut = -1;
    f->off = false;
    f->dice = 1;
    f->programs = f->erases = f->forbidden = 0;
    f->port = (struct nvm_port) { .ctx = f,
                                  .read = fake_flash_read,
                                  .write = fake_flash_write,
                                  .erase = fake_flash_erase,
                                  .erase_size = g->erase_size,
                                  .program_size = g->program_size };
    f->port.size = nvm_layout_of(&f->port).size;
}

/* The power comes back. */
static inline void fake_flash_on(struct fake_flash *f)
{
    f->cut = -1;
    f->off = false;
}

#endif
