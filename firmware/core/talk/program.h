/* SPDX-License-Identifier: Apache-2.0 */
/* program.h -- a new program on its way into the second slot: how much of it is there and verified, and whether it can be one (FL-6, UC-7).
 *
 * Pure: it moves no bytes, the caller does. The image is MCUboot's: a header of 32 bytes, then the body and its TLVs; this module reads the header
 * and counts a CRC-32C, it does not start anything.
 *
 *   program_erased() ──> program_begin(0) ──> [program_take() ──> program_written()] .. ──> program_check()
 *                          ^ an interrupted download goes on at `verified`: program_begin(verified)
 *
 * Lives in RAM: after a restart of the board a download begins again with an erased slot.
 */
#ifndef FIRMWARE_PROGRAM_H
#define FIRMWARE_PROGRAM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { PROGRAM_HEADER = 32 };
#define PROGRAM_MAGIC 0x96F3B83Du /* MCUboot, bootutil/image.h */

struct program {
    uint32_t slot_size; /* bytes; 0 = the board has no second slot */
    uint32_t size;      /* of the image; 0 = none announced since the slot was erased */
    uint32_t verified;  /* bytes that are written and were read back right */
    uint32_t crc;       /* CRC-32C of those */
    uint32_t next_crc;  /* when what was taken last is written */
    uint32_t taken;     /* bytes taken and not yet written */
    bool erased;        /* and since then written by this module alone */
    uint8_t header[PROGRAM_HEADER];
};

void program_init(struct program *p, uint32_t slot_size);

/* The slot is being erased; it is erased. */
void program_erasing(struct program *p);
void program_erased(struct program *p);

/* Bytes from `address` to the image's end are announced. Returns 0, BMS_ERR_STATE (erase first), BMS_ERR_RANGE (too large, too small, or neither
 * the start nor where the last one stopped). */
int program_begin(struct program *p, uint32_t address, uint32_t size);

/* The next n bytes at `verified`. Returns 0 (write them, then call program_written()), BMS_ERR_NOSPACE (more than announced), or BMS_ERR_CORRUPT: with
 * them the header is here, and it is none. */
int program_take(struct program *p, const uint8_t *data, size_t n);

/* How the write ended. After a failure the slot has to be erased again. */
void program_written(struct program *p, bool good);

bool program_is_complete(const struct program *p);

/* 0, BMS_ERR_STATE when not all is here, BMS_ERR_CORRUPT for another CRC. */
int program_check(const struct program *p, uint32_t crc);

#endif
