/* SPDX-License-Identifier: Apache-2.0 */
/* latest.c -- store_each_latest(): the table `latest` back into samples. */
#include "common/bytes.h"
#include "common/err.h"
#include "proto/body.h"
#include "server/log.h"
#include "server/store/store.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char newer[] = "SELECT tenant || '.' || device, (extract(epoch FROM received_at) * 1000)::bigint::text, record FROM latest "
                            "WHERE received_at > timestamptz 'epoch' + $1::bigint * interval '1 ms' ORDER BY received_at";

static void one(PGresult *res, int row, int64_t received_ms, store_latest_fn *fn, void *ctx)
{
    struct sample samples[RECORD_SAMPLES_MAX];
    struct record r;
    const uint8_t *bytes = (const uint8_t *)PQgetvalue(res, row, 2);
    size_t size = (size_t)PQgetlength(res, row, 2);

    if (record_open(bytes, size, &r) == 0 && body_decode(&r, samples) == 0)
        fn(ctx, PQgetvalue(res, row, 0), &samples[r.count - 1], received_ms);
    else
        log_error("database", "latest record cannot be read", "device=%s", PQgetvalue(res, row, 0));
}

int store_each_latest(struct db *db, int64_t *since_ms, store_latest_fn *fn, void *ctx)
{
    char since[24];
    const char *params[] = { since };

    snprintf(since, sizeof since, "%lld", (long long)*since_ms);
    if (db_open(db) != 0)
        return BMS_ERR_IO;
    PGresult *res = PQexecParams(db->conn, newer, 1, NULL, params, NULL, NULL, 1); /* binary results; text columns read the same */
    int err = db_check(db, res);

    for (int i = 0; !err && i < PQntuples(res); i++) {
        int64_t at = strtoll(PQgetvalue(res, i, 1), NULL, 10);

        one(res, i, at, fn, ctx);
        *since_ms = at;
    }
    PQclear(res);
    return err;
}
