/* SPDX-License-Identifier: Apache-2.0 */
/* biu_log_private.h -- numbers of 1, 2, 4 or 8 bytes in a struct, for the writer and the reader of biu_log.h. */
#ifndef FIRMWARE_BIU_LOG_PRIVATE_H
#define FIRMWARE_BIU_LOG_PRIVATE_H

#include <stdint.h>
#include <string.h>

static inline uint64_t load_number(const void *p, uint8_t size)
{
    uint8_t u8;
    uint16_t u16;
    uint32_t u32;
    uint64_t u64;

    switch (size) {
    case 1:
        memcpy(&u8, p, sizeof(u8));
        return u8;
    case 2:
        memcpy(&u16, p, sizeof(u16));
        return u16;
    case 4:
        memcpy(&u32, p, sizeof(u32));
        return u32;
    default:
        memcpy(&u64, p, sizeof(u64));
        return u64;
    }
}

static inline void keep_number(void *p, uint8_t size, uint64_t v)
{
    uint8_t u8 = (uint8_t)v;
    uint16_t u16 = (uint16_t)v;
    uint32_t u32 = (uint32_t)v;

    switch (size) {
    case 1:
        memcpy(p, &u8, sizeof(u8));
        break;
    case 2:
        memcpy(p, &u16, sizeof(u16));
        break;
    case 4:
        memcpy(p, &u32, sizeof(u32));
        break;
    default:
        memcpy(p, &v, sizeof(v));
        break;
    }
}

#endif
