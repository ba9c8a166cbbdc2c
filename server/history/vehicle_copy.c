/* SPDX-License-Identifier: Apache-2.0 */
/* vehicle_copy.c -- rows travel as COPY BINARY, so that every value arrives bit for bit. */
#include "server/history/vehicle_copy.h"

#include "common/err.h"
#include "proto/body.h"
#include "proto/record.h"
#include "server/history/vehicle_file.h"
#include "server/ingest/decode.h"
#include "server/store/partition.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

/* Statements stand whole in the table, so that they can be read without running them. */
#define TABLE(name, columns, only, order, conflict)                                                                                        \
    {                                                                                                                                      \
        name, columns, only, order, "INSERT INTO " name " AS t (" columns ") SELECT " columns " FROM stage_" name " ON CONFLICT " conflict \
    }

/* Version 1 of the file. The number in the file is the place in this list, from 1; another list of columns is another version. */
static const struct table {
    const char *name, *columns, *only, *order;
    const char *take_over; /* what is staged into the table; a row that is there stays, unless the newest state is what it holds */
} tables[VEHICLE_TABLES] = {
    TABLE("record",
          "tenant, device, first_at, epoch, seq, boot, first_no, count, last_at, received_at, cell_min_mV, cell_max_mV, cell_mean_mV, "
          "soc_permyriad, "
          "current_min_mA, current_max_mA, voltage_mV, temp_min_ddegC, temp_max_ddegC, alarm_level, record",
          "true", "first_at, epoch, seq", "DO NOTHING"),
    TABLE("latest", "tenant, device, boot, no, measured_at, received_at, record", "true", "device",
          "(tenant, device) DO UPDATE SET boot = excluded.boot, no = excluded.no, measured_at = excluded.measured_at, "
          "received_at = excluded.received_at, record = excluded.record "
          "WHERE CASE WHEN t.boot = excluded.boot THEN t.no < excluded.no ELSE t.measured_at < excluded.measured_at END"), /* as store.c */
    TABLE("alarm_span", "tenant, device, boot, alarm, number, from_no, to_no, from_at, to_at, level, value", "true",
          "boot, alarm, number, from_no", "DO NOTHING"),
    TABLE("op", "tenant, device, id, kind, values, by, reason, state, detail, created_at, changed_at, expires_at, readback",
          "state NOT IN ('queued', 'sent')", "id", "DO NOTHING"),
    TABLE("param_reported", "tenant, device, param, running, stored, desired, read_at", "true", "param",
          "(tenant, device, param) DO UPDATE SET running = excluded.running, stored = excluded.stored, desired = excluded.desired, "
          "read_at = excluded.read_at WHERE t.read_at IS NULL OR t.read_at < excluded.read_at"),
    TABLE("param_state", "tenant, device, running_hash, stored_hash, boot, read_at", "true", "device",
          "(tenant, device) DO UPDATE SET running_hash = excluded.running_hash, stored_hash = excluded.stored_hash, boot = excluded.boot, "
          "read_at = excluded.read_at WHERE t.read_at < excluded.read_at"),
    TABLE("audit", "tenant, device, at, id, by, action, detail", "true", "at, id", "DO NOTHING"),
    TABLE("rollup",
          "tenant, device, hour, made_at, samples, cell_min_mV, cell_max_mV, temp_min_ddegC, temp_max_ddegC, soc_min_permyriad, "
          "soc_max_permyriad, "
          "current_min_mA, current_max_mA, current_mean_mA, alarm_level, whole, minutes",
          "true", "hour", "DO NOTHING"),
    TABLE("gap_lost", "tenant, device, epoch, first_seq, last_seq, reason, at", "true", "epoch, first_seq, last_seq", "DO NOTHING"),
    TABLE("poison", "tenant, device, digest, reason, topic, epoch, seq, size, bytes, times, received_at, again_at", "true", "digest",
          "DO NOTHING"),
};

enum { SQL = 2048, DAY_S = 86400 };

const char *vehicle_table_name(size_t table)
{
    return tables[table].name;
}

static int fail(int err, char *why, size_t size, const char *text, const char *detail)
{
    snprintf(why, size, "%s%s%s", text, *detail ? ": " : "", detail);
    return err;
}

static int write_file(void *ctx, const void *data, size_t n)
{
    return fwrite(data, 1, n, ctx) == n ? BMS_ERR_OK : BMS_ERR_IO;
}

static size_t read_file(void *ctx, void *out, size_t n)
{
    return fread(out, 1, n, ctx);
}

/* "tenant = 'x' AND device = 'y'". The name is valid: letters, digits, '-', '_' and one dot, nothing to escape. */
static void whose(const char *device, char *out, size_t size)
{
    const char *dot = strchr(device, '.');

    snprintf(out, size, "tenant = '%.*s' AND device = '%s'", (int)(dot - device), device, dot + 1);
}

/* ---- out ---- */

