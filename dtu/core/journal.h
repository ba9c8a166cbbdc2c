/* SPDX-License-Identifier: Apache-2.0 */
/* journal.h -- the durable queue of the whole system: a wear-levelled log of sealed records in flash.
 *
 * A record stays until the server has acknowledged it after its database committed. Records lie in sectors in the order of their numbers:
 *
 *   sector:  head | record | record | ... | blank          record:  head | ack word | bytes | padding to the write unit
 *
 * Every write may be cut at any byte. A record counts when its head and its bytes fit their checksums; a torn one at the end is stepped over,
 * and its number is not used again. Acknowledging programs the ack word to zero. When the newest sector is full, the oldest sector without
 * unacknowledged records is erased and used next, which wears all alike; when every sector holds some, the oldest one goes and what it
 * held is counted as dropped. Bit rot is found by checksum, counted and skipped.
 *
 * Costs: no heap; RAM is struct journal and 24 bytes for each sector (the index, the caller's). A record never crosses a sector: the last
 * bytes of a sector are wasted, and the longest record is journal_record_max(). One thread.
 */
#ifndef DTU_CORE_JOURNAL_H
#define DTU_CORE_JOURNAL_H

#include <stddef.h>
#include <stdint.h>

#include "dtu/core/flash_port.h"

enum { JOURNAL_SECTORS_MIN = 3, JOURNAL_CURSORS = 4 };

struct journal_sector { /* what the index keeps of a sector */
    uint64_t first_seq; /* next number when it was opened */
    uint32_t serial;    /* order of opening, 0 = free */
    uint32_t unacked;
    uint32_t erased; /* times */
};

struct journal_note { /* kept with each record, for the start after a power cut */
    uint32_t boot;    /* of the record's samples */
    uint32_t no;      /* of its last sample; boot 0, no 0: the journal is empty */
    uint32_t board_dropped;
};

struct journal_cursor { /* where an earlier search ended: the next one often goes on from there */
    uint32_t serial, at;
    uint64_t seq;
};

struct journal {                    /* allocated by the caller, fields private but for those marked */
    const struct flash_port *flash; /* borrowed */
    struct journal_sector *index;   /* [sector_count], borrowed */
    uint64_t epoch;                 /* read it: names this format */
    uint64_t next_seq;              /* read it: number of the next record */
    uint64_t safe_seq;              /* read it: records below survive a power cut and may be published */
    uint64_t dropped;               /* read it: records that went unacknowledged, since the format */
    uint32_t corrupt;               /* read it: records found damaged, since mount */
    uint32_t unacked;               /* read it: records that wait for their acknowledgement */
    struct journal_note note;       /* read it: of the newest record */
    uint32_t head;                  /* sector that is being filled */
    uint32_t at;                    /* its first free byte */
    uint32_t serial;                /* of the head, the highest */
    struct journal_cursor cursor[JOURNAL_CURSORS];
    unsigned turn; /* cursor that is replaced next */
};

/* Start over: erases all. epoch: random, names the journal. index[index_n] with index_n >= sector_count. Returns 0, BMS_ERR_RANGE for a
 * geometry that cannot be used, or the error of the flash. */
int journal_format(struct journal *j, const struct flash_port *flash, struct journal_sector *index, size_t index_n, uint64_t epoch);

/* Find what there is. Returns 0, BMS_ERR_UNKNOWN when no sector belongs to a journal, BMS_ERR_RANGE, or the error of the flash. */
int journal_mount(struct journal *j, const struct flash_port *flash, struct journal_sector *index, size_t index_n);

/* Longest record in bytes. */
size_t journal_record_max(const struct journal *j);

/* Store data[n] under next_seq. Returns 0, BMS_ERR_RANGE (empty or too long), or the error of the flash: then nothing was stored, but the
 * number is spent; a second attempt goes to another sector. */
int journal_append(struct journal *j, const uint8_t *data, size_t n, const struct journal_note *note);

/* Make all appended records safe (safe_seq = next_seq). 0 or BMS_ERR_IO. */
int journal_sync(struct journal *j);

/* The unacknowledged record with the lowest number >= from, or the highest < below. Returns 1 with *seq, 0 when there is none, or an error. */
int journal_next(struct journal *j, uint64_t from, uint64_t *seq);
int journal_prev(struct journal *j, uint64_t below, uint64_t *seq);

/* Copy an unacknowledged record to out[size]. Returns its length, BMS_ERR_UNKNOWN, BMS_ERR_NOSPACE, the error of the flash, or BMS_ERR_CORRUPT:
 * then it is counted and struck off, and will not be found again. */
int journal_read(struct journal *j, uint64_t seq, uint8_t *out, size_t size);

/* What is still in flash, acknowledged or not, for a server that lost it: a record stays until its sector is needed. The lowest number >= from (1 with
 * *seq, 0 when there is none, or an error), and its bytes: their length, BMS_ERR_UNKNOWN, BMS_ERR_NOSPACE, BMS_ERR_CORRUPT, or the error of the flash. */
int journal_next_any(struct journal *j, uint64_t from, uint64_t *seq);
int journal_read_any(struct journal *j, uint64_t seq, uint8_t *out, size_t size);

/* The server has first to last, both included; any values are harmless. Returns how many records that newly covered, or an error. */
int journal_ack(struct journal *j, uint64_t first, uint64_t last);

#endif
