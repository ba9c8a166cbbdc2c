/* SPDX-License-Identifier: Apache-2.0 */
/* export.c -- see export.h. */
#include "server/history/export.h"

#include "common/err.h"
#include "proto/tables.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { LINE_PART = 160 }; /* longest piece of a line that is printed at once */

static bool has_room(struct text *t, size_t n)
{
    if (t->failed)
        return false;
    if (t->cap - t->len >= n)
        return true;
    size_t cap = t->cap ? t->cap : 4096;

    while (cap - t->len < n)
        cap *= 2;
    char *buf = realloc(t->buf, cap);

    if (buf == NULL) {
        t->failed = true;
        return false;
    }
    t->buf = buf;
    t->cap = cap;
    return true;
}

void text_free(struct text *t)
{
    free(t->buf);
    *t = (struct text) { .buf = NULL };
}

__attribute__((format(printf, 2, 3))) static void put(struct text *t, const char *format, ...)
{
    va_list args;

    if (!has_room(t, LINE_PART))
        return;
    va_start(args, format);
    int n = vsnprintf(t->buf + t->len, LINE_PART, format, args);

    va_end(args);
    t->len += n > 0 && n < LINE_PART ? (size_t)n : 0;
}

/* By hand: most of an export is numbers. */
static void put_int(struct text *t, int64_t v)
{
    char digits[24];
    size_t n = 0;
    uint64_t u = v < 0 ? 0 - (uint64_t)v : (uint64_t)v;

    do {
        digits[n++] = (char)('0' + u % 10);
        u /= 10;
    } while (u > 0);
    if (v < 0)
        digits[n++] = '-';
    if (!has_room(t, n))
        return;
    while (n > 0)
        t->buf[t->len++] = digits[--n];
}

static int choose_list(struct export *e, const char *list, char bad[HISTORY_NAME_SIZE])
{
    for (bool more = true; more;) {
        size_t len = strcspn(list, ",");

        snprintf(bad, HISTORY_NAME_SIZE, "%.*s", (int)(len < HISTORY_NAME_SIZE ? len : HISTORY_NAME_SIZE - 1), list);
        if (len >= HISTORY_NAME_SIZE || e->count == EXPORT_SERIES_MAX || history_series_of(bad, &e->series[e->count]) != 0)
            return BMS_ERR_RANGE;
        e->count++;
        more = list[len] == ',';
        list += len + more;
    }
    return 0;
}

int export_choose(struct export *e, const char *list, size_t cells, size_t temps, char bad[HISTORY_NAME_SIZE])
{
    static const char *const scalars[SAMPLE_SCALARS] = {
#define SCALAR_0(name)
#define SCALAR_1(name)                                                                  [SAMPLE_##name] = #name,
#define SIGNAL(message, name, start_bit, bits, kind, unit, min, max, recorded, comment) SCALAR_##recorded(name)
#include "proto/signals.def"
#undef SIGNAL
    };
    char name[HISTORY_NAME_SIZE];

    e->count = 0;
    if (list != NULL)
        return choose_list(e, list, bad);
    for (size_t i = 0; i < SAMPLE_SCALARS; i++)
        history_series_of(scalars[i], &e->series[e->count++]);
    for (size_t i = 1; i <= cells && i <= PACK_CELLS_MAX; i++) {
        snprintf(name, sizeof name, "cell_%zu_mV", i);
        history_series_of(name, &e->series[e->count++]);
    }
    for (size_t i = 1; i <= temps && i <= PACK_TEMPS_MAX; i++) {
        snprintf(name, sizeof name, "temp_%zu_ddegC", i);
        history_series_of(name, &e->series[e->count++]);
    }
    return 0;
}

void export_begin(struct export *e, enum export_format format, int64_t from_ms, int64_t to_ms, int64_t step_ms)
{
    e->format = format;
    e->from_ms = from_ms;
    e->to_ms = to_ms;
    e->step_ms = step_ms;
    e->bucket_ms = -1;
}