/* What the COPY gives, until it ends. */
static int copy_out(struct db *db, struct vehicle_writer *w, uint64_t *rows)
{
    char *part = NULL;
    int n, err = 0;

    while ((n = PQgetCopyData(db->conn, &part, 0)) > 0) {
        err = err ? err : vehicle_file_data(w, part, (size_t)n);
        PQfreemem(part);
    }
    PGresult *res = PQgetResult(db->conn);

    if (n == -2 || db_check(db, res) != 0)
        err = err ? err : BMS_ERR_IO;
    *rows = strtoull(PQcmdTuples(res), NULL, 10);
    PQclear(res);
    while (db->conn && (res = PQgetResult(db->conn)) != NULL)
        PQclear(res);
    return err;
}

static int export_table(struct db *db, struct vehicle_writer *w, const char *device, size_t t, uint64_t *rows)
{
    char sql[SQL], of[200];

    whose(device, of, sizeof of);
    snprintf(sql, sizeof sql, "COPY (SELECT %s FROM %s WHERE %s AND %s ORDER BY %s) TO STDOUT (FORMAT binary)", tables[t].columns,
             tables[t].name, of, tables[t].only, tables[t].order);
    int err = vehicle_file_table(w, (uint8_t)(t + 1));
    PGresult *res = err ? NULL : PQexec(db->conn, sql);

    if (!err && PQresultStatus(res) != PGRES_COPY_OUT)
        err = db_check(db, res) ? BMS_ERR_IO : BMS_ERR_STATE;
    PQclear(res);
    return err ? err : copy_out(db, w, rows);
}

int vehicle_export(struct db *db, const char *device, FILE *file, struct vehicle_counts *counts, char *why, size_t size)
{
    struct vehicle_writer w;
    uint64_t all = 0;

    memset(counts, 0, sizeof *counts);
    if (!device_name_is_valid(device, strlen(device)))
        return fail(BMS_ERR_RANGE, why, size, "not the name of a vehicle, <tenant>.<vehicle>", device);
    int err = db_exec(db, "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY; SET LOCAL statement_timeout = 0");

    err = err ? err : vehicle_file_begin(&w, write_file, file, device);
    for (size_t t = 0; !err && t < VEHICLE_TABLES; t++) {
        err = export_table(db, &w, device, t, &counts->in_file[t]);
        all += counts->in_file[t];
    }
    err = err ? err : vehicle_file_end(&w);
    if (db->conn)
        db_exec(db, "ROLLBACK");
    if (err || fflush(file) != 0)
        return fail(BMS_ERR_IO, why, size, "the vehicle could not be written", db->error);
    return all > 0 ? 0 : fail(BMS_ERR_UNKNOWN, why, size, "the database knows nothing of this vehicle", device);
}

/* ---- in ---- */

static int bad_file(int err, char *why, size_t size)
{
    const char *text = err == BMS_ERR_UNKNOWN     ? "this is not a vehicle file"
                       : err == BMS_ERR_SCHEMA    ? "a version of the vehicle file that this program does not know"
                       : err == BMS_ERR_TRUNCATED ? "the file is cut short"
                                                  : "the file is damaged";

    return fail(err, why, size, text, "nothing was imported");
}

/* The whole file once, before anything is touched. */
static int check_file(struct vehicle_reader *r, FILE *file)
{
    int got = vehicle_file_open(r, read_file, file);

    if (got == 0)
        while ((got = vehicle_file_next(r)) > 0)
            if (r->table > VEHICLE_TABLES)
                return BMS_ERR_CORRUPT;
    rewind(file);
    return got;
}

static int begin_stage(struct db *db, size_t t)
{
    char sql[SQL];

    snprintf(sql, sizeof sql, "CREATE TEMP TABLE stage_%s (LIKE %s) ON COMMIT DROP", tables[t].name, tables[t].name);
    int err = db_exec(db, sql);

    if (err)
        return err;
    snprintf(sql, sizeof sql, "COPY stage_%s (%s) FROM STDIN (FORMAT binary)", tables[t].name, tables[t].columns);
    PGresult *res = PQexec(db->conn, sql);

    err = db_check(db, res);
    PQclear(res);
    return err;
}

static int end_stage(struct db *db, uint64_t *rows)
{
    if (PQputCopyEnd(db->conn, NULL) != 1)
        return BMS_ERR_IO;
    PGresult *res = PQgetResult(db->conn);
    int err = db_check(db, res);

    *rows = err ? 0 : strtoull(PQcmdTuples(res), NULL, 10);
    PQclear(res);
    while (db->conn && (res = PQgetResult(db->conn)) != NULL)
        PQclear(res);
    return err;
}

