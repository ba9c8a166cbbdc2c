/* SPDX-License-Identifier: Apache-2.0 */
/* retention.c -- names of partitions are their days, so they sort as text: record_20260102. */
#include "server/history/retention.h"

#include "common/err.h"
#include "server/history/retention_tenant.h"
#include "server/jobs.h"
#include "server/log.h"
#include "server/store/partition.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Every table record_<day> in the schema of `record`: attached, detached (a pass was cut short between two statements), or pending (a
 * detachment was cut short: it must be finished, nothing else is possible with it). $1: our clock, UTC ms; $2: days that are kept. */
static const char expired[] =
    "SELECT c.relname, i.inhrelid IS NOT NULL, coalesce(i.inhdetachpending, false) FROM pg_class c "
    "LEFT JOIN pg_inherits i ON i.inhrelid = c.oid AND i.inhparent = 'record'::regclass "
    "WHERE c.relnamespace = (SELECT relnamespace FROM pg_class WHERE oid = 'record'::regclass) AND c.relkind = 'r' "
    "AND c.relname ~ '^record_[0-9]{8}$' AND (c.relname COLLATE \"C\" < 'record_' || to_char(least(now(), "
    "timestamptz 'epoch' + $1::bigint * interval '1 ms') AT TIME ZONE 'UTC' - $2::integer * interval '1 day', 'YYYYMMDD')) "
    "ORDER BY c.relname";

static const char attached[] = "SELECT count(*) FROM pg_inherits WHERE inhparent = 'record'::regclass";

/* $1: our clock; $2: days */
static const char old_poison[] = "DELETE FROM poison WHERE coalesce(again_at, received_at) < "
                                 "least(now(), timestamptz 'epoch' + $1::bigint * interval '1 ms') - $2::integer * interval '1 day'";

/* $1: rows of one device */
static const char much_poison[] =
    "DELETE FROM poison p USING (SELECT tenant, device, digest, row_number() OVER (PARTITION BY tenant, device "
    "ORDER BY coalesce(again_at, received_at) DESC, digest) AS place FROM poison) o "
    "WHERE o.place > $1::bigint AND p.tenant = o.tenant AND p.device = o.device AND p.digest = o.digest";

static int make_ahead(struct db *db, int64_t now_ms)
{
    struct partitions known = { .count = 0 };
    int err = 0;

    for (int32_t day = 0; !err && day <= JOBS_DAYS_AHEAD; day++)
        err = partition_need(&known, db, (int32_t)(now_ms / 86400000) + day);
    return err;
}

/* A cluster (Citus) has neither CONCURRENTLY nor FINALIZE; there a day goes at once, which readers of `record` may notice for as long as the lock is waited for. */
static int in_cluster(struct db *db, bool *yes)
{
    PGresult *res = NULL;
    int err = db_query(db, "SELECT EXISTS (SELECT FROM pg_extension WHERE extname = 'citus')", 0, NULL, &res);

    *yes = !err && PQgetvalue(res, 0, 0)[0] == 't';
    PQclear(res);
    return err;
}

/* A reader may take long: wait for it only a little, the next pass comes soon. The setting ends with the transaction, as a pooler gives the connection to
 * somebody else then. */
#define SHORTLY "BEGIN; SET LOCAL lock_timeout = '2s'; "

static int run_dropping(struct db *db, const char *sql)
{
    int err = db_exec(db, sql);

    if (err && db->conn)
        db_close(db); /* rolls back */
    return err;
}

/* `name` comes from the catalogue and matches record_[0-9]{8}. DETACH .. CONCURRENTLY runs in no transaction: it waits as long as the connection lets it,
 * without holding up a reader. */
static int drop(struct db *db, const char *name, bool is_attached, bool is_pending, bool cluster)
{
    char sql[200];
    int err = 0;

    if (is_attached && !cluster) {
        snprintf(sql, sizeof sql, "ALTER TABLE record DETACH PARTITION %.15s %s", name, is_pending ? "FINALIZE" : "CONCURRENTLY");
        err = db_exec(db, sql);
    }
    if (is_attached && cluster)
        snprintf(sql, sizeof sql, SHORTLY "ALTER TABLE record DETACH PARTITION %.15s; DROP TABLE %.15s; COMMIT", name, name);
    else
        snprintf(sql, sizeof sql, SHORTLY "DROP TABLE %.15s; COMMIT", name);
    err = err ? err : run_dropping(db, sql);
    if (!err)
        log_info("jobs", "partition dropped", "name=%s", name);
    return err;
}

static int drop_expired(struct db *db, const char *const *params, const _Atomic bool *stop, struct retention_result *done)
{
    PGresult *res = NULL;
    bool cluster = false;
    int err = in_cluster(db, &cluster);

    err = err ? err : db_query(db, expired, 2, params, &res);
    for (int i = 0; !err && i < PQntuples(res) && !*stop; i++) {
        err = drop(db, PQgetvalue(res, i, 0), PQgetvalue(res, i, 1)[0] == 't', PQgetvalue(res, i, 2)[0] == 't', cluster);
        done->dropped += err == 0;
    }
    PQclear(res);
    return err;
}

static int remove_rows(struct db *db, const char *sql, int count, const char *const *params, size_t *removed)
{
    PGresult *res = NULL;
    int err = db_query(db, sql, count, params, &res);

    if (!err)
        *removed += strtoul(PQcmdTuples(res), NULL, 10);
    PQclear(res);
    return err;
}

static int count_attached(struct db *db, struct retention_result *done)
{
    PGresult *res = NULL;
    int err = db_query(db, attached, 0, NULL, &res);

    if (!err)
        done->partitions = strtoul(PQgetvalue(res, 0, 0), NULL, 10);
    PQclear(res);
    return err;
}

int retention_pass(struct db *db, const struct config *config, int64_t now_ms, const _Atomic bool *stop, struct retention_result *done)
{
    int64_t longest_days = config->retention_days;
    char now[24], days[24], poison_days[24], rows[24];
    const char *records[] = { now, days }, *age[] = { now, poison_days }, *each[] = { rows };

    snprintf(now, sizeof now, "%lld", (long long)now_ms);
    snprintf(poison_days, sizeof poison_days, "%lld", (long long)config->poison_days);
    snprintf(rows, sizeof rows, "%lld", (long long)config->poison_per_device);
    int err = make_ahead(db, now_ms);

    err = err ? err : retention_longest(db, config, &longest_days);
    snprintf(days, sizeof days, "%lld", (long long)longest_days);
    err = err ? err : drop_expired(db, records, stop, done);
    err = err ? err : retention_tenants(db, config, now_ms, stop, &done->rows_removed, &done->alarms_removed);
    err = err ? err : remove_rows(db, old_poison, 2, age, &done->poison_removed);
    err = err ? err : remove_rows(db, much_poison, 1, each, &done->poison_removed);
    return err ? err : count_attached(db, done);
}