void export_head(const struct export *e, struct text *out)
{
    if (e->format != EXPORT_CSV)
        return;
    put(out, e->step_ms > 0 ? "utc_ms,time,samples" : "utc_ms,time,boot,no");
    for (size_t i = 0; i < e->count; i++) {
        const char *name = e->series[i].name;

        if (e->step_ms > 0)
            put(out, ",%s_min,%s_mean,%s_max", name, name, name);
        else
            put(out, ",%s", name);
    }
    put(out, "\r\n");
}

/* 1970-01-01T00:00:00.000Z */
static void put_time(struct text *out, int64_t utc_ms)
{
    time_t seconds = (time_t)(utc_ms / 1000);
    struct tm tm;
    char text[32];

    gmtime_r(&seconds, &tm);
    strftime(text, sizeof text, "%Y-%m-%dT%H:%M:%S", &tm);
    put(out, "%s.%03dZ", text, (int)(utc_ms % 1000));
}

static void begin_line(const struct export *e, int64_t utc_ms, struct text *out)
{
    put(out, e->format == EXPORT_CSV ? "" : "{\"utc_ms\":");
    put_int(out, utc_ms);
    put(out, e->format == EXPORT_CSV ? "," : ",\"time\":\"");
    put_time(out, utc_ms);
    if (e->format != EXPORT_CSV)
        put(out, "\"");
}

static void put_number(const struct export *e, const char *name, const char *suffix, int64_t v, bool known, struct text *out)
{
    if (e->format == EXPORT_CSV)
        put(out, ",");
    else
        put(out, ",\"%s%s\":", name, suffix);
    if (known)
        put_int(out, v);
    else if (e->format != EXPORT_CSV)
        put(out, "null");
}

static void end_line(const struct export *e, struct text *out)
{
    put(out, e->format == EXPORT_CSV ? "\r\n" : "}\n");
}

static void put_bucket(struct export *e, struct text *out)
{
    if (e->bucket_ms < 0)
        return;
    begin_line(e, e->bucket_ms, out);
    put_number(e, "samples", "", (int64_t)e->samples, true, out);
    for (size_t i = 0; i < e->count; i++) {
        const struct history_bucket *b = &e->bucket[i];
        const char *name = e->series[i].name;
        bool known = b->count > 0;

        put_number(e, name, "_min", b->min, known, out);
        put_number(e, name, "_mean", known ? history_mean(b) : 0, known, out);
        put_number(e, name, "_max", b->max, known, out);
    }
    end_line(e, out);
    e->bucket_ms = -1;
}

static void gather(struct export *e, const struct sample *s, struct text *out)
{
    int64_t at = (int64_t)s->utc_ms - (int64_t)s->utc_ms % e->step_ms;

    if (at > e->bucket_ms) {
        put_bucket(e, out);
        e->bucket_ms = at;
        e->samples = 0;
        memset(e->bucket, 0, e->count * sizeof *e->bucket);
    }
    e->samples++; /* a sample of an earlier bucket, after the clock was set back, goes into the open one */
    for (size_t i = 0; i < e->count; i++) {
        int64_t v = 0;

        if (history_value(&e->series[i], s, &v))
            history_bucket_add(&e->bucket[i], v, v, v, 1);
    }
}

void export_sample(struct export *e, const struct sample *s, struct text *out)
{
    if ((int64_t)s->utc_ms < e->from_ms || (int64_t)s->utc_ms >= e->to_ms)
        return;
    if (e->step_ms > 0) {
        gather(e, s, out);
        return;
    }
    begin_line(e, (int64_t)s->utc_ms, out);
    put_number(e, "boot", "", s->boot, true, out);
    put_number(e, "no", "", s->no, true, out);
    for (size_t i = 0; i < e->count; i++) {
        int64_t v = 0;
        bool known = history_value(&e->series[i], s, &v);

        put_number(e, e->series[i].name, "", v, known, out);
    }
    end_line(e, out);
}

void export_end(struct export *e, struct text *out)
{
    put_bucket(e, out);
}
