/* SPDX-License-Identifier: Apache-2.0 */
/* op_store.c -- statements. Lists travel as jsonb: built by hand here (numbers only), taken apart by PostgreSQL. */
#include "server/downlink/op_store.h"

#include "common/err.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { JSON_MAX = OP_VALUES_MAX * 96 + 16, TEXT_MAX = 24 };

#define UTC(param) "(timestamptz 'epoch' + " param "::bigint * interval '1 ms')"
#define MS(column) "(extract(epoch FROM " column ") * 1000)::bigint"

static const char *halve(const char *device, char *tenant, size_t size)
{
    size_t n = strcspn(device, ".");

    snprintf(tenant, size, "%.*s", (int)n, device);
    return device[n] ? device + n + 1 : "";
}

static size_t put(char *out, size_t used, const char *key, bool has, int32_t v)
{
    return has ? used + (size_t)snprintf(out + used, JSON_MAX - used, ",\"%s\":%ld", key, (long)v) : used;
}

/* [{"id":1,"wanted":2,"running":2,"stored":3,"ok":true}, ..] */
static void print_readback(const struct op *op, char *out)
{
    size_t n = (size_t)snprintf(out, JSON_MAX, "[");

    for (size_t i = 0; i < op->readback_count; i++) {
        const struct op_readback *r = &op->readback[i];

        n += (size_t)snprintf(out + n, JSON_MAX - n, "%s{\"id\":%u", i ? "," : "", r->id);
        n = put(out, n, "wanted", r->has_wanted, r->wanted);
        n = put(out, n, "running", r->has_running, r->running);
        n = put(out, n, "stored", r->has_stored, r->stored);
        n += (size_t)snprintf(out + n, JSON_MAX - n, ",\"ok\":%s}", r->ok ? "true" : "false");
    }
    snprintf(out + n, JSON_MAX - n, "]");
}

/* [{"epoch":"00ff..","first":1,"last":9,"from":0,"to":1}]: what a refill asks for. */
static void print_span(const struct op_span *s, char *out)
{
    snprintf(out, JSON_MAX, "[{\"epoch\":\"%016llx\",\"first\":%llu,\"last\":%llu,\"from\":%lld,\"to\":%lld}]",
             (unsigned long long)s->epoch, (unsigned long long)s->first, (unsigned long long)s->last, (long long)s->from_ms,
             (long long)s->to_ms);
}

static void print_values(const struct op *op, char *out)
{
    size_t n = (size_t)snprintf(out, JSON_MAX, "["), printed = 0;

    for (size_t i = 0; i < op->readback_count; i++) {
        const struct op_readback *r = &op->readback[i];

        if (r->has_wanted)
            n += (size_t)snprintf(out + n, JSON_MAX - n, "%s{\"id\":%u,\"value\":%ld}", printed++ ? "," : "", r->id, (long)r->wanted);
    }
    snprintf(out + n, JSON_MAX - n, "]");
}

/* COMMIT, or leave nothing behind. */
static int end(struct db *db, int err)
{
    err = err ? err : db_exec(db, "COMMIT");
    if (err && db->conn)
        db_exec(db, "ROLLBACK");
    return err;
}

static const char insert_op[] =
    "INSERT INTO op (tenant, device, id, kind, values, by, reason, state, created_at, changed_at, expires_at, readback) "
    "VALUES ($1, $2, $3, $4, $5::jsonb, $6, $7, 'queued', " UTC("$8") ", " UTC("$8") ", " UTC("$9") ", $10::jsonb)";

static const char insert_audit[] = "INSERT INTO audit (tenant, device, by, action, detail) VALUES ($1, $2, $3, $4, "
                                   "jsonb_build_object('op', $5::text, 'reason', $6::text, 'values', $7::jsonb))";

static const char set_desired[] = "INSERT INTO param_reported AS p (tenant, device, param, desired) SELECT $1, $2, v.id, v.value "
                                  "FROM jsonb_to_recordset($3::jsonb) AS v(id integer, value integer) ORDER BY v.id "
                                  "ON CONFLICT (tenant, device, param) DO UPDATE SET desired = excluded.desired";

