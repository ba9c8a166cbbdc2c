/* SPDX-License-Identifier: Apache-2.0 */
/* rollup_pass.c -- see rollup_pass.h. */
#include "server/history/rollup_pass.h"

#include "common/err.h"
#include "proto/body.h"
#include "proto/record.h"
#include "server/history/rollup.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { WINDOWS_PER_TRANSACTION = 200, TEXT = 24 };

#define UTC(param) "timestamptz 'epoch' + " param "::bigint * interval '1 ms'"

/* $1 tenant, $2 device, $3 hour in ms. A record of 60 samples of a minute may begin an hour before. */
static const char records_of_hour[] = "SELECT record FROM record WHERE tenant = $1 AND device = $2 AND first_at >= " UTC(
    "($3::bigint - 3600000)") " AND first_at < " UTC("($3::bigint + 3600000)") " AND last_at >= " UTC("$3");

static const char upsert[] =
    "INSERT INTO rollup AS r (tenant, device, hour, made_at, samples, cell_min_mV, cell_max_mV, temp_min_ddegC, temp_max_ddegC, "
    "soc_min_permyriad, soc_max_permyriad, current_min_mA, current_max_mA, current_mean_mA, alarm_level, whole, minutes) VALUES ($1, "
    "$2, " UTC(
        "$3") ", now(), $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16) "
              "ON CONFLICT (tenant, device, hour) DO UPDATE SET made_at = excluded.made_at, samples = excluded.samples, "
              "cell_min_mV = excluded.cell_min_mV, cell_max_mV = excluded.cell_max_mV, temp_min_ddegC = excluded.temp_min_ddegC, "
              "temp_max_ddegC = excluded.temp_max_ddegC, soc_min_permyriad = excluded.soc_min_permyriad, "
              "soc_max_permyriad = excluded.soc_max_permyriad, current_min_mA = excluded.current_min_mA, "
              "current_max_mA = excluded.current_max_mA, current_mean_mA = excluded.current_mean_mA, alarm_level = excluded.alarm_level, "
              "whole = excluded.whole, minutes = excluded.minutes WHERE excluded.samples >= r.samples";

enum { UPSERT_PARAMS = 16 };

/* Who was heard of since $1 (ms): nobody else can have samples of that time. */
static const char heard_since[] = "SELECT tenant, device FROM latest WHERE received_at >= " UTC("$1") " ORDER BY tenant, device";

static const char due[] =
    "SELECT tenant, device, (extract(epoch FROM hour) * 1000)::bigint, at FROM rollup_due ORDER BY tenant, device, hour LIMIT 5000";

static const char worked_off[] = "DELETE FROM rollup_due WHERE tenant = $1 AND device = $2 AND hour = " UTC("$3") " AND at = $4";

/* The mark; where there is none yet, the hour of the oldest record, or that of now. $1: now in ms. */
static const char read_mark[] =
    "SELECT (extract(epoch FROM coalesce((SELECT hour FROM rollup_mark), (SELECT date_trunc('hour', min(first_at)) FROM record), "
    "date_trunc('hour', " UTC("$1") "))) * 1000)::bigint";

static const char move_mark[] =
    "INSERT INTO rollup_mark (hour) VALUES (" UTC("$1") ") ON CONFLICT (one) DO UPDATE SET hour = excluded.hour";

struct pass {
    struct db *db;
    const _Atomic bool *stop;
    struct rollup_result *done;
    struct rollup rollup;
    struct sample samples[RECORD_SAMPLES_MAX];
    uint8_t whole[ROLLUP_BYTES_MAX], minutes[ROLLUP_BYTES_MAX];
    size_t open; /* windows in the transaction that is open */
};

static void take_record(void *ctx, const PGresult *r, int row)
{
    struct pass *p = ctx;
    struct record record;

    if (record_open((const uint8_t *)PQgetvalue(r, row, 0), (size_t)PQgetlength(r, row, 0), &record) != 0 ||
        body_decode(&record, p->samples) != 0)
        return; /* ingest lets none in; what cannot be read has no samples */
    for (uint32_t i = 0; i < record.count; i++)
        rollup_add(&p->rollup, &p->samples[i]);
}

/* Row by row: an hour of a vehicle that sends ten samples a second, or filled in twice, is megabytes. */
static int read_hour(struct pass *p, const char *tenant, const char *device, const char *hour_ms)
{
    const char *params[] = { tenant, device, hour_ms };

    rollup_begin(&p->rollup, strtoll(hour_ms, NULL, 10));
    return db_each(p->db, records_of_hour, 3, params, take_record, p);
}

struct number {
    char text[TEXT];
};

/* NULL when the hour has no such value. */
static const char *put(struct number *n, const struct rollup_slot *s, int32_t value)
{
    if (s->count == 0)
        return NULL;
    snprintf(n->text, sizeof n->text, "%" PRId32, value);
    return n->text;
}

