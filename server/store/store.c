/* SPDX-License-Identifier: Apache-2.0 */
/* store.c -- the batch in memory, and its transaction. */
#include "server/store/store.h"

#include "common/err.h"
#include "server/clock.h"
#include "server/log.h"
#include "server/store/caution.h"
#include "server/store/partition.h"
#include "server/store/store_extra.h"
#include "server/store/store_late.h"
#include "server/store/store_newest.h"
#include "server/store/store_rows.h"

#include <stdlib.h>
#include <string.h>

struct store {
    struct db db;
    struct store_rows rows;
    struct arrays newest;
    struct store_extra extra; /* poison and alarm spans */
    struct store_late late;   /* hours that were over */
    struct partitions partitions;
    struct caution caution;
    struct repeaters repeaters;
};

enum { DAY_MS = 86400000 };

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
    store_rows_free(&s->rows);
    arrays_free(&s->newest);
    store_extra_free(&s->extra);
    store_late_free(&s->late);
    free(s);
}

void store_begin(struct store *s)
{
    store_rows_begin(&s->rows);
    store_extra_begin(&s->extra);
}

const char *store_error(const struct store *s)
{
    return s->db.error;
}

int store_add(struct store *s, const struct decoded *d)
{
    int err = d->run_count > 0 && !d->runs ? BMS_ERR_NOSPACE : store_rows_add(&s->rows, d);

    for (size_t i = 0; i < d->run_count && !err; i++)
        err = store_extra_add_run(&s->extra, d->device, d->boot, &d->runs[i]);
    return err ? BMS_ERR_NOSPACE : 0;
}

int store_add_poison(struct store *s, const struct poison *p)
{
    return store_extra_add_poison(&s->extra, p);
}

static void note_late(struct store *s)
{
    int64_t now_ms = clock_utc_ms();

    store_late_begin(&s->late);
    for (size_t i = 0; i < s->rows.count; i++) {
        const struct decoded *d = s->rows.record[i];

        store_late_add(&s->late, d->device, d->first_ms, d->last_ms, d->bytes, d->size, now_ms);
    }
}

static int32_t day_of(int64_t utc_ms)
{
    return (int32_t)(utc_ms / DAY_MS);
}

/* Of a record that came on the day of its samples the next day too: ahead of midnight. */
static int prepare(struct store *s)
{
    int err = db_open(&s->db);

    for (size_t i = 0; !err && i < s->rows.count; i++) {
        int32_t day = day_of(s->rows.record[i]->first_ms);

        err = partition_need(&s->partitions, &s->db, day);
        if (!err && day == day_of(s->rows.record[i]->received_ms))
            err = partition_need(&s->partitions, &s->db, day + 1);
    }
    return err;
}

static int write_records(struct store *s, struct store_result *result)
{
    int64_t now_ms = clock_mono_ms();

    if (s->rows.count == 0)
        return 0;
    int err = store_rows_split(&s->rows, &s->repeaters, caution_is_careful(&s->caution), now_ms);

    err = err ? err : store_rows_copy(&s->rows, &s->db, result);
    err = err ? err : store_rows_merge(&s->rows, &s->db, &s->repeaters, now_ms, result);
    err = err ? err : store_newest_write(&s->newest, &s->rows, &s->db);
    return err ? err : store_late_write(&s->late, &s->db);
}

static int transaction(struct store *s, struct store_result *result)
{
    *result = (struct store_result) { 0 };
    int err = db_exec(&s->db, "BEGIN");

    err = err ? err : write_records(s, result);
    err = err ? err : store_extra_write(&s->extra, &s->db);
    return err ? err : db_exec(&s->db, "COMMIT");
}

/* What a straight COPY may meet: a record that is there (23505), or another writer with the same ones in another order (40P01). */
static bool met_itself(const struct store *s)
{
    return s->rows.straight > 0 && s->db.conn && (strcmp(s->db.sqlstate, "23505") == 0 || strcmp(s->db.sqlstate, "40P01") == 0);
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
    if (!s->rows.sorted) { /* the first time for this batch */
        store_rows_sort(&s->rows);
        note_late(s);
    }
    if (s->late.too_many)
        return BMS_ERR_RANGE;
    s->db.sqlstate[0] = '\0';
    int err = prepare(s);

    err = err ? err : transaction(s, result);
    if (err && met_itself(s)) {
        caution_met(&s->caution);
        err = db_exec(&s->db, "ROLLBACK");
        err = err ? err : transaction(s, result);
        result->twice = 1;
    }
    if (!err && s->rows.count > 0)
        caution_passed(&s->caution);
    return err ? fail(s) : 0;
}
