/* SPDX-License-Identifier: Apache-2.0 */
/* history_db.c -- see history_db.h. */
#include "server/history/history_db.h"

#include "common/bytes.h"
#include "common/err.h"
#include "server/history/rollup.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    RECORD_SPAN_MAX_MS = 3600 * 1000, /* 60 samples of 60 s: a record that began before the span may reach into it */
    SUMMARY_STEP_MIN_MS = 120 * 1000, /* below, a record of 60 samples would not fit into one bucket */
    TEXT = 24,
};

/* What summary columns say of a series: expressions for min, mean and max of one record. */
static const struct column {
    enum history_source source;
    int scalar; /* for HISTORY_SCALAR */
    const char *min, *mean, *max;
} columns[] = {
    { HISTORY_CELL_MIN, 0, "cell_min_mV", "cell_min_mV", "cell_min_mV" },
    { HISTORY_CELL_MAX, 0, "cell_max_mV", "cell_max_mV", "cell_max_mV" },
    { HISTORY_CELL_MEAN, 0, "cell_mean_mV", "cell_mean_mV", "cell_mean_mV" },
    { HISTORY_TEMP_MAX, 0, "temp_max_ddegC", "temp_max_ddegC", "temp_max_ddegC" },
    { HISTORY_TEMP_MIN, 0, "temp_min_ddegC", "temp_min_ddegC", "temp_min_ddegC" },
    { HISTORY_SCALAR, SAMPLE_soc_permyriad, "soc_permyriad", "soc_permyriad", "soc_permyriad" },
    { HISTORY_SCALAR, SAMPLE_pack_voltage_mV, "voltage_mV", "voltage_mV", "voltage_mV" },
    { HISTORY_SCALAR, SAMPLE_pack_current_mA, "current_min_mA", "(current_min_mA + current_max_mA) / 2", "current_max_mA" },
    { HISTORY_SCALAR, SAMPLE_alarm_level, "alarm_level", "alarm_level", "alarm_level" },
};

static const struct column *column_of(const struct history_series *s)
{
    for (size_t i = 0; i < sizeof columns / sizeof columns[0]; i++) {
        if (columns[i].source == s->source && (s->source != HISTORY_SCALAR || (size_t)columns[i].scalar == s->index))
            return &columns[i];
    }
    return NULL;
}

static bool summary_will_do(const struct history *h)
{
    for (size_t i = 0; i < h->series_count; i++) {
        if (column_of(&h->series[i]) == NULL)
            return false;
    }
    return h->step_ms >= SUMMARY_STEP_MIN_MS;
}

/* What both statements are given: $1 tenant, $2 device, $3 from, $4 to, $5 step, all times in milliseconds. */
struct span {
    char tenant[DEVICE_NAME_MAX + 1];
    const char *vehicle;
    char from[TEXT], to[TEXT], step[TEXT], early[TEXT];
    const char *params[6];
};

static void span_init(struct span *span, const struct history *h, const char *device)
{
    const char *dot = strchr(device, '.');

    snprintf(span->tenant, sizeof span->tenant, "%.*s", (int)(dot - device), device);
    span->vehicle = dot + 1;
    snprintf(span->from, sizeof span->from, "%" PRId64, h->take_from_ms);
    snprintf(span->to, sizeof span->to, "%" PRId64, h->to_ms);
    snprintf(span->step, sizeof span->step, "%" PRId64, h->step_ms);
    snprintf(span->early, sizeof span->early, "%d", RECORD_SPAN_MAX_MS);
    span->params[0] = span->tenant;
    span->params[1] = span->vehicle;
    span->params[2] = span->from;
    span->params[3] = span->to;
    span->params[4] = span->early;
    span->params[5] = span->step;
}

#define FROM_SPAN                                                                                                                          \
    " FROM record WHERE tenant = $1 AND device = $2"                                                                                       \
    " AND first_at >= to_timestamp(($3::bigint - $5::bigint) / 1000.0) AND first_at < to_timestamp($4::bigint / 1000.0)"                   \
    " AND last_at >= to_timestamp($3::bigint / 1000.0)"

/* One row per bucket: number, then count, min, mean, max of each series. The middle of a record says to which bucket it belongs. */
static void summary_sql(const struct history *h, char *sql, size_t size)
{
    size_t len = (size_t)snprintf(
        sql, size, "SELECT floor((extract(epoch FROM first_at + (last_at - first_at) / 2) * 1000 - $3::bigint) / $6::bigint)::bigint");

    for (size_t i = 0; i < h->series_count && len < size; i++) {
        const struct column *c = column_of(&h->series[i]);

        len += (size_t)snprintf(
            sql + len, size - len,
            ", coalesce(sum(count) FILTER (WHERE %s IS NOT NULL), 0), min(%s), (sum(%s::bigint * count) / nullif(sum(count) FILTER "
            "(WHERE %s IS NOT NULL), 0))::bigint, max(%s)",
            c->mean, c->min, c->mean, c->mean, c->max);
    }
    if (len < size)
        snprintf(sql + len, size - len, FROM_SPAN " GROUP BY 1");
}

static int64_t number(const PGresult *r, int row, int column)
{
    return strtoll(PQgetvalue(r, row, column), NULL, 10);
}

