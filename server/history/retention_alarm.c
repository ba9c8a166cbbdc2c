/* SPDX-License-Identifier: Apache-2.0 */
/* retention_alarm.c -- see retention_alarm.h. */
#include "server/history/retention_alarm.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

enum { TEXT = 24 };

/* Vehicles that have alarms that are over, with the first moment that is kept. $1 our clock, ms; $2 default days. An alarm begins before it ends, so the
 * index by its beginning finds the vehicle. */
static const char over[] =
    "SELECT l.tenant, l.device, t.kept FROM latest l JOIN (SELECT n.tenant, date_trunc('day', least(now(), timestamptz 'epoch' + "
    "$1::bigint * "
    "interval '1 ms'), 'UTC') - coalesce(r.alarm_days, $2::integer) * interval '1 day' AS kept FROM (SELECT DISTINCT tenant FROM latest) n "
    "LEFT JOIN tenant_retention r ON r.tenant = n.tenant) t ON t.tenant = l.tenant "
    "WHERE EXISTS (SELECT 1 FROM alarm_span a WHERE a.tenant = l.tenant AND a.device = l.device AND a.from_at < t.kept AND a.to_at < "
    "t.kept) "
    "LIMIT 1000";

_Static_assert(RETENTION_ALARM_ROUND == 1000, "the statement says so");

static const char remove_old[] =
    "DELETE FROM alarm_span WHERE tenant = $1 AND device = $2 AND from_at < $3::timestamptz AND to_at < $3::timestamptz";

/* At most RETENTION_ALARM_ROUND vehicles. *done: their number. */
static int remove_round(struct db *db, const char *const *params, const _Atomic bool *stop, size_t *removed, int *done)
{
    PGresult *vehicles = NULL;
    int err = db_query(db, over, 2, params, &vehicles);

    *done = err ? 0 : PQntuples(vehicles);
    for (int i = 0; i < *done && !err && !*stop; i++) {
        const char *key[] = { PQgetvalue(vehicles, i, 0), PQgetvalue(vehicles, i, 1), PQgetvalue(vehicles, i, 2) };
        PGresult *res = NULL;

        err = db_query(db, remove_old, 3, key, &res);
        *removed += err ? 0 : strtoul(PQcmdTuples(res), NULL, 10);
        PQclear(res);
    }
    PQclear(vehicles);
    return err;
}

int retention_alarms(struct db *db, const struct config *config, int64_t now_ms, const _Atomic bool *stop, size_t *removed)
{
    char now[TEXT], days[TEXT];
    const char *params[] = { now, days };
    int err = 0, done = 1;

    snprintf(now, sizeof now, "%" PRId64, now_ms);
    snprintf(days, sizeof days, "%" PRId64, config->alarm_days);
    for (int vehicles = 0; !err && done > 0 && vehicles < RETENTION_ALARM_VEHICLES_MAX && !*stop; vehicles += done)
        err = remove_round(db, params, stop, removed, &done);
    return err;
}