int op_insert(struct db *db, const struct op *op, int64_t expires_at_ms, bool audit)
{
    char tenant[DEVICE_NAME_MAX + 1], values[JSON_MAX], readback[JSON_MAX], created[TEXT_MAX], expires[TEXT_MAX];
    const char *vehicle = halve(op->device, tenant, sizeof tenant);
    const char *row[] = { tenant, vehicle, op->id, op_kind_text(op->kind), values, op->by, op->reason, created, expires, readback };
    const char *trail[] = { tenant, vehicle, op->by, op_kind_text(op->kind), op->id, op->reason, values };
    const char *desired[] = { tenant, vehicle, values };

    if (op->kind == OP_REFILL)
        print_span(&op->span, values);
    else
        print_values(op, values);
    print_readback(op, readback);
    snprintf(created, sizeof created, "%lld", (long long)op->created_at_ms);
    snprintf(expires, sizeof expires, "%lld", (long long)expires_at_ms);
    int err = db_exec(db, "BEGIN");

    err = err ? err : db_query(db, insert_op, 10, row, NULL);
    if (!err && op->kind != OP_REFILL)
        err = db_query(db, set_desired, 3, desired, NULL);
    if (!err && audit)
        err = db_query(db, insert_audit, 7, trail, NULL);
    return end(db, err);
}

int op_move(struct db *db, const struct op *op, bool *changed)
{
    static const char sql[] =
        "UPDATE op SET state = $4, detail = $5, changed_at = " UTC("$6") " WHERE tenant = $1 AND device = $2 AND id = $3 "
                                                                         "AND state IN ('queued', 'sent') AND state <> $4";
    char tenant[DEVICE_NAME_MAX + 1], at[TEXT_MAX];
    const char *vehicle = halve(op->device, tenant, sizeof tenant);
    const char *params[] = { tenant, vehicle, op->id, op_state_text(op->state), op->detail, at };
    PGresult *res = NULL;

    snprintf(at, sizeof at, "%lld", (long long)op->changed_at_ms);
    int err = db_query(db, sql, 6, params, &res);

    if (err)
        return err;
    *changed = strcmp(PQcmdTuples(res), "0") != 0;
    PQclear(res);
    return 0;
}

static const char finish_op[] = "UPDATE op SET state = $4, detail = $5, changed_at = " UTC(
    "$6") ", readback = $7::jsonb "
          "WHERE tenant = $1 AND device = $2 AND id = $3 AND state IN ('queued', 'sent', 'expired')";

/* What was asked for stays `desired` until the running copy reads so. */
static const char report_params[] =
    "INSERT INTO param_reported AS p (tenant, device, param, running, stored, read_at) "
    "SELECT $1, $2, r.id, r.running, r.stored, " UTC(
        "$4") " FROM jsonb_to_recordset($3::jsonb) AS r(id integer, running integer, stored integer) "
              "WHERE r.running IS NOT NULL OR r.stored IS NOT NULL ORDER BY r.id "
              "ON CONFLICT (tenant, device, param) DO UPDATE SET running = coalesce(excluded.running, p.running), "
              "stored = coalesce(excluded.stored, p.stored), read_at = excluded.read_at, desired = nullif(p.desired, excluded.running)";

static const char report_state[] =
    "INSERT INTO param_state AS p (tenant, device, running_hash, stored_hash, boot, read_at) VALUES ($1, $2, $3, $4, $5, " UTC(
        "$6") ") "
              "ON CONFLICT (tenant, device) DO UPDATE SET running_hash = excluded.running_hash, stored_hash = excluded.stored_hash, "
              "boot = excluded.boot, read_at = excluded.read_at";