/* The file once more, into temporary tables. */
static int stage(struct db *db, struct vehicle_reader *r, FILE *file, struct vehicle_counts *counts)
{
    size_t open = 0; /* table that is being filled, from 1 */
    int err = vehicle_file_open(r, read_file, file), got = 1;

    while (!err && (got = vehicle_file_next(r)) > 0) {
        if (r->kind == VEHICLE_DATA) {
            err = PQputCopyData(db->conn, (const char *)r->block, (int)r->length) == 1 ? 0 : BMS_ERR_IO;
            continue;
        }
        err = open ? end_stage(db, &counts->in_file[open - 1]) : 0;
        open = r->table;
        err = err ? err : begin_stage(db, open - 1);
    }
    if (!err && got == 0 && open)
        err = end_stage(db, &counts->in_file[open - 1]);
    return err ? err : got;
}

struct checker {
    const char *device;
    struct columns *room;
    uint64_t bad;
};

static void check_record(void *ctx, const PGresult *res, int row)
{
    struct checker *c = ctx;
    struct record r;

    if (record_open((const uint8_t *)PQgetvalue(res, row, 0), (size_t)PQgetlength(res, row, 0), &r) != 0 ||
        strcmp(r.device, c->device) != 0 || body_columns(&r, c->room) != 0)
        c->bad++;
}

/* A file says of itself that it is whole; whether its rows are what ingest would have taken is seen here. */
static int check_stage(struct db *db, const char *device, const struct vehicle_counts *counts)
{
    struct checker c = { .device = device, .room = calloc(1, sizeof *c.room) };
    char sql[SQL], of[200];
    int err = c.room ? 0 : BMS_ERR_NOSPACE;

    whose(device, of, sizeof of);
    for (size_t t = 0; !err && t < VEHICLE_TABLES; t++) {
        PGresult *res = NULL;

        if (counts->in_file[t] == 0)
            continue;
        snprintf(sql, sizeof sql, "SELECT count(*) FROM stage_%s WHERE NOT (%s AND %s)", tables[t].name, of, tables[t].only);
        err = db_query(db, sql, 0, NULL, &res);
        c.bad += err ? 0 : strtoull(PQgetvalue(res, 0, 0), NULL, 10);
        PQclear(res);
    }
    if (!err && counts->in_file[0] > 0)
        err = db_each(db, "SELECT record FROM stage_record", 0, NULL, check_record, &c);
    if (!err && counts->in_file[1] > 0)
        err = db_each(db, "SELECT record FROM stage_latest", 0, NULL, check_record, &c);
    free(c.room);
    return err ? err : c.bad > 0 ? BMS_ERR_CORRUPT : 0;
}

static int make_days(struct db *db, struct db *work)
{
    struct partitions *known = calloc(1, sizeof *known);
    PGresult *res = NULL;
    int err = known ? db_query(db, "SELECT DISTINCT floor(extract(epoch FROM first_at) / 86400)::integer FROM stage_record", 0, NULL, &res)
                    : BMS_ERR_NOSPACE;

    for (int i = 0; !err && i < PQntuples(res); i++)
        err = partition_need(known, work, (int32_t)strtol(PQgetvalue(res, i, 0), NULL, 10));
    PQclear(res);
    free(known);
    return err;
}

static int take_over(struct db *db, struct vehicle_counts *counts)
{
    int err = 0;

    for (size_t t = 0; !err && t < VEHICLE_TABLES; t++) {
        PGresult *res = NULL;

        if (counts->in_file[t] == 0)
            continue;
        err = db_query(db, tables[t].take_over, 0, NULL, &res);
        counts->new_rows[t] = err ? 0 : strtoull(PQcmdTuples(res), NULL, 10);
        PQclear(res);
    }
    return err;
}

static int import_checked(struct db *db, struct db *work, struct vehicle_reader *r, FILE *file, struct vehicle_counts *counts)
{
    int err = db_exec(db, "BEGIN; SET LOCAL statement_timeout = 0; SET LOCAL idle_in_transaction_session_timeout = 0");

    err = err ? err : stage(db, r, file, counts);
    err = err ? err : check_stage(db, r->device, counts);
    if (!err && counts->in_file[0] > 0)
        err = make_days(db, work);
    err = err ? err : take_over(db, counts);
    err = err ? err : db_exec(db, "COMMIT");
    if (err)
        db_close(db); /* rolls back, whatever was under way */
    return err;
}

int vehicle_import(struct db *db, struct db *work, FILE *file, char *device, struct vehicle_counts *counts, char *why, size_t size)
{
    struct vehicle_reader *r = calloc(1, sizeof *r);

    memset(counts, 0, sizeof *counts);
    if (r == NULL)
        return fail(BMS_ERR_NOSPACE, why, size, "no memory", "");
    int err = check_file(r, file);

    if (err) {
        err = bad_file(err, why, size);
    } else {
        memcpy(device, r->device, sizeof r->device);
        err = import_checked(db, work, r, file, counts);
        if (err == BMS_ERR_CORRUPT || err == BMS_ERR_TRUNCATED)
            err = fail(BMS_ERR_CORRUPT, why, size, "rows of the file are not what a vehicle sends", "nothing was imported");
        else if (err)
            err = fail(BMS_ERR_IO, why, size, "the database took none of it", db->error);
    }
    free(r);
    return err;
}
