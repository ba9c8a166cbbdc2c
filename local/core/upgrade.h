/* SPDX-License-Identifier: Apache-2.0 */
/* upgrade.h -- a program into the board's second slot: where it stands, erase or go on, download, check, restart. Pure; tester.c sends it.
 *
 *   PROGRESS ──> ERASE ──> BEGIN ──> DATA .. ──> EXIT ──> CHECK ──> RESTART ──> DONE
 *           └── the same image was begun before: from `verified` on ──┘
 *
 * Runs in the programming session behind the key (unlock.h). A block that got no answer is sent again by tester.c: the board writes it once.
 */
#ifndef LOCAL_CORE_UPGRADE_H
#define LOCAL_CORE_UPGRADE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum upgrade_phase {
    UPGRADE_PROGRESS,
    UPGRADE_ERASE,
    UPGRADE_BEGIN,
    UPGRADE_DATA,
    UPGRADE_EXIT,
    UPGRADE_CHECK,
    UPGRADE_RESTART,
    UPGRADE_DONE,
    UPGRADE_PHASES
};

struct upgrade {
    const uint8_t *image; /* borrowed until it is done */
    uint32_t size, crc;   /* bytes; CRC-32C */
    enum upgrade_phase phase;
    uint32_t sent;      /* bytes that the board has taken */
    uint32_t resumed;   /* of these, from an earlier attempt */
    uint32_t under_way; /* bytes of the block that is out */
    uint16_t block;     /* longest 36 request, service and counter included */
    uint8_t counter;
};

/* "", "erasing", "sending" ..: for people. */
const char *upgrade_phase_words(enum upgrade_phase phase);

void upgrade_start(struct upgrade *u, const uint8_t *image, uint32_t size);

/* The next request into out[UDS_BLOCK_MAX]: its length, 0 when it is done. The same again until outcome() is called. */
size_t upgrade_request(struct upgrade *u, uint8_t *out);

/* The positive answer to it. Returns 0, or BMS_ERR_CORRUPT when it makes no sense. */
int upgrade_answer(struct upgrade *u, const uint8_t *answer, size_t n);

#endif
