/* SPDX-License-Identifier: Apache-2.0 */
/* store.c -- the batch in memory, and its transaction. */
#include "server/store/store.h"

#include "common/err.h"
#include "server/clock.h"
#include "server/log.h"
#include "server/store/copy.h"
#include "server/store/partition.h"
#include "server/store/store_extra.h"
#include "server/store/store_late.h"

#include <stdlib.h>
#include <string.h>

struct row { /* what choosing the newest record of each device needs */
    char device[DEVICE_NAME_MAX + 1];
    uint32_t boot, last_no, count;
    int64_t first_ms, last_ms;
    int32_t day;
    bool live;       /* measured on the day it came */
    size_t at, size; /* its bytes in the COPY data */
};

struct store {
    struct db db;
    struct copy copy;   /* all rows as they came, without a trailer */
    struct copy sorted; /* the same by device and time: one device's rows lie together on disk, and writers meet in one order */
    struct copy newest; /* those that go into `latest` as well */
    struct row *rows;
    size_t count, room;
    struct store_extra extra; /* poison and alarm spans */
    struct store_late late;   /* hours that were over */
    struct partitions partitions;
    bool ended;       /* sorted, newest and late are made */
    unsigned careful; /* so many batches more are expected to hold records that are stored already */
};

#define RECORD_COLUMNS                                                                                                                     \
    "tenant, device, first_at, epoch, seq, boot, first_no, count, last_at, received_at, cell_min_mV, cell_max_mV, cell_mean_mV, "          \
    "soc_permyriad, current_min_mA, current_max_mA, voltage_mV, temp_min_ddegC, temp_max_ddegC, alarm_level, record"

enum { RECORD_COLUMN_COUNT = 21, CAREFUL_BATCHES = 64 };

/* Without the partitions of `record`, its key and its checks. Looked for in each transaction: behind a pooler the next one may run on another connection,
 * which has them or not. */
static const char staging[] = "CREATE TEMP TABLE IF NOT EXISTS staging (LIKE record INCLUDING STORAGE) ON COMMIT DELETE ROWS; "
                              "CREATE TEMP TABLE IF NOT EXISTS staging_newest (LIKE record INCLUDING STORAGE) ON COMMIT DELETE ROWS";

/* Ordered, so that two processes with the same rows wait for each other and never for a circle. */
static const char insert_records[] = "WITH added AS (INSERT INTO record (" RECORD_COLUMNS ") SELECT " RECORD_COLUMNS
                                     " FROM staging ORDER BY tenant, device, first_at, epoch, seq "
                                     "ON CONFLICT DO NOTHING RETURNING count) SELECT count(*), coalesce(sum(count), 0) FROM added";

static const char upsert_latest[] =
    "INSERT INTO latest AS l SELECT tenant, device, boot, first_no + count - 1, last_at, received_at, record FROM staging_newest "
    "ORDER BY tenant, device ON CONFLICT (tenant, device) DO UPDATE SET boot = excluded.boot, no = excluded.no, "
    "measured_at = excluded.measured_at, received_at = excluded.received_at, record = excluded.record "
    "WHERE CASE WHEN l.boot = excluded.boot THEN l.no < excluded.no ELSE l.measured_at < excluded.measured_at END";

struct store *store_create(const char *conninfo)
{
    struct store *s = calloc(1, sizeof *s);

    if (s)
        db_init(&s->db, conninfo, "cellwarden-ingest");
    return s;
}

void store_destroy(struct store *s)
{
    if (!s)
        return;
    db_close(&s->db);
    copy_free(&s->copy);
    copy_free(&s->sorted);
    copy_free(&s->newest);
    store_extra_free(&s->extra);
    store_late_free(&s->late);
    free(s->rows);
    free(s);
}

void store_begin(struct store *s)
{
    copy_begin(&s->copy);
    s->count = 0;
    s->ended = false;
    store_extra_begin(&s->extra);
}