static int write_state(struct db *db, const char *tenant, const char *vehicle, const struct fleet_reported *r)
{
    char text[4][TEXT_MAX];
    const char *params[] = { tenant, vehicle, text[0], text[1], text[2], text[3] };

    snprintf(text[0], TEXT_MAX, "%lu", (unsigned long)r->running_hash);
    snprintf(text[1], TEXT_MAX, "%lu", (unsigned long)r->stored_hash);
    snprintf(text[2], TEXT_MAX, "%lu", (unsigned long)r->boot);
    snprintf(text[3], TEXT_MAX, "%lld", (long long)r->read_at_ms);
    return db_query(db, report_state, 6, params, NULL);
}

int op_finish(struct db *db, const struct op *op, const struct fleet_reported *reported, bool *changed)
{
    char tenant[DEVICE_NAME_MAX + 1], readback[JSON_MAX], at[TEXT_MAX];
    const char *vehicle = halve(op->device, tenant, sizeof tenant);
    const char *row[] = { tenant, vehicle, op->id, op_state_text(op->state), op->detail, at, readback };
    const char *params[] = { tenant, vehicle, readback, at };
    PGresult *res = NULL;

    print_readback(op, readback);
    snprintf(at, sizeof at, "%lld", (long long)op->changed_at_ms);
    int err = db_exec(db, "BEGIN");

    err = err ? err : db_query(db, finish_op, 7, row, &res);
    if (!err) {
        *changed = strcmp(PQcmdTuples(res), "0") != 0;
        PQclear(res);
    }
    if (!err && *changed)
        err = db_query(db, report_params, 4, params, NULL);
    if (!err && *changed && reported)
        err = write_state(db, tenant, vehicle, reported);
    return end(db, err);
}

int op_list_open(struct db *db, struct op_open *out, size_t max, size_t *count)
{
    PGresult *res = NULL;
    int err = db_query(db, "SELECT id, " MS("expires_at") " FROM op WHERE state IN ('queued', 'sent') ORDER BY created_at", 0, NULL, &res);

    if (err)
        return err;
    *count = (size_t)PQntuples(res) < max ? (size_t)PQntuples(res) : max;
    for (size_t i = 0; i < *count; i++) {
        snprintf(out[i].id, sizeof out[i].id, "%s", PQgetvalue(res, (int)i, 0));
        out[i].expires_at_ms = strtoll(PQgetvalue(res, (int)i, 1), NULL, 10);
    }
    PQclear(res);
    return 0;
}

static const char select_op[] = "SELECT tenant || '.' || device, kind, state, by, reason, detail, " MS("created_at") ", " MS(
    "changed_at") ", values->0->>'epoch', "
                  "values->0->>'first', values->0->>'last', values->0->>'from', values->0->>'to' FROM op WHERE id = $1";

static const char select_readback[] =
    "SELECT r.id, r.wanted, r.running, r.stored, r.ok FROM op, ROWS FROM (jsonb_to_recordset(op.readback) "
    "AS (id integer, wanted integer, running integer, stored integer, ok boolean)) WITH ORDINALITY AS r(id, wanted, running, stored, ok, "
    "n) "
    "WHERE op.id = $1 ORDER BY r.n";

static enum op_state state_of(const char *text)
{
    for (int s = OP_QUEUED; s <= OP_EXPIRED; s++)
        if (strcmp(op_state_text((enum op_state)s), text) == 0)
            return (enum op_state)s;
    return OP_FAILED;
}

static bool take_int32(PGresult *res, int row, int column, int32_t *out)
{
    *out = (int32_t)strtol(PQgetvalue(res, row, column), NULL, 10);
    return !PQgetisnull(res, row, column);
}

static int load_readback(struct db *db, const char *id, struct op *out)
{
    const char *params[] = { id };
    PGresult *res = NULL;
    int err = db_query(db, select_readback, 1, params, &res);

    for (int i = 0; !err && i < PQntuples(res) && out->readback_count < OP_VALUES_MAX; i++) {
        struct op_readback *r = &out->readback[out->readback_count++];

        r->id = (uint16_t)strtol(PQgetvalue(res, i, 0), NULL, 10);
        r->has_wanted = take_int32(res, i, 1, &r->wanted);
        r->has_running = take_int32(res, i, 2, &r->running);
        r->has_stored = take_int32(res, i, 3, &r->stored);
        r->ok = PQgetvalue(res, i, 4)[0] == 't';
    }
    if (!err)
        PQclear(res);
    return err;
}

