/* SPDX-License-Identifier: Apache-2.0 */
/* journal_layout.h -- the bytes of the journal in flash, and how a sector is walked. Used by the journal alone.
 *
 * Little-endian; CRC-32C over all bytes of the head before it. Heads and the ack word are padded with 0xFF to the write unit.
 *
 *   sector head, 44 bytes:  u32 magic, u16 version, u16 write_size, u64 epoch, u32 serial, u32 erased, u64 first_seq, u64 dropped, u32 crc
 *   record head, 32 bytes:  u16 magic, u16 length, u64 seq, u32 boot, u32 no, u32 board_dropped, u32 crc of the bytes, u32 crc
 *   ack word, 4 bytes:      0xFFFFFFFF waiting; two or more bits cleared: acknowledged (one alone is bit rot)
 */
#ifndef DTU_CORE_JOURNAL_LAYOUT_H
#define DTU_CORE_JOURNAL_LAYOUT_H

#include <stdbool.h>
#include <stdint.h>

#include "dtu/core/flash_port.h"
#include "dtu/core/journal.h"

enum { SECTOR_HEAD = 44, RECORD_HEAD = 32, ACK_WORD = 4, LAYOUT_BUF = 64 };

struct sector_head {
    uint64_t epoch, first_seq, dropped;
    uint32_t serial, erased;
};

struct entry {
    uint32_t at; /* of its head, in the sector */
    uint32_t len;
    uint64_t seq;
    struct journal_note note;
    uint32_t crc;
    bool acked;
};

/* Offsets for a write unit. */
uint32_t layout_first(const struct flash_geometry *g);              /* of a sector's first record */
uint32_t layout_size(const struct flash_geometry *g, uint32_t len); /* a record with all around it */
uint32_t layout_ack(const struct flash_geometry *g, uint32_t at);   /* of the ack word */
uint32_t layout_bytes(const struct flash_geometry *g, uint32_t at); /* of the record's bytes */

/* Fill out[LAYOUT_BUF] with a padded head; returns its length. */
uint32_t layout_put_sector(const struct flash_geometry *g, const struct sector_head *h, uint8_t *out);
uint32_t layout_put_record(const struct flash_geometry *g, const struct entry *e, uint8_t *out);

/* Read a sector's head: 0, BMS_ERR_UNKNOWN when it has none, or the error of the flash. */
int layout_get_sector(const struct flash_port *flash, uint32_t sector, struct sector_head *h);

/* The record at or behind *at; *at moves behind it. Steps over damaged heads; adds to *damaged (may be NULL) each such place with a record
 * behind it. Returns 1 with *e, 0 at the end, or the error of the flash. At the end *at is the first byte where a record may be written:
 * sector_size when what follows is not blank. */
int layout_walk(const struct flash_port *flash, uint32_t sector, uint32_t *at, struct entry *e, uint32_t *damaged);

/* 1 when the bytes of the record fit their checksum, 0 when not, or the error of the flash. */
int layout_is_whole(const struct flash_port *flash, uint32_t sector, const struct entry *e);

#endif
