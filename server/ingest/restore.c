/* SPDX-License-Identifier: Apache-2.0 */
/* restore.c -- three queries. */
#include "server/ingest/restore.h"

#include "common/err.h"
#include "server/log.h"
#include "server/store/store.h"

#include <stdlib.h>

static const char open_alarms[] =
    "SELECT s.tenant || '.' || s.device, s.alarm, s.number, (extract(epoch FROM s.from_at) * 1000)::bigint FROM alarm_span s "
    "JOIN latest l ON l.tenant = s.tenant AND l.device = s.device AND l.boot = s.boot AND l.no = s.to_no";

static const char reported[] =
    "SELECT tenant || '.' || device, running_hash, stored_hash, boot, (extract(epoch FROM read_at) * 1000)::bigint "
    "FROM param_state";

static void take_sample(void *ctx, const char *device, const struct sample *sample, int64_t received_at_ms)
{
    struct fleet_change change;

    fleet_offer(ctx, device, sample, received_at_ms, &change);
}

static long long number(PGresult *res, int row, int column)
{
    return strtoll(PQgetvalue(res, row, column), NULL, 10);
}

static int restore_alarms(struct db *db, struct fleet *fleet)
{
    PGresult *res = NULL;

    if (db_query(db, open_alarms, 0, NULL, &res) != 0)
        return BMS_ERR_IO;
    for (int i = 0; i < PQntuples(res); i++)
        fleet_set_alarm_since(fleet, PQgetvalue(res, i, 0), (uint8_t)number(res, i, 1), (uint16_t)number(res, i, 2), number(res, i, 3));
    PQclear(res);
    return 0;
}

static int restore_reported(struct db *db, struct fleet *fleet)
{
    PGresult *res = NULL;

    if (db_query(db, reported, 0, NULL, &res) != 0)
        return BMS_ERR_IO;
    for (int i = 0; i < PQntuples(res); i++) {
        struct fleet_reported r = { .known = true,
                                    .running_hash = (uint32_t)number(res, i, 1),
                                    .stored_hash = (uint32_t)number(res, i, 2),
                                    .boot = (uint32_t)number(res, i, 3),
                                    .read_at_ms = number(res, i, 4) };

        fleet_set_reported(fleet, PQgetvalue(res, i, 0), &r, NULL);
    }
    PQclear(res);
    return 0;
}

int restore_fleet(struct db *db, struct fleet *fleet)
{
    int64_t since_ms = 0;
    int err = store_each_latest(db, &since_ms, take_sample, fleet);

    if (!err && restore_alarms(db, fleet) != 0)
        err = BMS_ERR_IO;
    if (!err && restore_reported(db, fleet) != 0)
        err = BMS_ERR_IO;
    if (!err)
        log_info("server", "fleet restored", "vehicles=%zu", fleet_count(fleet));
    return err;
}
