/* SPDX-License-Identifier: Apache-2.0 */
/* api_export.c -- the samples of a span as a file, while it is being read.
 *
 * A piece at a time: when the connection has taken what there is, it is suspended and a worker reads the next records behind the last key, so an export
 * holds neither a transaction nor more than a few hundred kilobytes, however long the span and however slow the reader.
 */
#include "server/api/api_parts.h"
#include "server/history/export.h"

#include "common/err.h"
#include "proto/body.h"
#include "proto/record.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { BLOCK = 65536, RECORDS_A_PIECE = 24, TEXT = 24, OPEN_MAX = 8 };

#define UTC(param) "timestamptz 'epoch' + " param "::bigint * interval '1 ms'"

/* $1 tenant, $2 device, $3 from, $4 to; $5, $6, $7: the last key. A record of 60 samples of a minute may begin an hour before. */
static const char next_records[] =
    "SELECT record, (extract(epoch FROM first_at) * 1000)::bigint, epoch, seq FROM record WHERE tenant = $1 AND device = $2 AND first_at "
    ">= " UTC("($3::bigint - 3600000)") " AND first_at < " UTC("$4") " AND last_at >= " UTC("$3") " AND (first_at, epoch, seq) > (" UTC(
        "$5") ", $6::bigint, $7::bigint) ORDER BY first_at, epoch, seq LIMIT 24";

_Static_assert(RECORDS_A_PIECE == 24, "the statement says 24");

struct open_export {
    struct api *api;
    struct MHD_Connection *connection;
    struct export export;
    struct text text;
    size_t sent;
    char tenant[DEVICE_NAME_MAX + 1];
    const char *vehicle; /* in `device` */
    char device[DEVICE_NAME_MAX + 1];
    int64_t key_ms, key_epoch, key_seq;
    bool ended, failed;
    struct sample samples[RECORD_SAMPLES_MAX];
};

static void add_record(struct open_export *o, const uint8_t *bytes, size_t size)
{
    struct record record;

    if (record_open(bytes, size, &record) != 0 || body_decode(&record, o->samples) != 0)
        return; /* ingest lets none in */
    for (uint32_t i = 0; i < record.count; i++)
        export_sample(&o->export, &o->samples[i], &o->text);
}

static int64_t key_of(const PGresult *r, int row, int column)
{
    uint64_t v = 0;

    for (int i = 0; i < 8; i++)
        v = v << 8 | (uint8_t)PQgetvalue(r, row, column)[i];
    return (int64_t)v;
}

static void read_piece(struct open_export *o, struct db *db)
{
    char from[TEXT], to[TEXT], ms[TEXT], epoch[TEXT], seq[TEXT];
    const char *params[] = { o->tenant, o->vehicle, from, to, ms, epoch, seq };

    snprintf(from, sizeof from, "%" PRId64, o->export.from_ms);
    snprintf(to, sizeof to, "%" PRId64, o->export.to_ms);
    snprintf(ms, sizeof ms, "%" PRId64, o->key_ms);
    snprintf(epoch, sizeof epoch, "%" PRId64, o->key_epoch);
    snprintf(seq, sizeof seq, "%" PRId64, o->key_seq);
    PGresult *r = PQexecParams(db->conn, next_records, 7, NULL, params, NULL, NULL, 1);
    int rows = db_check(db, r) == 0 ? PQntuples(r) : -1;

    for (int i = 0; i < rows; i++)
        add_record(o, (const uint8_t *)PQgetvalue(r, i, 0), (size_t)PQgetlength(r, i, 0));
    if (rows > 0) {
        o->key_ms = key_of(r, rows - 1, 1);
        o->key_epoch = key_of(r, rows - 1, 2);
        o->key_seq = key_of(r, rows - 1, 3);
    }
    PQclear(r);
    o->failed = rows < 0;
    o->ended = rows >= 0 && rows < RECORDS_A_PIECE;
    if (o->ended)
        export_end(&o->export, &o->text);
}

/* In a worker, while the connection is suspended: `o` is ours alone. */
static void next_piece(void *job, struct db *db)
{
    struct open_export *o = job;

    o->text.len = o->sent = 0;
    o->failed = db == NULL;
    while (!o->failed && !o->ended && o->text.len == 0)
        read_piece(o, db);
    o->failed |= o->text.failed;
    struct api *api = o->api; /* the connection, and `o` with it, may be gone once it is resumed */

    MHD_resume_connection(o->connection);
    atomic_fetch_sub(&api->exports_busy, 1);
}

/* Suspend the connection until a worker has read on. False: nothing will. */
static bool ask_for_more(struct open_export *o)
{
    struct api *api = o->api;

    atomic_fetch_add(&api->exports_busy, 1);
    if (!atomic_load(&api->stopping)) { /* api_stop() sets it and then waits until nobody is busy */
        MHD_suspend_connection(o->connection);
        if (http_pool_submit(api->exports, next_piece, o))
            return true;
        MHD_resume_connection(o->connection);
    }
    atomic_fetch_sub(&api->exports_busy, 1);
    return false;
}

