/* SPDX-License-Identifier: Apache-2.0 */
/* store_late.c -- see store_late.h. */
#include "server/store/store_late.h"

#include "proto/body.h"
#include "proto/record.h"
#include "server/history/rollup.h"
#include "server/history/rollup_pass.h"

#include <stdlib.h>
#include <string.h>

enum { HOURS_MAX = 200000 }; /* 12 of each in the largest batch (--batch-records); beyond, the records come one by one */

static const char staging[] =
    "CREATE TEMP TABLE IF NOT EXISTS staging_late (tenant text, device text, hour timestamptz) ON COMMIT DELETE ROWS";

/* In one order, so that two processes wait for each other and never for a circle. */
static const char note[] = "INSERT INTO rollup_due SELECT tenant, device, hour, max(clock_timestamp()) FROM staging_late "
                           "GROUP BY 1, 2, 3 ORDER BY 1, 2, 3 ON CONFLICT (tenant, device, hour) DO UPDATE SET at = excluded.at";

int store_late_setup(struct db *db)
{
    return db_exec(db, staging);
}

void store_late_begin(struct store_late *late)
{
    copy_begin(&late->copy);
    late->count = 0;
    late->device[0] = '\0';
}

void store_late_free(struct store_late *late)
{
    copy_free(&late->copy);
}

static void add_hour(struct store_late *late, const char *device, int64_t hour_ms)
{
    size_t tenant = strcspn(device, ".");
    const char *vehicle = device + tenant + 1;

    if (hour_ms == late->hour_ms && strcmp(device, late->device) == 0)
        return;
    copy_row(&late->copy, 3);
    copy_bytes(&late->copy, device, tenant);
    copy_bytes(&late->copy, vehicle, strlen(vehicle));
    copy_utc_ms(&late->copy, hour_ms);
    late->count++;
    late->hour_ms = hour_ms;
    memcpy(late->device, device, strlen(device) + 1);
}

static void add_if_over(struct store_late *late, const char *device, int64_t hour_ms, int64_t now_ms)
{
    if (hour_ms + ROLLUP_HOUR_MS + ROLLUP_LATE_MS <= now_ms && late->count < HOURS_MAX)
        add_hour(late, device, hour_ms);
}

static int64_t hour_of(int64_t utc_ms)
{
    return utc_ms - utc_ms % ROLLUP_HOUR_MS;
}

/* The hours of the samples. A record that cannot be read was refused before it came here. */
static void add_samples(struct store_late *late, const char *device, const uint8_t *bytes, size_t size, int64_t now_ms)
{
    struct columns *c = malloc(sizeof *c);
    struct record r;
    bool read = c && record_open(bytes, size, &r) == 0 && body_columns_until(&r, BODY_SCALARS, c) == 0;

    if (!c)
        late->copy.bad = true;
    for (uint32_t i = 0; read && i < c->count; i++)
        add_if_over(late, device, hour_of((int64_t)c->utc_ms[i]), now_ms);
    free(c);
}

void store_late_add(struct store_late *late, const char *device, int64_t first_ms, int64_t last_ms, const uint8_t *bytes, size_t size,
                    int64_t now_ms)
{
    int64_t first = hour_of(first_ms), last = hour_of(last_ms);

    if (last > first + ROLLUP_HOUR_MS) {
        add_samples(late, device, bytes, size, now_ms);
    } else {
        add_if_over(late, device, first, now_ms);
        if (last > first)
            add_if_over(late, device, last, now_ms);
    }
    if (late->count == HOURS_MAX)
        late->copy.bad = true; /* too many for one batch: the records come one by one */
}

int store_late_write(struct store_late *late, struct db *db)
{
    if (late->count == 0)
        return 0;
    copy_end(&late->copy);
    int err = db_copy(db, "COPY staging_late FROM STDIN BINARY", late->copy.data, late->copy.used);

    late->copy.used -= 2; /* the same again, should the transaction fail */
    return err ? err : db_exec(db, note);
}
