/* SPDX-License-Identifier: Apache-2.0 */
/* store_rows.c -- see store_rows.h. */
#include "server/store/store_rows.h"

#include "common/err.h"

#include <stdlib.h>
#include <string.h>

enum { COLUMNS = 21, PIECE = 32 * 1024 }; /* rows are a few kB, so a piece is not much more than that */

static const char copy_straight[] = "COPY record (" RECORD_COLUMNS ") FROM STDIN BINARY";

/* In the order of the rows, which is that of every writer: two processes with the same rows wait for each other and never for a circle. */
static const char insert_others[] =
    "WITH added AS (INSERT INTO record (" RECORD_COLUMNS ") SELECT " RECORD_COLUMNS
    " FROM unnest($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20, $21) "
    "AS n (" RECORD_COLUMNS ") ON CONFLICT DO NOTHING RETURNING tenant, device, count) "
    "SELECT tenant || '.' || device COLLATE \"C\" AS name, count(*), sum(count) FROM added GROUP BY tenant, device ORDER BY name";

static const enum arrays_type types[COLUMNS] = {
    /* of RECORD_COLUMNS */
    ARRAYS_TEXT,  ARRAYS_TEXT,  ARRAYS_UTC,   ARRAYS_INT64, ARRAYS_INT64, ARRAYS_INT64, ARRAYS_INT64,
    ARRAYS_INT16, ARRAYS_UTC,   ARRAYS_UTC,   ARRAYS_INT32, ARRAYS_INT32, ARRAYS_INT32, ARRAYS_INT32,
    ARRAYS_INT32, ARRAYS_INT32, ARRAYS_INT32, ARRAYS_INT16, ARRAYS_INT16, ARRAYS_INT16, ARRAYS_BYTES,
};

void store_rows_begin(struct store_rows *r)
{
    r->count = 0;
    r->straight = 0;
    r->sorted = false;
}

void store_rows_free(struct store_rows *r)
{
    free(r->record);
    free(r->split);
    copy_free(&r->piece);
    arrays_free(&r->again);
    *r = (struct store_rows) { .count = 0 };
}

int store_rows_add(struct store_rows *r, const struct decoded *record)
{
    if (r->count == r->room) {
        size_t room = r->room ? r->room * 2 : 256;
        const struct decoded **more = realloc(r->record, room * sizeof *more);

        if (!more)
            return BMS_ERR_NOSPACE;
        r->record = more;
        r->room = room;
    }
    r->record[r->count++] = record;
    return 0;
}

static int by_device(const void *left, const void *right)
{
    const struct decoded *a = *(const struct decoded *const *)left, *b = *(const struct decoded *const *)right;
    int d = strcmp(a->device, b->device);

    d = d ? d : (a->first_ms > b->first_ms) - (a->first_ms < b->first_ms);
    d = d ? d : (a->epoch > b->epoch) - (a->epoch < b->epoch);
    return d ? d : (a->seq > b->seq) - (a->seq < b->seq);
}

void store_rows_sort(struct store_rows *r)
{
    if (!r->sorted && r->count > 0)
        qsort(r->record, r->count, sizeof *r->record, by_device);
    r->sorted = true;
}

static void put_int32(struct copy *c, bool has, int32_t v)
{
    if (has)
        copy_int32(c, v);
    else
        copy_null(c);
}

static void put_int16(struct copy *c, bool has, int16_t v)
{
    if (has)
        copy_int16(c, v);
    else
        copy_null(c);
}

/* One field after the other into to[0] .. to[COLUMNS - 1]: a column each, or all the same stream. */
static void put_fields(struct copy *const *to, const struct decoded *d)
{
    const struct summary *s = &d->summary;

    copy_device(to[0], to[1], d->device);
    to += 2;
    copy_utc_ms(*to++, d->first_ms);
    copy_int64(*to++, (int64_t)d->epoch);
    copy_int64(*to++, (int64_t)d->seq);
    copy_int64(*to++, d->boot);
    copy_int64(*to++, d->first_no);
    copy_int16(*to++, (int16_t)d->count);
    copy_utc_ms(*to++, d->last_ms);
    copy_utc_ms(*to++, d->received_ms);
    put_int32(*to++, s->has_cells, s->cell_min_mV);
    put_int32(*to++, s->has_cells, s->cell_max_mV);
    put_int32(*to++, s->has_cells, s->cell_mean_mV);
    put_int32(*to++, s->has_soc, s->soc_permyriad);
    put_int32(*to++, s->has_current, s->current_min_mA);
    put_int32(*to++, s->has_current, s->current_max_mA);
    put_int32(*to++, s->has_voltage, s->voltage_mV);
    put_int16(*to++, s->has_temps, s->temp_min_ddegC);
    put_int16(*to++, s->has_temps, s->temp_max_ddegC);
    copy_int16(*to++, s->alarm_level);
    copy_bytes(*to, d->bytes, d->size);
}