const char *store_error(const struct store *s)
{
    return s->db.error;
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

static struct row *add_row(struct store *s)
{
    if (s->count == s->room) {
        size_t room = s->room ? s->room * 2 : 256;
        struct row *rows = realloc(s->rows, room * sizeof *rows);

        if (!rows)
            return NULL;
        s->rows = rows;
        s->room = room;
    }
    return &s->rows[s->count++];
}

int store_add(struct store *s, const struct decoded *d)
{
    struct copy *c = &s->copy;
    struct row *row = add_row(s);
    size_t tenant = strcspn(d->device, ".");
    const char *vehicle = d->device + tenant + 1;

    if (!row || (d->run_count > 0 && !d->runs))
        return BMS_ERR_NOSPACE;
    row->at = c->used;
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
    memcpy(row->device, d->device, sizeof row->device);
    row->boot = d->boot;
    row->last_no = d->first_no + d->count - 1;
    row->first_ms = d->first_ms;
    row->last_ms = d->last_ms;
    row->day = (int32_t)(d->first_ms / 86400000);
    row->live = row->day == (int32_t)(d->received_ms / 86400000);
    row->count = d->count;
    row->size = c->used - row->at;
    for (size_t i = 0; i < d->run_count; i++)
        if (store_extra_add_run(&s->extra, d->device, d->boot, &d->runs[i]) != 0)
            return BMS_ERR_NOSPACE;
    return c->bad ? BMS_ERR_NOSPACE : 0;
}

int store_add_poison(struct store *s, const struct poison *p)
{
    return store_extra_add_poison(&s->extra, p);
}

static int by_device(const void *left, const void *right)
{
    const struct row *a = left, *b = right;
    int d = strcmp(a->device, b->device);

    return d ? d : (a->first_ms > b->first_ms) - (a->first_ms < b->first_ms);
}

static bool is_newer(const struct row *a, const struct row *than)
{
    return a->boot == than->boot ? a->last_no > than->last_no : a->last_ms > than->last_ms;
}

static void take_row(struct copy *to, const struct store *s, const struct row *row)
{
    if (!s->copy.bad)
        copy_raw(to, s->copy.data + row->at, row->size);
}

static void sort_rows(struct store *s)
{
    qsort(s->rows, s->count, sizeof *s->rows, by_device);
    copy_begin(&s->sorted);
    for (size_t i = 0; i < s->count; i++)
        take_row(&s->sorted, s, &s->rows[i]);
    copy_end(&s->sorted);
}

/* One record of each device carries its newest sample: those rows once more, as they are. */
static void choose_newest(struct store *s)
{
    const struct row *best = NULL;

    copy_begin(&s->newest);
    for (size_t i = 0; i < s->count; i++) {
        const struct row *r = &s->rows[i];

        if (best && strcmp(best->device, r->device) != 0) {
            take_row(&s->newest, s, best);
            best = NULL;
        }
        if (!best || is_newer(r, best))
            best = r;
    }
    if (best)
        take_row(&s->newest, s, best);
    copy_end(&s->newest);
}

static void note_late(struct store *s)
{
    int64_t now_ms = clock_utc_ms();

    store_late_begin(&s->late);
    for (size_t i = 0; i < s->count; i++)
        store_late_add(&s->late, s->rows[i].device, s->rows[i].first_ms, s->rows[i].last_ms, now_ms);
}

static int prepare(struct store *s)
{
    int err = db_open(&s->db);

    for (size_t i = 0; !err && i < s->count; i++) {
        err = partition_need(&s->partitions, &s->db, s->rows[i].day);
        if (!err && s->rows[i].live) /* ahead of midnight */
            err = partition_need(&s->partitions, &s->db, s->rows[i].day + 1);
    }
    return err;
}

/* Straight into the table: right when none of them is there, else the whole transaction fails with a unique violation. */
static int copy_records(struct store *s, struct store_result *result)
{
    int err = db_copy(&s->db, "COPY record (" RECORD_COLUMNS ") FROM STDIN BINARY", s->sorted.data, s->sorted.used);

    for (size_t i = 0; !err && i < s->count; i++)
        result->frames += s->rows[i].count;
    result->records = err ? 0 : s->count;
    return err;
}

/* Past those that are there. Costs twice as much. */
static int merge_records(struct store *s, struct store_result *result)
{
    PGresult *res = NULL;
    int err = db_copy(&s->db, "COPY staging (" RECORD_COLUMNS ") FROM STDIN BINARY", s->sorted.data, s->sorted.used);

    err = err ? err : db_query(&s->db, insert_records, 0, NULL, &res);
    if (err)
        return err;
    result->records = strtoull(PQgetvalue(res, 0, 0), NULL, 10);
    result->frames = strtoull(PQgetvalue(res, 0, 1), NULL, 10);
    result->duplicates = s->count - result->records;
    PQclear(res);
    return 0;
}

static int write_records(struct store *s, struct store_result *result)
{
    if (s->count == 0)
        return 0;
    int err = s->careful ? merge_records(s, result) : copy_records(s, result);

    err = err ? err : db_copy(&s->db, "COPY staging_newest (" RECORD_COLUMNS ") FROM STDIN BINARY", s->newest.data, s->newest.used);
    err = err ? err : db_exec(&s->db, upsert_latest);
    return err ? err : store_late_write(&s->late, &s->db);
}

static int transaction(struct store *s, struct store_result *result)
{
    *result = (struct store_result) { 0 };
    int err = db_exec(&s->db, "BEGIN");

    err = err ? err : db_exec(&s->db, staging);
    if (!err && s->late.count > 0)
        err = store_late_setup(&s->db);
    err = err ? err : write_records(s, result);
    err = err ? err : store_extra_write(&s->extra, &s->db);
    return err ? err : db_exec(&s->db, "COMMIT");
}

/* What a straight COPY may meet: a record that is there (23505), or another writer with the same ones in another order (40P01). */
static bool met_itself(const struct store *s)
{
    return !s->careful && s->db.conn && (strcmp(s->db.sqlstate, "23505") == 0 || strcmp(s->db.sqlstate, "40P01") == 0);
}

/* A failure that ends the transaction: say whether the data are at fault, and start anew with a clean connection. */
static int fail(struct store *s)
{
    bool data = db_error_is_data(&s->db);

    if (strcmp(s->db.sqlstate, "23514") == 0 || strcmp(s->db.sqlstate, "42P01") == 0) {
        partitions_forget(&s->partitions); /* no partition for a row: it was dropped behind our back */
        data = false;
    }
    db_close(&s->db);
    return data ? BMS_ERR_RANGE : BMS_ERR_IO;
}

int store_commit(struct store *s, struct store_result *result)
{
    *result = (struct store_result) { 0 };
    if (!s->ended) {
        sort_rows(s);
        choose_newest(s);
        note_late(s);
    }
    s->ended = true;
    if (s->copy.bad || s->sorted.bad || s->newest.bad || s->late.copy.bad)
        return BMS_ERR_RANGE;
    s->db.sqlstate[0] = '\0';
    int err = prepare(s);

    err = err ? err : transaction(s, result);
    if (err && met_itself(s)) {
        s->careful = CAREFUL_BATCHES + 1;
        err = db_exec(&s->db, "ROLLBACK");
        err = err ? err : transaction(s, result);
    }
    s->careful -= s->careful > 0 && s->count > 0;
    return err ? fail(s) : 0;
}
