/* SPDX-License-Identifier: Apache-2.0 */
#include "dtu/core/journal.h"

#include <string.h>

#include "common/crc.h"
#include "common/err.h"
#include "dtu/core/journal_private.h"

static uint32_t address_of(const struct journal *j, uint32_t sector, uint32_t at)
{
    return sector * j->flash->geometry.sector_size + at;
}

uint32_t journal_sector_before(const struct journal *j, uint32_t serial)
{
    uint32_t best = NO_SECTOR;

    for (uint32_t s = 0; s < j->flash->geometry.sector_count; s++)
        if (j->index[s].serial && j->index[s].serial < serial && (best == NO_SECTOR || j->index[s].serial > j->index[best].serial))
            best = s;
    return best;
}

uint32_t journal_sector_after(const struct journal *j, uint32_t serial)
{
    uint32_t best = NO_SECTOR;

    for (uint32_t s = 0; s < j->flash->geometry.sector_count; s++)
        if (j->index[s].serial > serial && (best == NO_SECTOR || j->index[s].serial < j->index[best].serial))
            best = s;
    return best;
}

/* Where `seq` lies if it is there: serials and numbers grow together. NO_SECTOR when it is older than all. */
static uint32_t sector_of(const struct journal *j, uint64_t seq)
{
    uint32_t best = NO_SECTOR;

    for (uint32_t s = 0; s < j->flash->geometry.sector_count; s++)
        if (j->index[s].serial && j->index[s].first_seq <= seq && (best == NO_SECTOR || j->index[s].serial > j->index[best].serial))
            best = s;
    return best;
}

static bool is_better_victim(const struct journal_sector *a, const struct journal_sector *b)
{
    if ((a->unacked == 0) != (b->unacked == 0))
        return a->unacked == 0;
    return a->serial != b->serial ? a->serial < b->serial : a->erased < b->erased;
}

int journal_open_sector(struct journal *j)
{
    const struct flash_geometry *g = &j->flash->geometry;
    uint32_t victim = j->head == 0 ? 1 : 0;
    uint8_t head[LAYOUT_BUF];

    for (uint32_t s = 0; s < g->sector_count; s++)
        if (s != j->head && is_better_victim(&j->index[s], &j->index[victim]))
            victim = s;
    struct journal_sector *x = &j->index[victim];
    int err = j->flash->erase(j->flash->ctx, victim);

    if (err)
        return err;
    j->dropped += x->unacked;
    j->unacked -= x->unacked;
    *x = (struct journal_sector) { .first_seq = j->next_seq, .erased = x->erased + 1 };
    struct sector_head h = {
        .epoch = j->epoch, .first_seq = j->next_seq, .dropped = j->dropped, .serial = j->serial + 1, .erased = x->erased
    };

    err = j->flash->program(j->flash->ctx, address_of(j, victim, 0), head, layout_put_sector(g, &h, head));
    if (err)
        return err;
    x->serial = j->serial = h.serial;
    j->head = victim;
    j->at = layout_first(g);
    return BMS_ERR_OK;
}

size_t journal_record_max(const struct journal *j)
{
    const struct flash_geometry *g = &j->flash->geometry;
    uint32_t room = g->sector_size - layout_first(g) - layout_size(g, 0);

    return room < UINT16_MAX ? room : UINT16_MAX;
}

static int program_bytes(struct journal *j, uint32_t at, const uint8_t *data, uint32_t n)
{
    uint8_t last[FLASH_WRITE_MAX];
    uint32_t whole = n & ~(j->flash->geometry.write_size - 1);
    int err = whole ? j->flash->program(j->flash->ctx, address_of(j, j->head, at), data, whole) : BMS_ERR_OK;

    if (err || whole == n)
        return err;
    memset(last, 0xFF, sizeof(last));
    memcpy(last, data + whole, n - whole);
    return j->flash->program(j->flash->ctx, address_of(j, j->head, at + whole), last, j->flash->geometry.write_size);
}

static void count_entry(struct journal *j)
{
    j->index[j->head].unacked++;
    j->unacked++;
}

