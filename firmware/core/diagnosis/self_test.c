/* SPDX-License-Identifier: Apache-2.0 */
#include "firmware/core/diagnosis/self_test.h"

#include "common/crc.h"
#include "common/err.h"

static const uint32_t patterns[] = { 0, 0xFFFFFFFFu, 0x55555555u, 0xAAAAAAAAu };

enum { PATTERNS = sizeof(patterns) / sizeof(patterns[0]) };

static uint32_t own_pattern(size_t word) /* different in every word: two addresses that are one show */
{
    return (uint32_t)(word + 1) * 0x9E3779B9u;
}

static bool keeps(const struct self_ram *ram, size_t word, size_t n, unsigned pattern)
{
    bool ok = true;

    for (size_t i = 0; i < n; i++)
        ram->write(ram->ctx, word + i, pattern < PATTERNS ? patterns[pattern] : own_pattern(word + i));
    for (size_t i = n; i-- > 0;)
        ok = ram->read(ram->ctx, word + i) == (pattern < PATTERNS ? patterns[pattern] : own_pattern(word + i)) && ok;
    return ok;
}

bool self_ram_block(const struct self_ram *ram, size_t word)
{
    uint32_t saved[SELF_RAM_BLOCK];
    size_t left = word < ram->words ? ram->words - word : 0, n = left < SELF_RAM_BLOCK ? left : SELF_RAM_BLOCK;
    bool ok = true;

    ram->enter(ram->ctx);
    for (size_t i = 0; i < n; i++)
        saved[i] = ram->read(ram->ctx, word + i);
    for (unsigned pattern = 0; pattern <= PATTERNS; pattern++)
        ok = keeps(ram, word, n, pattern) && ok;
    for (size_t i = 0; i < n; i++)
        ram->write(ram->ctx, word + i, saved[i]);
    ram->leave(ram->ctx);
    return ok;
}

int self_flash_slice(struct self_flash_pass *p, const struct self_flash *flash)
{
    uint8_t buf[SELF_FLASH_SLICE];
    size_t left = flash->size - p->offset, n = left < sizeof(buf) ? left : sizeof(buf);

    if (flash->read(flash->ctx, p->offset, buf, n) != BMS_ERR_OK) {
        *p = (struct self_flash_pass) { 0 };
        return BMS_ERR_IO;
    }
    p->crc = crc32c(p->crc, buf, n);
    p->offset += n;
    if (p->offset < flash->size)
        return 0;
    bool right = p->crc == flash->crc;

    *p = (struct self_flash_pass) { 0 };
    return right ? 1 : BMS_ERR_CORRUPT;
}
