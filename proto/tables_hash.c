/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "common/bytes.h"
#include "common/crc.h"
#include "proto/can0.h"
#include "proto/tables.h"

static uint32_t add_text(uint32_t crc, const char *text)
{
    return crc32c(crc, (const uint8_t *)text, strlen(text) + 1);
}

static uint32_t add_number(uint32_t crc, int32_t v)
{
    uint8_t le[4];

    put_le32(le, (uint32_t)v);
    return crc32c(crc, le, sizeof(le));
}

uint32_t tables_hash(void)
{
    uint32_t crc = 0;

    for (int s = 0; s < CAN0_SIGNALS; s++)
        if (can0_signals[s].scalar >= 0)
            crc = add_text(crc, can0_signals[s].name);
    for (int i = 0; i < PARAMS; i++) {
        const struct param_row *r = &param_rows[i];

        crc = add_text(add_number(add_number(add_number(crc, r->id), r->min), r->max), r->name);
        for (int c = 0; c < CHEMISTRIES; c++)
            crc = add_number(crc, r->dflt[c]);
    }
    for (int i = 0; i < ALARMS; i++)
        crc = add_text(add_number(crc, alarm_rows[i].id), alarm_rows[i].name);
    return crc;
}
