/* SPDX-License-Identifier: Apache-2.0 */
/* journal_private.h -- what the two halves of the journal share: journal.c writes and reads, journal_mount.c starts. */
#ifndef DTU_CORE_JOURNAL_PRIVATE_H
#define DTU_CORE_JOURNAL_PRIVATE_H

#include "dtu/core/journal.h"
#include "dtu/core/journal_layout.h"

#define NO_SECTOR UINT32_MAX

/* The sector with the highest serial below `serial`, or the lowest above it; NO_SECTOR when there is none. */
uint32_t journal_sector_before(const struct journal *j, uint32_t serial);
uint32_t journal_sector_after(const struct journal *j, uint32_t serial);

/* Erase a sector, the oldest one without unacknowledged records or else the oldest, and make it the head. */
int journal_open_sector(struct journal *j);

/* Program the ack word of an entry that is not acknowledged, and count. */
int journal_strike(struct journal *j, uint32_t sector, const struct entry *e);

#endif