int op_load(struct db *db, const char *id, struct op *out)
{
    const char *params[] = { id };
    PGresult *res = NULL;
    int err = db_query(db, select_op, 1, params, &res);

    if (err)
        return err;
    memset(out, 0, sizeof *out);
    if (PQntuples(res) == 0) {
        PQclear(res);
        return BMS_ERR_UNKNOWN;
    }
    snprintf(out->id, sizeof out->id, "%s", id);
    snprintf(out->device, sizeof out->device, "%s", PQgetvalue(res, 0, 0));
    op_kind_of(PQgetvalue(res, 0, 1), &out->kind);
    out->state = state_of(PQgetvalue(res, 0, 2));
    snprintf(out->by, sizeof out->by, "%s", PQgetvalue(res, 0, 3));
    snprintf(out->reason, sizeof out->reason, "%s", PQgetvalue(res, 0, 4));
    snprintf(out->detail, sizeof out->detail, "%s", PQgetvalue(res, 0, 5));
    out->created_at_ms = strtoll(PQgetvalue(res, 0, 6), NULL, 10);
    out->changed_at_ms = strtoll(PQgetvalue(res, 0, 7), NULL, 10);
    out->span = (struct op_span) { .epoch = strtoull(PQgetvalue(res, 0, 8), NULL, 16),
                                   .first = strtoull(PQgetvalue(res, 0, 9), NULL, 10),
                                   .last = strtoull(PQgetvalue(res, 0, 10), NULL, 10),
                                   .from_ms = strtoll(PQgetvalue(res, 0, 11), NULL, 10),
                                   .to_ms = strtoll(PQgetvalue(res, 0, 12), NULL, 10) };
    PQclear(res);
    return load_readback(db, id, out);
}

static int load_reported(struct db *db, const char *tenant, const char *vehicle, struct fleet_reported *out)
{
    static const char sql[] =
        "SELECT running_hash, stored_hash, boot, " MS("read_at") " FROM param_state WHERE tenant = $1 AND device = $2";
    const char *params[] = { tenant, vehicle };
    PGresult *res = NULL;
    int err = db_query(db, sql, 2, params, &res);

    *out = (struct fleet_reported) { .known = false };
    if (err)
        return err;
    if (PQntuples(res) == 1) {
        out->known = true;
        out->running_hash = (uint32_t)strtoul(PQgetvalue(res, 0, 0), NULL, 10);
        out->stored_hash = (uint32_t)strtoul(PQgetvalue(res, 0, 1), NULL, 10);
        out->boot = (uint32_t)strtoul(PQgetvalue(res, 0, 2), NULL, 10);
        out->read_at_ms = strtoll(PQgetvalue(res, 0, 3), NULL, 10);
    }
    PQclear(res);
    return 0;
}

int params_load(struct db *db, const char *device, struct param_reported *rows, size_t max, struct fleet_reported *reported)
{
    static const char sql[] = "SELECT param, running, stored, desired FROM param_reported WHERE tenant = $1 AND device = $2 ORDER BY param";
    char tenant[DEVICE_NAME_MAX + 1];
    const char *params[] = { tenant, halve(device, tenant, sizeof tenant) };
    PGresult *res = NULL;
    int count = 0;

    if (load_reported(db, params[0], params[1], reported) != 0 || db_query(db, sql, 2, params, &res) != 0)
        return BMS_ERR_IO;
    for (; count < PQntuples(res) && (size_t)count < max; count++) {
        struct param_reported *p = &rows[count];

        p->id = (uint16_t)strtol(PQgetvalue(res, count, 0), NULL, 10);
        p->has_running = take_int32(res, count, 1, &p->running);
        p->has_stored = take_int32(res, count, 2, &p->stored);
        p->has_desired = take_int32(res, count, 3, &p->desired);
    }
    PQclear(res);
    return count;
}