static int load_summary(struct history *h, struct db *db, const struct span *span)
{
    char sql[4096];
    PGresult *r = NULL;

    summary_sql(h, sql, sizeof sql);
    if (db_query(db, sql, 6, span->params, &r) != 0)
        return BMS_ERR_IO;
    for (int row = 0; row < PQntuples(r); row++) {
        int64_t at_ms = h->from_ms + number(r, row, 0) * h->step_ms;

        for (size_t i = 0; i < h->series_count; i++) {
            int c = 1 + 4 * (int)i;

            if (number(r, row, c) > 0)
                history_add(h, i, at_ms, number(r, row, c + 1), number(r, row, c + 2), number(r, row, c + 3), (uint32_t)number(r, row, c));
        }
    }
    PQclear(r);
    return 0;
}

struct body_reader {
    struct history *h;
    struct columns *room;
};

static void add_body(void *ctx, const PGresult *r, int row)
{
    const struct body_reader *b = ctx;

    history_add_record(b->h, (const uint8_t *)PQgetvalue(r, row, 0), (size_t)PQgetlength(r, row, 0), b->room);
}

/* Each record is decoded while PostgreSQL reads the next ones. */
static int load_bodies(struct history *h, struct db *db, const struct span *span)
{
    struct body_reader b = { .h = h, .room = calloc(1, sizeof *b.room) };
    int err = b.room == NULL ? BMS_ERR_IO : db_each(db, "SELECT record" FROM_SPAN, 5, span->params, add_body, &b);

    free(b.room);
    return err;
}

/* Binary columns 0 and 1: the hour in ms and the packed slots. What cannot be read shows as a gap. */
static void add_rollup(struct history *h, const PGresult *r, int row, size_t slots, struct rollup_slot *slot)
{
    int64_t width = ROLLUP_HOUR_MS / (int64_t)slots, hour_ms = (int64_t)get_be64((const uint8_t *)PQgetvalue(r, row, 0));

    if (rollup_unpack((const uint8_t *)PQgetvalue(r, row, 1), (size_t)PQgetlength(r, row, 1), slots, slot) != 0)
        return;
    for (size_t i = 0; i < h->series_count; i++) {
        const struct rollup_slot *of = &slot[(size_t)h->series[i].rollup * slots];

        for (size_t k = 0; k < slots; k++)
            if (of[k].count > 0)
                history_add(h, i, hour_ms + (int64_t)k * width, of[k].min, rollup_mean(&of[k]), of[k].max, of[k].count);
    }
}

static bool rollups_will_do(const struct history *h)
{
    for (size_t i = 0; i < h->series_count; i++)
        if (h->series[i].rollup < 0)
            return false;
    return h->step_ms % ROLLUP_MINUTE_MS == 0;
}

/* All hours before this one are rolled up; 0 when none is. */
static int read_mark(struct db *db, int64_t *mark_ms)
{
    PGresult *r = NULL;

    if (db_query(db, "SELECT (extract(epoch FROM hour) * 1000)::bigint FROM rollup_mark", 0, NULL, &r) != 0)
        return BMS_ERR_IO;
    *mark_ms = PQntuples(r) > 0 ? number(r, 0, 0) : 0;
    PQclear(r);
    return 0;
}

/* Fill what is rolled up, and move the beginning of the rest behind it. */
static int load_rollups(struct history *h, struct db *db, const struct span *span)
{
    size_t slots = h->step_ms % ROLLUP_HOUR_MS == 0 ? 1 : ROLLUP_MINUTES;
    int64_t mark_ms = 0, first_ms = h->from_ms - h->from_ms % ROLLUP_HOUR_MS;
    char sql[400], first[TEXT], mark[TEXT];
    const char *params[] = { span->tenant, span->vehicle, first, span->to, mark };
    struct rollup_slot *slot = calloc((size_t)ROLLUP_QUANTITIES * slots, sizeof *slot);
    int err = slot == NULL ? BMS_ERR_IO : read_mark(db, &mark_ms);

    snprintf(first, sizeof first, "%" PRId64, first_ms);
    snprintf(mark, sizeof mark, "%" PRId64, mark_ms);
    snprintf(sql, sizeof sql,
             "SELECT (extract(epoch FROM hour) * 1000)::bigint, %s FROM rollup WHERE tenant = $1 AND device = $2 AND hour >= "
             "to_timestamp($3::bigint / 1000.0) AND hour < to_timestamp($4::bigint / 1000.0) AND hour < to_timestamp($5::bigint / 1000.0)",
             slots == 1 ? "whole" : "minutes");
    bool use = mark_ms > h->from_ms && h->to_ms - mark_ms <= HISTORY_DECODE_MAX_MS; /* an old mark: nobody does the jobs */
    PGresult *r = err || !use ? NULL : PQexecParams(db->conn, sql, 5, NULL, params, NULL, NULL, 1);

    if (r != NULL) {
        err = db_check(db, r);
        for (int row = 0; !err && row < PQntuples(r); row++)
            add_rollup(h, r, row, slots, slot);
        h->take_from_ms = mark_ms;
    }
    PQclear(r);
    free(slot);
    return err;
}

int history_load(struct history *h, struct db *db, const char *device)
{
    struct span span = { .vehicle = NULL };

    span_init(&span, h, device);
    if (rollups_will_do(h)) {
        if (load_rollups(h, db, &span) != 0)
            return BMS_ERR_IO;
        if (h->take_from_ms >= h->to_ms)
            return 0;
    }
    bool rest = h->take_from_ms > h->from_ms; /* what is not rolled up yet: an hour or two, read exactly */

    if (summary_will_do(h) && !rest)
        return load_summary(h, db, &span);
    span_init(&span, h, device);
    return h->to_ms - h->take_from_ms > HISTORY_DECODE_MAX_MS ? BMS_ERR_NOSPACE : load_bodies(h, db, &span);
}
