/* SPDX-License-Identifier: Apache-2.0 */
#include "dtu/core/journal_layout.h"

#include <string.h>

#include "common/bytes.h"
#include "common/crc.h"
#include "common/err.h"

enum { VERSION = 1, RECORD_MAGIC = 0xB1C7 };
#define SECTOR_MAGIC 0x314A5743u /* "CWJ1" */

static uint32_t padded(const struct flash_geometry *g, uint32_t n)
{
    return (n + g->write_size - 1) & ~(g->write_size - 1);
}

uint32_t layout_first(const struct flash_geometry *g)
{
    return padded(g, SECTOR_HEAD);
}

uint32_t layout_ack(const struct flash_geometry *g, uint32_t at)
{
    return at + padded(g, RECORD_HEAD);
}

uint32_t layout_bytes(const struct flash_geometry *g, uint32_t at)
{
    return layout_ack(g, at) + padded(g, ACK_WORD);
}

uint32_t layout_size(const struct flash_geometry *g, uint32_t len)
{
    return layout_bytes(g, 0) + padded(g, len);
}

/* The checksum at the end of a head of n bytes, and the padding behind it. */
static uint32_t close_head(const struct flash_geometry *g, uint8_t *head, uint32_t n)
{
    put_le32(head + n - 4, crc32c(0, head, n - 4));
    memset(head + n, 0xFF, padded(g, n) - n);
    return padded(g, n);
}

uint32_t layout_put_sector(const struct flash_geometry *g, const struct sector_head *h, uint8_t *out)
{
    put_le32(out, SECTOR_MAGIC);
    put_le16(out + 4, VERSION);
    put_le16(out + 6, (uint16_t)g->write_size);
    put_le64(out + 8, h->epoch);
    put_le32(out + 16, h->serial);
    put_le32(out + 20, h->erased);
    put_le64(out + 24, h->first_seq);
    put_le64(out + 32, h->dropped);
    return close_head(g, out, SECTOR_HEAD);
}

uint32_t layout_put_record(const struct flash_geometry *g, const struct entry *e, uint8_t *out)
{
    put_le16(out, RECORD_MAGIC);
    put_le16(out + 2, (uint16_t)e->len);
    put_le64(out + 4, e->seq);
    put_le32(out + 12, e->note.boot);
    put_le32(out + 16, e->note.no);
    put_le32(out + 20, e->note.board_dropped);
    put_le32(out + 24, e->crc);
    return close_head(g, out, RECORD_HEAD);
}

int layout_get_sector(const struct flash_port *flash, uint32_t sector, struct sector_head *h)
{
    uint8_t buf[SECTOR_HEAD];
    int err = flash->read(flash->ctx, sector * flash->geometry.sector_size, buf, sizeof(buf));

    if (err)
        return err;
    if (get_le32(buf) != SECTOR_MAGIC || get_le16(buf + 4) != VERSION || get_le16(buf + 6) != flash->geometry.write_size ||
        crc32c(0, buf, SECTOR_HEAD - 4) != get_le32(buf + SECTOR_HEAD - 4))
        return BMS_ERR_UNKNOWN;
    *h = (struct sector_head) { .epoch = get_le64(buf + 8),
                                .serial = get_le32(buf + 16),
                                .erased = get_le32(buf + 20),
                                .first_seq = get_le64(buf + 24),
                                .dropped = get_le64(buf + 32) };
    return h->serial ? BMS_ERR_OK : BMS_ERR_UNKNOWN;
}

static bool is_blank(const uint8_t *p, uint32_t n)
{
    for (uint32_t i = 0; i < n; i++)
        if (p[i] != 0xFF)
            return false;
    return true;
}

/* Kernighan: clears one set bit a turn. */
static unsigned ones(uint32_t v)
{
    unsigned n = 0;

    for (; v; v &= v - 1)
        n++;
    return n;
}

enum look { LOOK_RECORD = 1, LOOK_BLANK = 0, LOOK_DAMAGED = 2 }; /* or a negative error */

/* What lies at `at`, of which at least a head and an ack word fit into the sector. */
static int look_at(const struct flash_port *flash, uint32_t sector, uint32_t at, struct entry *e)
{
    const struct flash_geometry *g = &flash->geometry;
    uint32_t base = sector * g->sector_size;
    uint8_t head[RECORD_HEAD], ack[ACK_WORD];
    int err = flash->read(flash->ctx, base + at, head, sizeof(head));

    if (!err)
        err = flash->read(flash->ctx, base + layout_ack(g, at), ack, sizeof(ack));
    if (err)
        return err;
    if (is_blank(head, sizeof(head)))
        return LOOK_BLANK;
    *e = (struct entry) { .at = at,
                          .len = get_le16(head + 2),
                          .seq = get_le64(head + 4),
                          .note = { get_le32(head + 12), get_le32(head + 16), get_le32(head + 20) },
                          .crc = get_le32(head + 24),
                          .acked = ones(~get_le32(ack)) >= 2 };
    if (get_le16(head) != RECORD_MAGIC || crc32c(0, head, RECORD_HEAD - 4) != get_le32(head + RECORD_HEAD - 4) || e->len == 0 ||
        at + layout_size(g, e->len) > g->sector_size)
        return LOOK_DAMAGED;
    return LOOK_RECORD;
}

/* Behind a damaged head: its length is not known, so every write unit may be the next head. */
static int search(const struct flash_port *flash, uint32_t sector, uint32_t *at, struct entry *e)
{
    const struct flash_geometry *g = &flash->geometry;

    for (*at += g->write_size; *at + layout_size(g, 1) <= g->sector_size; *at += g->write_size) {
        int what = look_at(flash, sector, *at, e);

        if (what < 0 || what == LOOK_RECORD)
            return what;
    }
    *at = g->sector_size;
    return 0;
}

int layout_walk(const struct flash_port *flash, uint32_t sector, uint32_t *at, struct entry *e, uint32_t *damaged)
{
    const struct flash_geometry *g = &flash->geometry;

    if (*at + layout_size(g, 1) > g->sector_size) {
        *at = g->sector_size;
        return 0;
    }
    int what = look_at(flash, sector, *at, e);

    if (what == LOOK_DAMAGED) {
        what = search(flash, sector, at, e);
        if (what == LOOK_RECORD && damaged)
            (*damaged)++;
    }
    if (what == LOOK_RECORD)
        *at = e->at + layout_size(g, e->len);
    return what;
}

int layout_is_whole(const struct flash_port *flash, uint32_t sector, const struct entry *e)
{
    const struct flash_geometry *g = &flash->geometry;
    uint32_t from = sector * g->sector_size + layout_bytes(g, e->at);
    uint8_t buf[256];
    uint32_t crc = 0;

    for (uint32_t done = 0; done < e->len;) {
        uint32_t n = e->len - done < sizeof(buf) ? e->len - done : (uint32_t)sizeof(buf);
        int err = flash->read(flash->ctx, from + done, buf, n);

        if (err)
            return err;
        crc = crc32c(crc, buf, n);
        done += n;
    }
    return crc == e->crc;
}
