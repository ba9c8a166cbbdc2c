/* SPDX-License-Identifier: Apache-2.0 */
/* store_late.c -- see store_late.h. */
#include "server/store_late.h"

#include "server/rollup.h"
#include "server/rollup_pass.h"

/* 45 s: ROLLUP_LATE_MS. In one order, so that two processes wait for each other and never for a circle. */
static const char note[] =
    "INSERT INTO rollup_due SELECT s.tenant, s.device, h, max(clock_timestamp()) FROM staging s, "
    "generate_series(date_trunc('hour', s.first_at), s.last_at, interval '1 hour') h WHERE h + interval '1 hour 45 s' <= clock_timestamp() "
    "GROUP BY 1, 2, 3 ORDER BY 1, 2, 3 ON CONFLICT (tenant, device, hour) DO UPDATE SET at = excluded.at";

_Static_assert(ROLLUP_LATE_MS == 45000, "store_late.c says 45 s");

bool store_is_late(int64_t first_ms, int64_t now_ms)
{
    return first_ms - first_ms % ROLLUP_HOUR_MS + ROLLUP_HOUR_MS + ROLLUP_LATE_MS <= now_ms;
}

int store_late_write(struct db *db)
{
    return db_exec(db, note);
}