static bool is_newer(const struct decoded *a, const struct decoded *than)
{
    return a->boot == than->boot ? a->first_no + a->count > than->first_no + than->count : a->last_ms > than->last_ms;
}

const struct decoded *store_rows_newest(const struct store_rows *r, size_t at, size_t *end)
{
    const struct decoded *best = r->record[at];
    size_t i = at + 1;

    for (; i < r->count && strcmp(r->record[i]->device, best->device) == 0; i++)
        if (is_newer(r->record[i], best))
            best = r->record[i];
    *end = i;
    return best;
}

int store_rows_split(struct store_rows *r, const struct repeaters *repeaters, bool all_again, int64_t now_ms)
{
    bool again = all_again;
    size_t others = 0;

    if (r->split_room < r->room) {
        const struct decoded **more = realloc(r->split, r->room * sizeof *more);

        if (!more)
            return BMS_ERR_NOSPACE;
        r->split = more;
        r->split_room = r->room;
    }
    for (size_t i = r->count; i-- > 0;) { /* from the end, so that the others keep their order */
        if (!all_again && (i + 1 == r->count || strcmp(r->record[i]->device, r->record[i + 1]->device) != 0))
            again = repeaters_has(repeaters, r->record[i]->device, now_ms);
        if (again)
            r->split[r->count - ++others] = r->record[i];
    }
    r->straight = 0;
    for (size_t i = 0, other = r->count - others; i < r->count; i++)
        if (other < r->count && r->record[i] == r->split[other])
            other++;
        else
            r->split[r->straight++] = r->record[i];
    return 0;
}

static int send_piece(struct copy *c, struct db *db)
{
    int err = c->bad ? BMS_ERR_NOSPACE : db_copy_put(db, c->data, c->used);

    c->used = 0;
    return err;
}

int store_rows_copy(struct store_rows *r, struct db *db, struct store_result *result)
{
    struct copy *to[COLUMNS];
    uint64_t frames = 0;
    int err = r->straight > 0 ? db_copy_begin(db, copy_straight) : 0;

    if (err || r->straight == 0)
        return err;
    for (size_t i = 0; i < COLUMNS; i++)
        to[i] = &r->piece;
    copy_begin(&r->piece);
    for (size_t i = 0; i < r->straight && !err; i++) {
        copy_row(&r->piece, COLUMNS);
        put_fields(to, r->split[i]);
        frames += r->split[i]->count;
        if (r->piece.used >= PIECE)
            err = send_piece(&r->piece, db);
    }
    copy_end(&r->piece);
    err = err ? err : send_piece(&r->piece, db);
    int end = db_copy_end(db, err ? "no more memory, or no connection" : NULL);

    err = err ? err : end;
    if (!err) {
        result->records += r->straight;
        result->frames += frames;
    }
    return err;
}

/* rows[count] were sent: what of them was there already? Both are sorted by the devices' names, and `added` has one row for each that has new ones. */
static void learn(const struct decoded *const *rows, size_t count, const PGresult *added, struct repeaters *repeaters, int64_t now_ms,
                  struct store_result *result)
{
    int at = 0;

    for (size_t i = 0, end; i < count; i = end) {
        uint64_t new = 0;

        for (end = i + 1; end < count && strcmp(rows[end]->device, rows[i]->device) == 0;)
            end++;
        if (at < PQntuples(added) && strcmp(PQgetvalue(added, at, 0), rows[i]->device) == 0) {
            new = strtoull(PQgetvalue(added, at, 1), NULL, 10);
            result->frames += strtoull(PQgetvalue(added, at++, 2), NULL, 10);
        }
        result->records += new;
        result->duplicates += end - i - new;
        if (new < end - i)
            repeaters_add(repeaters, rows[i]->device, now_ms);
    }
}

int store_rows_merge(struct store_rows *r, struct db *db, struct repeaters *repeaters, int64_t now_ms, struct store_result *result)
{
    struct copy *to[COLUMNS];
    int err = 0;

    for (size_t i = 0; i < COLUMNS; i++)
        to[i] = &r->again.column[i];
    for (size_t at = r->straight, first = at; at < r->count && !err; first = at) {
        PGresult *added = NULL;

        arrays_begin(&r->again, types, COLUMNS);
        for (; at < r->count && !arrays_is_full(&r->again); at++) {
            put_fields(to, r->split[at]);
            arrays_row(&r->again);
        }
        err = arrays_send(&r->again, db, insert_others, &added);
        if (!err)
            learn(r->split + first, at - first, added, repeaters, now_ms, result);
        PQclear(added);
    }
    return err;
}