static ssize_t on_read(void *ctx, uint64_t at, char *out, size_t size)
{
    struct open_export *o = ctx;
    size_t left = o->text.len - o->sent, n = left < size ? left : size;

    (void)at;
    if (n > 0) {
        memcpy(out, o->text.buf + o->sent, n);
        o->sent += n;
        return (ssize_t)n;
    }
    if (o->failed) /* the reader sees a chunked body that was cut, not one that is complete */
        return MHD_CONTENT_READER_END_WITH_ERROR;
    if (o->ended)
        return MHD_CONTENT_READER_END_OF_STREAM;
    if (ask_for_more(o))
        return 0;
    o->failed = true;
    return MHD_CONTENT_READER_END_WITH_ERROR;
}

static void on_free(void *ctx)
{
    struct open_export *o = ctx;

    atomic_fetch_sub(&o->api->exports_open, 1);
    text_free(&o->text);
    free(o);
}

/* The query into the export. False: answered. */
static bool parse(struct http_exchange *ex, const struct fleet_vehicle *vehicle, struct export *e)
{
    const char *format = http_query(ex, "format");
    char bad[HISTORY_NAME_SIZE], why[80];
    int64_t from = 0, to = 0, step = 0;
    bool json = format != NULL && strcmp(format, "ndjson") == 0;

    if (format != NULL && !json && strcmp(format, "csv") != 0) {
        http_problem(ex, 400, "bad_field", "format", "must be csv or ndjson");
        return false;
    }
    if (http_query_int(ex, "from", 0, INT64_MAX / 2, &from) != 1 || http_query_int(ex, "to", 0, INT64_MAX / 2, &to) != 1 || to <= from) {
        http_problem(ex, 400, "bad_field", "from", "from and to are required: UTC, milliseconds since 1970, to after from");
        return false;
    }
    if (http_query_int(ex, "step_ms", 0, EXPORT_STEP_MAX_MS, &step) < 0) {
        http_problem(ex, 400, "bad_field", "step_ms", "must be 0 (every sample) to 86400000");
        return false;
    }
    if (export_choose(e, http_query(ex, "series"), vehicle->sample.cells, vehicle->sample.temps, bad) != 0) {
        snprintf(why, sizeof why, "there is no series '%s'", bad);
        http_problem(ex, 400, "bad_field", "series", why);
        return false;
    }
    export_begin(e, json ? EXPORT_NDJSON : EXPORT_CSV, from, to, step);
    return true;
}

static struct open_export *export_create(struct http_exchange *ex, const char *device)
{
    struct open_export *o = calloc(1, sizeof *o);

    if (o == NULL)
        return NULL;
    o->api = api_of(ex);
    o->connection = ex->connection;
    o->key_ms = -1;
    snprintf(o->device, sizeof o->device, "%s", device);
    snprintf(o->tenant, sizeof o->tenant, "%.*s", (int)strcspn(device, "."), device);
    o->vehicle = o->device + strlen(o->tenant) + 1;
    return o;
}

static void add_headers(struct http_exchange *ex, const struct open_export *o)
{
    bool csv = o->export.format == EXPORT_CSV;
    char name[DEVICE_NAME_MAX + 80];

    snprintf(name, sizeof name, "attachment; filename=\"%s_%" PRId64 ".%s\"", o->device, o->export.from_ms, csv ? "csv" : "ndjson");
    MHD_add_response_header(ex->response, "Content-Type", csv ? "text/csv; charset=utf-8; header=present" : "application/x-ndjson");
    MHD_add_response_header(ex->response, "Content-Disposition", name);
    MHD_add_response_header(ex->response, "Cache-Control", "no-store");
}

void api_get_export(struct http_exchange *ex)
{
    struct api *api = api_of(ex);
    struct fleet_vehicle vehicle;

    if (!api_vehicle_of(ex, &vehicle))
        return;
    struct open_export *o = export_create(ex, vehicle.device);

    if (o != NULL && !parse(ex, &vehicle, &o->export)) {
        free(o);
        return;
    }
    bool room = atomic_fetch_add(&api->exports_open, 1) < OPEN_MAX; /* on_free() takes it back */

    if (o != NULL && room) {
        export_head(&o->export, &o->text);
        ex->response = MHD_create_response_from_callback(MHD_SIZE_UNKNOWN, BLOCK, on_read, o, on_free);
    }
    if (ex->response != NULL) {
        add_headers(ex, o);
        ex->status = 200;
        return;
    }
    atomic_fetch_sub(&api->exports_open, 1);
    if (o != NULL)
        text_free(&o->text);
    free(o);
    ex->retry_after_s = 10;
    http_problem(ex, 503, "busy", NULL, room ? "there is no memory for it now; try again" : "too many exports run; try again");
}
