/* SPDX-License-Identifier: Apache-2.0 */
#include "firmware/core/talk/program.h"

#include "common/bytes.h"
#include "common/crc.h"
#include "common/err.h"

enum { AT_MAGIC = 0, AT_HEADER_SIZE = 8, AT_BODY_SIZE = 12 }; /* struct image_header */

void program_init(struct program *p, uint32_t slot_size)
{
    *p = (struct program) { .slot_size = slot_size };
}

void program_erasing(struct program *p)
{
    program_init(p, p->slot_size);
}

void program_erased(struct program *p)
{
    program_init(p, p->slot_size);
    p->erased = true;
}

int program_begin(struct program *p, uint32_t address, uint32_t size)
{
    if (!p->erased)
        return BMS_ERR_STATE;
    if (p->size == 0) {
        if (address != 0 || size < PROGRAM_HEADER || size > p->slot_size)
            return BMS_ERR_RANGE;
        p->size = size;
    } else if (address != p->verified || size != p->size - address || size == 0) {
        return BMS_ERR_RANGE;
    }
    p->taken = 0;
    return BMS_ERR_OK;
}

static bool is_header(const struct program *p)
{
    uint64_t header = get_le16(p->header + AT_HEADER_SIZE), body = get_le32(p->header + AT_BODY_SIZE);

    return get_le32(p->header + AT_MAGIC) == PROGRAM_MAGIC && header >= PROGRAM_HEADER && header + body <= p->size;
}

int program_take(struct program *p, const uint8_t *data, size_t n)
{
    if (n > p->size - p->verified)
        return BMS_ERR_NOSPACE;
    for (size_t i = 0; i < n && p->verified + i < PROGRAM_HEADER; i++)
        p->header[p->verified + i] = data[i];
    if (p->verified < PROGRAM_HEADER && p->verified + n >= PROGRAM_HEADER && !is_header(p)) {
        p->erased = p->verified == 0; /* nothing of it is in the slot */
        p->size = p->verified = p->crc = 0;
        return BMS_ERR_CORRUPT;
    }
    p->next_crc = crc32c(p->crc, data, n);
    p->taken = (uint32_t)n;
    return BMS_ERR_OK;
}

void program_written(struct program *p, bool good)
{
    if (!good) {
        program_erasing(p);
        return;
    }
    p->verified += p->taken;
    p->crc = p->next_crc;
    p->taken = 0;
}

bool program_is_complete(const struct program *p)
{
    return p->size != 0 && p->verified == p->size;
}

int program_check(const struct program *p, uint32_t crc)
{
    if (!program_is_complete(p))
        return BMS_ERR_STATE;
    return crc == p->crc ? BMS_ERR_OK : BMS_ERR_CORRUPT;
}
