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

enum { TENANT, DEVICE, HOUR, COLUMNS };

static const enum arrays_type types[COLUMNS] = { [TENANT] = ARRAYS_TEXT, [DEVICE] = ARRAYS_TEXT, [HOUR] = ARRAYS_UTC };

/* In one order, so that two processes wait for each other and never for a circle. */
static const char note[] =
    "INSERT INTO rollup_due SELECT tenant, device, hour, max(clock_timestamp()) FROM unnest($1, $2, $3) AS n (tenant, device, hour) "
    "GROUP BY 1, 2, 3 ORDER BY 1, 2, 3 ON CONFLICT (tenant, device, hour) DO UPDATE SET at = excluded.at";

void store_late_begin(struct store_late *late)
{
    arrays_begin(&late->hours, types, COLUMNS);
    late->too_many = false;
    late->device[0] = '\0';
}

void store_late_free(struct store_late *late)
{
    arrays_free(&late->hours);
}

static void add_hour(struct store_late *late, const char *device, int64_t hour_ms)
{
    if (hour_ms == late->hour_ms && strcmp(device, late->device) == 0)
        return;
    copy_device(&late->hours.column[TENANT], &late->hours.column[DEVICE], device);
    copy_utc_ms(&late->hours.column[HOUR], hour_ms);
    arrays_row(&late->hours);
    late->hour_ms = hour_ms;
    memcpy(late->device, device, strlen(device) + 1);
}

static void add_if_over(struct store_late *late, const char *device, int64_t hour_ms, int64_t now_ms)
{
    if (hour_ms + ROLLUP_HOUR_MS + ROLLUP_LATE_MS <= now_ms && late->hours.rows < HOURS_MAX)
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
        late->too_many = true; /* no memory for more than one */
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
    if (late->hours.rows == HOURS_MAX || late->hours.bad)
        late->too_many = true;
}

int store_late_write(struct store_late *late, struct db *db)
{
    return late->hours.rows > 0 ? arrays_send(&late->hours, db, note, NULL) : 0;
}
