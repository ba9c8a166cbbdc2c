/* SPDX-License-Identifier: Apache-2.0 */
/* retention_tenant.c -- see retention_tenant.h. */
#include "server/history/retention_tenant.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

enum { TEXT = 24 };

/* The first day that is kept, as text: $1 our clock in ms, then the days. */
#define KEPT_FROM(days)                                                                                                                    \
    "date_trunc('day', least(now(), timestamptz 'epoch' + $1::bigint * interval '1 ms'), 'UTC') - " days " * interval '1 day'"

static const char longest[] = "SELECT greatest($1::bigint, coalesce(max(record_days), 0)) FROM tenant_retention";

struct kind {
    const char *
        over; /* vehicles that have rows that are over, with the first of them and the end. $1 now, $2 default days; RETENTION_ROUND rows */
    const char *remove; /* $1 tenant, $2 device, $3 from there on everything is kept */
};

static const struct kind kinds[] = {
    { "SELECT v.tenant, v.device, least(v.first + interval '1 day', t.kept) FROM (SELECT l.tenant, " KEPT_FROM(
          "coalesce(r.record_days, $2::integer)") " AS kept FROM (SELECT DISTINCT tenant FROM latest) l LEFT JOIN tenant_retention r ON "
                                                  "r.tenant = l.tenant) t, "
                                                  "LATERAL (SELECT tenant, device, min(first_at) AS first FROM record WHERE record.tenant "
                                                  "= t.tenant AND first_at < t.kept GROUP BY 1, 2) v LIMIT 1000",
      "DELETE FROM record WHERE tenant = $1 AND device = $2 AND first_at < $3::timestamptz" },
    { "SELECT DISTINCT v.tenant, v.device, t.kept FROM (SELECT l.tenant, " KEPT_FROM(
          "coalesce(r.rollup_days, $2::integer)") " AS kept FROM (SELECT DISTINCT tenant FROM latest) l LEFT JOIN tenant_retention r ON "
                                                  "r.tenant = l.tenant) t "
                                                  "JOIN rollup v ON v.tenant = t.tenant AND v.hour < t.kept LIMIT 1000",
      "DELETE FROM rollup WHERE tenant = $1 AND device = $2 AND hour < $3::timestamptz" },
};

_Static_assert(RETENTION_ROUND == 1000, "the statements say so");

int retention_longest(struct db *db, const struct config *config, int64_t *days)
{
    char dflt[TEXT];
    const char *params[] = { dflt };
    PGresult *res = NULL;

    snprintf(dflt, sizeof dflt, "%" PRId64, config->retention_days);
    int err = db_query(db, longest, 1, params, &res);

    if (!err)
        *days = strtoll(PQgetvalue(res, 0, 0), NULL, 10);
    PQclear(res);
    return err;
}

/* One round: at most RETENTION_ROUND vehicles. *done: their number. */
static int remove_round(struct db *db, const struct kind *kind, const char *const *params, const _Atomic bool *stop, size_t *removed,
                        int *done)
{
    PGresult *over = NULL;
    int err = db_query(db, kind->over, 2, params, &over);

    *done = err ? 0 : PQntuples(over);
    for (int i = 0; i < *done && !err && !*stop; i++) {
        const char *key[] = { PQgetvalue(over, i, 0), PQgetvalue(over, i, 1), PQgetvalue(over, i, 2) };
        PGresult *res = NULL;

        err = db_query(db, kind->remove, 3, key, &res);
        *removed += err ? 0 : strtoul(PQcmdTuples(res), NULL, 10);
        PQclear(res);
    }
    PQclear(over);
    return err;
}

int retention_tenants(struct db *db, const struct config *config, int64_t now_ms, const _Atomic bool *stop, size_t *removed)
{
    const int64_t days[] = { config->retention_days, config->rollup_days };
    char now[TEXT], dflt[TEXT];
    const char *params[] = { now, dflt };
    int err = 0;

    snprintf(now, sizeof now, "%" PRId64, now_ms);
    for (size_t k = 0; k < sizeof kinds / sizeof kinds[0]; k++) {
        int done = 1, batches = 0;

        snprintf(dflt, sizeof dflt, "%" PRId64, days[k]);
        for (; !err && done > 0 && batches < RETENTION_BATCHES_MAX && !*stop; batches += done)
            err = remove_round(db, &kinds[k], params, stop, removed, &done);
    }
    return err;
}
