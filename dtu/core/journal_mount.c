/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "common/bytes.h"
#include "common/err.h"
#include "dtu/core/journal_private.h"

static int begin(struct journal *j, const struct flash_port *flash, struct journal_sector *index, size_t index_n)
{
    const struct flash_geometry *g = &flash->geometry;

    *j = (struct journal) { .flash = flash, .index = index, .next_seq = 1, .safe_seq = 1 };
    if (g->write_size == 0 || g->write_size > FLASH_WRITE_MAX || (g->write_size & (g->write_size - 1)) != 0 ||
        g->sector_count < JOURNAL_SECTORS_MIN || g->sector_count > index_n || g->sector_size % g->write_size != 0 ||
        g->sector_size > UINT32_MAX / g->sector_count || g->sector_size < layout_first(g) + layout_size(g, 64))
        return BMS_ERR_RANGE;
    memset(index, 0, sizeof(*index) * g->sector_count);
    return BMS_ERR_OK;
}

int journal_format(struct journal *j, const struct flash_port *flash, struct journal_sector *index, size_t index_n, uint64_t epoch)
{
    int err = begin(j, flash, index, index_n);

    for (uint32_t s = 0; !err && s < flash->geometry.sector_count; s++)
        err = flash->erase(flash->ctx, s);
    if (err)
        return err;
    j->epoch = epoch;
    j->head = NO_SECTOR;
    err = journal_open_sector(j);
    return err ? err : flash->sync(flash->ctx);
}

/* Heads of all sectors into the index; the highest serial says which epoch is ours. */
static int read_heads(struct journal *j)
{
    uint32_t worn = 0;
    struct sector_head h;

    for (uint32_t s = 0; s < j->flash->geometry.sector_count; s++) {
        int err = layout_get_sector(j->flash, s, &h);

        if (err && err != BMS_ERR_UNKNOWN)
            return err;
        if (err)
            continue;
        j->index[s] = (struct journal_sector) { .first_seq = h.first_seq, .serial = h.serial, .erased = h.erased };
        worn = h.erased > worn ? h.erased : worn;
        if (h.serial > j->serial) {
            j->serial = h.serial;
            j->head = s;
            j->epoch = h.epoch;
            j->next_seq = h.first_seq;
            j->dropped = h.dropped;
        }
    }
    for (uint32_t s = 0; s < j->flash->geometry.sector_count; s++) {
        bool ours = j->index[s].serial && !layout_get_sector(j->flash, s, &h) && h.epoch == j->epoch;

        if (!ours) /* a cut between erase and head forgets how often: take the worst */
            j->index[s] = (struct journal_sector) { .erased = j->index[s].serial ? j->index[s].erased : worn };
    }
    return j->serial ? BMS_ERR_OK : BMS_ERR_UNKNOWN;
}

/* Count a sector. *last is its last entry (seq 0: none); *end where the next may go. */
static int count_sector(struct journal *j, uint32_t s, struct entry *last, uint32_t *end)
{
    struct entry e;
    int got;

    *last = (struct entry) { .seq = 0 };
    *end = layout_first(&j->flash->geometry);
    while ((got = layout_walk(j->flash, s, end, &e, &j->corrupt)) > 0) {
        j->index[s].unacked += e.acked ? 0 : 1;
        *last = e;
    }
    j->unacked += j->index[s].unacked;
    return got;
}

/* Ends in blank flash: the writing was cut, nobody has seen it. Anything else was whole once. */
static bool is_torn(const struct journal *j, uint32_t s, const struct entry *e)
{
    uint8_t end[1] = { 0 };
    uint32_t at = s * j->flash->geometry.sector_size + layout_bytes(&j->flash->geometry, e->at) + e->len - 1;

    return j->flash->read(j->flash->ctx, at, end, 1) == BMS_ERR_OK && end[0] == 0xFF;
}

/* The newest record may be cut: strike it off. */
static int check_last(struct journal *j, const struct entry *last)
{
    int whole = layout_is_whole(j->flash, j->head, last);

    if (whole || last->acked)
        return whole < 0 ? whole : BMS_ERR_OK;
    int err = journal_strike(j, j->head, last);

    j->corrupt += err || is_torn(j, j->head, last) ? 0 : 1;
    return err;
}

/* The newest entry of the sector whose bytes are all there; seq 0: none. Only such a one says what was recorded: an entry that was cut and struck off looks
 * like an acknowledged one until its bytes are read. */
static int newest_whole(const struct journal *j, uint32_t s, const struct entry *last, struct entry *newest)
{
    uint32_t at = layout_first(&j->flash->geometry);
    struct entry e;
    int got = last->seq ? layout_is_whole(j->flash, s, last) : 0;

    *newest = got > 0 ? *last : (struct entry) { .seq = 0 };
    if (got || last->seq == 0)
        return got < 0 ? got : BMS_ERR_OK;
    while ((got = layout_walk(j->flash, s, &at, &e, NULL)) > 0) {
        int whole = layout_is_whole(j->flash, s, &e);

        if (whole < 0)
            return whole;
        if (whole)
            *newest = e;
    }
    return got;
}

static int count_head(struct journal *j, struct entry *newest)
{
    const struct flash_geometry *g = &j->flash->geometry;
    struct entry last;
    int err = count_sector(j, j->head, &last, &j->at);

    if (err)
        return err;
    uint32_t end = last.seq ? last.at + layout_size(g, last.len) : layout_first(g);

    if (last.seq)
        j->next_seq = last.seq + 1;
    if (j->at != end && end + layout_size(g, 1) <= g->sector_size)
        j->next_seq++; /* a head was cut or has rotted: that number is spent */
    err = last.seq ? check_last(j, &last) : BMS_ERR_OK;
    return err ? err : newest_whole(j, j->head, &last, newest);
}

/* A sector whose head has rotted may have been the newest: its records are lost, but their numbers must not be given again. */
static int guard_numbers(struct journal *j)
{
    uint64_t before = j->next_seq;

    for (uint32_t s = 0; s < j->flash->geometry.sector_count; s++) {
        uint32_t at = layout_first(&j->flash->geometry);
        struct entry e;
        int got = 0;

        while (j->index[s].serial == 0 && (got = layout_walk(j->flash, s, &at, &e, NULL)) > 0) {
            if (e.seq < before || e.seq > before + UINT16_MAX)
                continue;
            j->corrupt += e.acked ? 0 : 1;
            j->next_seq = e.seq >= j->next_seq ? e.seq + 1 : j->next_seq;
        }
        if (got < 0)
            return got;
    }
    return BMS_ERR_OK;
}

int journal_mount(struct journal *j, const struct flash_port *flash, struct journal_sector *index, size_t index_n)
{
    struct entry newest = { .seq = 0 };
    uint32_t at;
    int err = begin(j, flash, index, index_n);

    if (!err)
        err = read_heads(j);
    if (!err)
        err = count_head(j, &newest);
    for (uint32_t s = journal_sector_before(j, j->serial); !err && s != NO_SECTOR; s = journal_sector_before(j, j->index[s].serial)) {
        struct entry last;

        err = count_sector(j, s, &last, &at);
        if (!err && newest.seq == 0)
            err = newest_whole(j, s, &last, &newest);
    }
    if (!err)
        err = guard_numbers(j);
    if (err)
        return err;
    if (newest.seq)
        j->note = newest.note;
    if (newest.seq >= j->next_seq)
        j->next_seq = newest.seq + 1;
    j->safe_seq = j->next_seq;
    return BMS_ERR_OK;
}