static int write_hour(struct pass *p, const char *tenant, const char *device, const char *hour_ms)
{
    struct number n[11];
    const char *params[UPSERT_PARAMS] = { tenant, device, hour_ms };
    int lengths[UPSERT_PARAMS] = { 0 }, formats[UPSERT_PARAMS] = { 0 }, at = 3;
    static const struct {
        enum rollup_quantity q;
        enum { MIN, MAX, MEAN } what;
    } columns[] = {
        { ROLLUP_cell_min_mV, MIN },      { ROLLUP_cell_max_mV, MAX },   { ROLLUP_temp_min_ddegC, MIN },  { ROLLUP_temp_max_ddegC, MAX },
        { ROLLUP_soc_permyriad, MIN },    { ROLLUP_soc_permyriad, MAX }, { ROLLUP_pack_current_mA, MIN }, { ROLLUP_pack_current_mA, MAX },
        { ROLLUP_pack_current_mA, MEAN }, { ROLLUP_alarm_level, MAX },
    };

    snprintf(n[10].text, TEXT, "%" PRIu32, p->rollup.samples);
    params[at++] = n[10].text;
    for (size_t i = 0; i < sizeof columns / sizeof columns[0]; i++) {
        struct rollup_slot all = rollup_whole(&p->rollup, columns[i].q);
        int32_t mean = all.count ? rollup_mean(&all) : 0;

        params[at++] = put(&n[i], &all, columns[i].what == MIN ? all.min : columns[i].what == MAX ? all.max : mean);
    }
    lengths[at] = (int)rollup_pack_hour(&p->rollup, p->whole);
    formats[at] = 1;
    params[at++] = (const char *)p->whole;
    lengths[at] = (int)rollup_pack_minutes(&p->rollup, p->minutes);
    formats[at] = 1;
    params[at++] = (const char *)p->minutes;
    PGresult *r = PQexecParams(p->db->conn, upsert, UPSERT_PARAMS, NULL, params, lengths, formats, 0);
    int err = db_check(p->db, r);

    PQclear(r);
    return err;
}

static int commit(struct pass *p)
{
    if (p->open == 0)
        return 0;
    p->open = 0;
    return db_exec(p->db, "COMMIT");
}

/* One hour of one vehicle, in a transaction that is committed every so many hours. */
static int make_hour(struct pass *p, const char *tenant, const char *device, const char *hour_ms)
{
    int err = p->open == WINDOWS_PER_TRANSACTION ? commit(p) : 0;

    if (!err && p->open++ == 0)
        err = db_exec(p->db, "BEGIN");
    err = err ? err : read_hour(p, tenant, device, hour_ms);
    if (err || p->rollup.samples == 0)
        return err;
    err = write_hour(p, tenant, device, hour_ms);
    p->done->hours += err == 0;
    return err;
}

static int make_closed_hour(struct pass *p, int64_t hour_ms)
{
    char hour[TEXT];
    const char *params[] = { hour };
    PGresult *r = NULL;

    snprintf(hour, sizeof hour, "%" PRId64, hour_ms);
    int err = db_query(p->db, heard_since, 1, params, &r);

    for (int i = 0; !err && i < PQntuples(r) && !*p->stop; i++)
        err = make_hour(p, PQgetvalue(r, i, 0), PQgetvalue(r, i, 1), hour);
    PQclear(r);
    err = err ? err : commit(p);
    if (err || *p->stop)
        return err;
    snprintf(hour, sizeof hour, "%" PRId64, hour_ms + ROLLUP_HOUR_MS);
    return db_query(p->db, move_mark, 1, params, NULL);
}

static int make_closed(struct pass *p, int64_t now_ms)
{
    char now[TEXT];
    const char *params[] = { now };
    PGresult *r = NULL;

    snprintf(now, sizeof now, "%" PRId64, now_ms);
    int err = db_query(p->db, read_mark, 1, params, &r);
    int64_t hour = err ? 0 : strtoll(PQgetvalue(r, 0, 0), NULL, 10);

    PQclear(r);
    while (!err && !*p->stop && hour + ROLLUP_HOUR_MS + ROLLUP_GRACE_MS <= now_ms) {
        err = make_closed_hour(p, hour);
        hour += ROLLUP_HOUR_MS;
    }
    return err;
}

static int make_late(struct pass *p)
{
    PGresult *r = NULL;
    int err = db_query(p->db, due, 0, NULL, &r);

    for (int i = 0; !err && i < PQntuples(r) && !*p->stop; i++) {
        const char *params[] = { PQgetvalue(r, i, 0), PQgetvalue(r, i, 1), PQgetvalue(r, i, 2), PQgetvalue(r, i, 3) };

        err = make_hour(p, params[0], params[1], params[2]);
        err = err ? err : db_query(p->db, worked_off, 4, params, NULL);
        p->done->late += err == 0;
    }
    PQclear(r);
    return err ? err : commit(p);
}

int rollup_pass(struct db *db, int64_t now_ms, const _Atomic bool *stop, struct rollup_result *done)
{
    struct pass *p = calloc(1, sizeof *p);
    int err = p ? db_open(db) : BMS_ERR_NOSPACE;

    if (!err) {
        p->db = db;
        p->stop = stop;
        p->done = done;
        err = make_closed(p, now_ms);
        err = err ? err : make_late(p);
        if (err && p->open)
            db_close(db); /* ends the transaction */
    }
    free(p);
    return err;
}
