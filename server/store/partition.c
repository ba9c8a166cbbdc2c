/* SPDX-License-Identifier: Apache-2.0 */
/* partition.c -- made apart and then attached: that takes no lock that readers of `record` would notice. */
#include "server/store/partition.h"

#include "server/log.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

static const int64_t day_s = 86400;

static void date_of(int32_t day, const char *format, char *out, size_t size)
{
    time_t t = (time_t)(day * day_s);
    struct tm tm;

    gmtime_r(&t, &tm);
    strftime(out, size, format, &tm);
}

static size_t place(const struct partitions *p, int32_t day)
{
    size_t i = 0;

    while (i < p->count && p->day[i] < day)
        i++;
    return i;
}

static void know(struct partitions *p, int32_t day)
{
    if (p->count == PARTITIONS_KNOWN_MAX)
        p->count = 0; /* start over; asking again is cheap */
    size_t i = place(p, day);

    memmove(&p->day[i + 1], &p->day[i], (p->count - i) * sizeof p->day[0]);
    p->day[i] = day;
    p->count++;
}

/* Several processes may want the same day: the advisory lock lets one make it, the others then find it. */
static int make(struct db *db, int32_t day)
{
    char name[16], from[16], to[16], sql[1024];

    date_of(day, "%Y%m%d", name, sizeof name);
    date_of(day, "%Y-%m-%d", from, sizeof from);
    date_of(day + 1, "%Y-%m-%d", to, sizeof to);
    snprintf(sql, sizeof sql,
             "BEGIN; SELECT pg_advisory_xact_lock(20260102); "
             "DO $do$ BEGIN IF to_regclass('record_%s') IS NULL THEN "
             "CREATE TABLE record_%s (LIKE record INCLUDING DEFAULTS INCLUDING STORAGE INCLUDING CONSTRAINTS); "
             "ALTER TABLE record ATTACH PARTITION record_%s FOR VALUES FROM ('%s 00:00:00+00') TO ('%s 00:00:00+00'); "
             "END IF; END $do$; COMMIT",
             name, name, name, from, to);
    int err = db_exec(db, sql);

    if (err && db->conn)
        db_close(db); /* rolls back */
    return err;
}

int partition_need(struct partitions *p, struct db *db, int32_t day)
{
    size_t i = place(p, day);

    if (i < p->count && p->day[i] == day)
        return 0;
    int err = make(db, day);

    if (!err)
        know(p, day);
    return err;
}

void partitions_forget(struct partitions *p)
{
    p->count = 0;
}