/* The head of a record that could not be written may be there: strike it off, or let its checksum do that when it is read. */
static void abandon(struct journal *j, const struct entry *e)
{
    uint32_t at = e->at;
    struct entry seen;

    if (e->at == 0 || layout_walk(j->flash, j->head, &at, &seen, NULL) <= 0 || seen.at != e->at || seen.acked)
        return;
    count_entry(j);
    journal_strike(j, j->head, &seen);
}

/* A place that fails is never tried again: the sector ends there. */
static int write_entry(struct journal *j, struct entry *e, const uint8_t *data)
{
    const struct flash_geometry *g = &j->flash->geometry;
    uint8_t head[LAYOUT_BUF];

    if (j->at + layout_size(g, e->len) > g->sector_size) {
        int err = journal_open_sector(j);

        if (err)
            return err;
    }
    e->at = j->at;
    int err = j->flash->program(j->flash->ctx, address_of(j, j->head, e->at), head, layout_put_record(g, e, head));

    if (!err)
        err = program_bytes(j, layout_bytes(g, e->at), data, e->len);
    j->at = err ? g->sector_size : e->at + layout_size(g, e->len);
    return err;
}

int journal_append(struct journal *j, const uint8_t *data, size_t n, const struct journal_note *note)
{
    if (n == 0 || n > journal_record_max(j))
        return BMS_ERR_RANGE;
    struct entry e = { .len = (uint32_t)n, .seq = j->next_seq, .note = *note, .crc = crc32c(0, data, n) };
    int err = write_entry(j, &e, data);

    j->next_seq++;
    if (err) {
        abandon(j, &e);
        return err;
    }
    count_entry(j);
    j->note = *note;
    return BMS_ERR_OK;
}

int journal_sync(struct journal *j)
{
    int err = j->safe_seq == j->next_seq ? BMS_ERR_OK : j->flash->sync(j->flash->ctx);

    if (!err)
        j->safe_seq = j->next_seq;
    return err;
}

/* The cursor in this sector that is nearest before seq; NULL when there is none. */
static struct journal_cursor *nearest(struct journal *j, uint32_t serial, uint64_t seq)
{
    struct journal_cursor *best = NULL;

    for (unsigned i = 0; i < JOURNAL_CURSORS; i++) {
        struct journal_cursor *c = &j->cursor[i];

        if (c->serial == serial && c->seq <= seq && (best == NULL || c->seq > best->seq))
            best = c;
    }
    return best;
}

/* The first entry of the sector with a number >= seq. Acknowledging, back-fill and live records each walk along with a cursor of their own. */
static int find_from(struct journal *j, uint32_t sector, uint64_t seq, struct entry *e)
{
    uint32_t serial = j->index[sector].serial;
    struct journal_cursor *c = nearest(j, serial, seq);
    uint32_t at = c ? c->at : layout_first(&j->flash->geometry);
    int got;

    while ((got = layout_walk(j->flash, sector, &at, e, NULL)) > 0 && e->seq < seq)
        ;
    if (got <= 0)
        return got;
    if (c == NULL) {
        c = &j->cursor[j->turn];
        j->turn = (j->turn + 1) % JOURNAL_CURSORS;
    }
    *c = (struct journal_cursor) { .serial = serial, .at = e->at, .seq = e->seq };
    return got;
}

int journal_next(struct journal *j, uint64_t from, uint64_t *seq)
{
    uint32_t s = sector_of(j, from);

    if (s == NO_SECTOR)
        s = journal_sector_after(j, 0);
    for (; s != NO_SECTOR; s = journal_sector_after(j, j->index[s].serial)) {
        struct entry e;
        int got = j->index[s].unacked ? find_from(j, s, from, &e) : 0;

        while (got > 0 && e.acked)
            got = find_from(j, s, e.seq + 1, &e);
        if (got > 0)
            *seq = e.seq;
        if (got)
            return got;
    }
    return 0;
}

