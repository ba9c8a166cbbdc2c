/* SPDX-License-Identifier: Apache-2.0 */
/* store_rows.c -- see store_rows.h. */
#include "server/store/store_rows.h"

#include "common/err.h"

#include <stdlib.h>
#include <string.h>

enum { RECORD_COLUMN_COUNT = 21, PIECE = 32 * 1024 }; /* rows are a few kB, so a piece is not much more than that */

void store_rows_begin(struct store_rows *r)
{
    r->count = 0;
    r->sorted = false;
}

void store_rows_free(struct store_rows *r)
{
    free(r->record);
    copy_free(&r->piece);
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

    return d ? d : (a->first_ms > b->first_ms) - (a->first_ms < b->first_ms);
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

static void put_summary(struct copy *c, const struct summary *s)
{
    put_int32(c, s->has_cells, s->cell_min_mV);
    put_int32(c, s->has_cells, s->cell_max_mV);
    put_int32(c, s->has_cells, s->cell_mean_mV);
    put_int32(c, s->has_soc, s->soc_permyriad);
    put_int32(c, s->has_current, s->current_min_mA);
    put_int32(c, s->has_current, s->current_max_mA);
    put_int32(c, s->has_voltage, s->voltage_mV);
    if (s->has_temps) {
        copy_int16(c, s->temp_min_ddegC);
        copy_int16(c, s->temp_max_ddegC);
    } else {
        copy_null(c);
        copy_null(c);
    }
    copy_int16(c, s->alarm_level);
}

static void put_row(struct copy *c, const struct decoded *d)
{
    size_t tenant = strcspn(d->device, ".");
    const char *vehicle = d->device + tenant + 1;

    copy_row(c, RECORD_COLUMN_COUNT);
    copy_bytes(c, d->device, tenant);
    copy_bytes(c, vehicle, strlen(vehicle));
    copy_utc_ms(c, d->first_ms);
    copy_int64(c, (int64_t)d->epoch);
    copy_int64(c, (int64_t)d->seq);
    copy_int64(c, d->boot);
    copy_int64(c, d->first_no);
    copy_int16(c, (int16_t)d->count);
    copy_utc_ms(c, d->last_ms);
    copy_utc_ms(c, d->received_ms);
    put_summary(c, &d->summary);
    copy_bytes(c, d->bytes, d->size);
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

static int send_piece(struct copy *c, struct db *db)
{
    int err = c->bad ? BMS_ERR_NOSPACE : db_copy_put(db, c->data, c->used);

    c->used = 0;
    return err;
}

int store_rows_copy(struct store_rows *r, struct db *db, const char *sql)
{
    int err = db_copy_begin(db, sql);

    if (err)
        return err;
    store_rows_sort(r);
    copy_begin(&r->piece);
    for (size_t i = 0; i < r->count && !err; i++) {
        put_row(&r->piece, r->record[i]);
        if (r->piece.used >= PIECE)
            err = send_piece(&r->piece, db);
    }
    copy_end(&r->piece);
    err = err ? err : send_piece(&r->piece, db);
    int end = db_copy_end(db, err ? "no more memory, or no connection" : NULL);

    return err ? err : end;
}

uint64_t store_rows_frames(const struct store_rows *r)
{
    uint64_t sum = 0;

    for (size_t i = 0; i < r->count; i++)
        sum += r->record[i]->count;
    return sum;
}
