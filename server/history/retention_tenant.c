/* SPDX-License-Identifier: Apache-2.0 */
/* retention_tenant.c -- see retention_tenant.h. */
#include "server/history/retention_tenant.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

enum { TEXT = 24 };

/* Every tenant, and the first day that it keeps. $1 our clock in ms, $2 default days. Tenants are asked for by themselves and their rows tenant by tenant:
 * a join by tenant alone is none that a cluster can carry out, as vehicles are spread by device. */
#define TENANTS(days)                                                                                                                      \
    "SELECT l.tenant, date_trunc('day', least(now(), timestamptz 'epoch' + $1::bigint * interval '1 ms'), 'UTC') - "                       \
    "coalesce(r." days ", $2::integer) * interval '1 day' FROM (SELECT DISTINCT tenant FROM latest) l "                                    \
    "LEFT JOIN tenant_retention r ON r.tenant = l.tenant"

static const char longest[] = "SELECT greatest($1::bigint, coalesce(max(record_days), 0)) FROM tenant_retention";

struct kind {
    const char *tenants;
    const char *
        over; /* $1 tenant, $2 from there on everything is kept: vehicles with rows that are over, and the end of what goes at once; a round of them */
    const char *remove; /* $1 tenant, $2 device, $3 that end */
};

static const struct kind kinds[] = {
    { TENANTS("record_days"),
      "SELECT device, least(min(first_at) + interval '1 day', $2::timestamptz) FROM record WHERE tenant = $1 AND first_at < "
      "$2::timestamptz "
      "GROUP BY device LIMIT 1000",
      "DELETE FROM record WHERE tenant = $1 AND device = $2 AND first_at < $3::timestamptz" },
    { TENANTS("rollup_days"),
      "SELECT device, $2::timestamptz FROM rollup WHERE tenant = $1 AND hour < $2::timestamptz GROUP BY device LIMIT 1000",
      "DELETE FROM rollup WHERE tenant = $1 AND device = $2 AND hour < $3::timestamptz" },
    /* An alarm begins before it ends, so the index by its beginning finds the vehicle. */
    { TENANTS("alarm_days"),
      "SELECT device, $2::timestamptz FROM latest l WHERE tenant = $1 AND EXISTS (SELECT 1 FROM alarm_span a WHERE a.tenant = l.tenant "
      "AND a.device = l.device AND a.from_at < $2::timestamptz AND a.to_at < $2::timestamptz) LIMIT 1000",
      "DELETE FROM alarm_span WHERE tenant = $1 AND device = $2 AND from_at < $3::timestamptz AND to_at < $3::timestamptz" },
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

/* One round of one tenant: at most RETENTION_ROUND vehicles. *done: their number. */
static int remove_round(struct db *db, const struct kind *kind, const char *const *tenant, const _Atomic bool *stop, size_t *removed,
                        int *done)
{
    PGresult *over = NULL;
    int err = db_query(db, kind->over, 2, tenant, &over);

    *done = err ? 0 : PQntuples(over);
    for (int i = 0; i < *done && !err && !*stop; i++) {
        const char *key[] = { tenant[0], PQgetvalue(over, i, 0), PQgetvalue(over, i, 1) };
        PGresult *res = NULL;

        err = db_query(db, kind->remove, 3, key, &res);
        *removed += err ? 0 : strtoul(PQcmdTuples(res), NULL, 10);
        PQclear(res);
    }
    PQclear(over);
    return err;
}

static int remove_kind(struct db *db, const struct kind *kind, const char *const *params, const _Atomic bool *stop, size_t *removed)
{
    PGresult *tenants = NULL;
    int err = db_query(db, kind->tenants, 2, params, &tenants), batches = 0;

    for (int i = 0; !err && i < PQntuples(tenants); i++) {
        const char *tenant[] = { PQgetvalue(tenants, i, 0), PQgetvalue(tenants, i, 1) };

        for (int done = 1; !err && done > 0 && batches < RETENTION_BATCHES_MAX && !*stop; batches += done)
            err = remove_round(db, kind, tenant, stop, removed, &done);
    }
    PQclear(tenants);
    return err;
}

int retention_tenants(struct db *db, const struct config *config, int64_t now_ms, const _Atomic bool *stop, size_t *rows, size_t *alarms)
{
    const struct {
        int64_t days;
        size_t *removed;
    } of[] = { { config->retention_days, rows }, { config->rollup_days, rows }, { config->alarm_days, alarms } };
    char now[TEXT], dflt[TEXT];
    const char *params[] = { now, dflt };
    int err = 0;

    _Static_assert(sizeof of / sizeof of[0] == sizeof kinds / sizeof kinds[0], "one of each kind");
    snprintf(now, sizeof now, "%" PRId64, now_ms);
    for (size_t k = 0; k < sizeof kinds / sizeof kinds[0] && !err; k++) {
        snprintf(dflt, sizeof dflt, "%" PRId64, of[k].days);
        err = remove_kind(db, &kinds[k], params, stop, of[k].removed);
    }
    return err;
}