int journal_prev(struct journal *j, uint64_t below, uint64_t *seq)
{
    uint32_t s = below ? sector_of(j, below - 1) : NO_SECTOR;

    for (; s != NO_SECTOR; s = journal_sector_before(j, j->index[s].serial)) {
        uint32_t at = layout_first(&j->flash->geometry);
        bool found = false;
        struct entry e;
        int got = 0;

        while (j->index[s].unacked && (got = layout_walk(j->flash, s, &at, &e, NULL)) > 0 && e.seq < below)
            if (!e.acked) {
                *seq = e.seq;
                found = true;
            }
        if (found || got < 0)
            return found ? 1 : got;
    }
    return 0;
}

int journal_strike(struct journal *j, uint32_t sector, const struct entry *e)
{
    static const uint8_t zero[FLASH_WRITE_MAX];
    const struct flash_geometry *g = &j->flash->geometry;
    uint32_t n = layout_bytes(g, e->at) - layout_ack(g, e->at);
    int err = j->flash->program(j->flash->ctx, address_of(j, sector, layout_ack(g, e->at)), zero, n);

    if (err)
        return err;
    j->index[sector].unacked--;
    j->unacked--;
    return BMS_ERR_OK;
}

int journal_next_any(struct journal *j, uint64_t from, uint64_t *seq)
{
    uint32_t s = sector_of(j, from);
    int got = 0;

    if (s == NO_SECTOR)
        s = journal_sector_after(j, 0);
    for (; s != NO_SECTOR && got == 0; s = journal_sector_after(j, j->index[s].serial)) {
        struct entry e;

        got = find_from(j, s, from, &e);
        if (got > 0)
            *seq = e.seq;
    }
    return got;
}

int journal_read_any(struct journal *j, uint64_t seq, uint8_t *out, size_t size)
{
    uint32_t s = sector_of(j, seq);
    struct entry e;
    int got = s == NO_SECTOR ? 0 : find_from(j, s, seq, &e);

    if (got < 0)
        return got;
    if (got == 0 || e.seq != seq)
        return BMS_ERR_UNKNOWN;
    if (e.len > size)
        return BMS_ERR_NOSPACE;
    int err = j->flash->read(j->flash->ctx, address_of(j, s, layout_bytes(&j->flash->geometry, e.at)), out, e.len);

    return err ? err : crc32c(0, out, e.len) == e.crc ? (int)e.len : BMS_ERR_CORRUPT;
}

int journal_read(struct journal *j, uint64_t seq, uint8_t *out, size_t size)
{
    uint32_t s = sector_of(j, seq);
    struct entry e;
    int got = s == NO_SECTOR ? 0 : find_from(j, s, seq, &e);

    if (got < 0)
        return got;
    if (got == 0 || e.seq != seq || e.acked)
        return BMS_ERR_UNKNOWN;
    if (e.len > size)
        return BMS_ERR_NOSPACE;
    int err = j->flash->read(j->flash->ctx, address_of(j, s, layout_bytes(&j->flash->geometry, e.at)), out, e.len);

    if (err)
        return err;
    if (crc32c(0, out, e.len) == e.crc)
        return (int)e.len;
    err = journal_strike(j, s, &e);
    j->corrupt += err ? 0 : 1;
    return err ? err : BMS_ERR_CORRUPT;
}

/* The part of the range that lies in one sector. */
static int ack_in(struct journal *j, uint32_t sector, uint64_t first, uint64_t last)
{
    struct entry e;
    int done = 0;
    int got = find_from(j, sector, first, &e);

    while (got > 0 && e.seq <= last && j->index[sector].unacked) {
        int err = e.acked ? BMS_ERR_OK : journal_strike(j, sector, &e);

        if (err)
            return err;
        done += e.acked ? 0 : 1;
        got = find_from(j, sector, e.seq + 1, &e);
    }
    return got < 0 ? got : done;
}

int journal_ack(struct journal *j, uint64_t first, uint64_t last)
{
    if (last >= j->next_seq)
        last = j->next_seq - 1;
    uint32_t s = sector_of(j, first);
    int done = 0;

    if (s == NO_SECTOR)
        s = journal_sector_after(j, 0);
    for (; s != NO_SECTOR && first <= last && j->index[s].first_seq <= last; s = journal_sector_after(j, j->index[s].serial)) {
        int n = j->index[s].unacked ? ack_in(j, s, first, last) : 0;

        if (n < 0)
            return n;
        done += n;
    }
    return done;
}
