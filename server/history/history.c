/* SPDX-License-Identifier: Apache-2.0 */
/* history.c -- see history.h. */
#include "server/history/history.h"

#include "common/err.h"
#include "server/history/rollup.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const struct {
    const char *name, *unit;
    bool plain;
} scalars[SAMPLE_SCALARS] = {
#define KIND_U 0
#define KIND_S 0
#define KIND_B 1
#define SCALAR_0(name, bits, kind, unit)
#define SCALAR_1(name, bits, kind, unit)                                                [SAMPLE_##name] = { #name, unit, KIND_##kind && (bits) == 32 },
#define SIGNAL(message, name, start_bit, bits, kind, unit, min, max, recorded, comment) SCALAR_##recorded(name, bits, kind, unit)
#include "proto/signals.def"
#undef SIGNAL
};

static const struct {
    const char *name, *unit;
    enum history_source source;
} derived[] = {
    { "cell_min_mV", "mV", HISTORY_CELL_MIN },          { "cell_max_mV", "mV", HISTORY_CELL_MAX },
    { "cell_mean_mV", "mV", HISTORY_CELL_MEAN },        { "temp_max_ddegC", "0.1 degC", HISTORY_TEMP_MAX },
    { "temp_min_ddegC", "0.1 degC", HISTORY_TEMP_MIN },
};

/* "cell_47_mV": prefix, a number from 1 to max without leading zeros, suffix. Returns the number, or 0. */
static size_t numbered(const char *name, const char *prefix, const char *suffix, size_t max)
{
    size_t len = strlen(prefix), number = 0;

    if (strncmp(name, prefix, len) != 0 || name[len] < '1' || name[len] > '9')
        return 0;
    for (name += len; *name >= '0' && *name <= '9' && number <= max; name++)
        number = number * 10 + (size_t)(*name - '0');
    return number <= max && strcmp(name, suffix) == 0 ? number : 0;
}

static bool resolve(struct history_series *s)
{
    size_t cell = numbered(s->name, "cell_", "_mV", PACK_CELLS_MAX);
    size_t temp = numbered(s->name, "temp_", "_ddegC", PACK_TEMPS_MAX);

    if (cell > 0 || temp > 0) {
        s->source = cell > 0 ? HISTORY_CELL : HISTORY_TEMP;
        s->index = (cell > 0 ? cell : temp) - 1;
        s->unit = cell > 0 ? "mV" : "0.1 degC";
        return true;
    }
    for (size_t i = 0; i < sizeof derived / sizeof derived[0]; i++) {
        if (strcmp(derived[i].name, s->name) == 0) {
            s->source = derived[i].source;
            s->unit = derived[i].unit;
            return true;
        }
    }
    for (size_t i = 0; i < SAMPLE_SCALARS; i++) {
        if (strcmp(scalars[i].name, s->name) == 0) {
            s->source = HISTORY_SCALAR;
            s->index = i;
            s->unit = scalars[i].unit;
            s->plain = scalars[i].plain;
            return true;
        }
    }
    return false;
}

int history_series_of(const char *name, struct history_series *s)
{
    *s = (struct history_series) { .index = 0 };
    if (strlen(name) >= sizeof s->name)
        return BMS_ERR_RANGE;
    memcpy(s->name, name, strlen(name) + 1);
    if (!resolve(s))
        return BMS_ERR_RANGE;
    s->rollup = rollup_find(s->name);
    return 0;
}

/* A name asked for twice is one series. */
static bool is_repeated(const struct history *h, const char *name)
{
    for (size_t i = 0; i < h->series_count; i++) {
        if (strcmp(h->series[i].name, name) == 0)
            return true;
    }
    return false;
}

int history_parse(const char *list, struct history *h, char bad[HISTORY_NAME_SIZE])
{
    memset(h, 0, sizeof *h);
    for (bool more = true; more;) {
        size_t len = strcspn(list, ",");
        struct history_series s;

        snprintf(bad, HISTORY_NAME_SIZE, "%.*s", (int)(len < HISTORY_NAME_SIZE ? len : HISTORY_NAME_SIZE - 1), list);
        if (len >= HISTORY_NAME_SIZE || history_series_of(bad, &s) != 0)
            return BMS_ERR_RANGE;
        if (!is_repeated(h, s.name)) {
            if (h->series_count == HISTORY_SERIES_MAX)
                return BMS_ERR_RANGE;
            h->series[h->series_count++] = s;
        }
        more = list[len] == ',';
        list += len + more;
    }
    return 0;
}

/* No narrower than the least, and in whole minutes or hours where it is wide enough for them. */
static int64_t width_of(int64_t step_ms)
{
    int64_t unit = step_ms > ROLLUP_HOUR_MS ? ROLLUP_HOUR_MS : step_ms > ROLLUP_MINUTE_MS ? ROLLUP_MINUTE_MS : 1;

    if (step_ms < HISTORY_STEP_MIN_MS)
        return HISTORY_STEP_MIN_MS;
    return (step_ms + unit - 1) / unit * unit;
}

int history_init(struct history *h, int64_t from_ms, int64_t to_ms, int64_t px)
{
    if (from_ms < 0 || to_ms <= from_ms || to_ms - from_ms > HISTORY_SPAN_MAX_MS || px < 1 || px > HISTORY_PX_MAX)
        return BMS_ERR_RANGE;
    h->step_ms = width_of((to_ms - from_ms + px - 1) / px);
    h->from_ms = from_ms - from_ms % h->step_ms;
    h->take_from_ms = h->from_ms;
    h->to_ms = to_ms;
    h->buckets = (size_t)((to_ms - h->from_ms + h->step_ms - 1) / h->step_ms);
    h->bucket = calloc(h->buckets * h->series_count, sizeof *h->bucket);
    return h->bucket == NULL ? BMS_ERR_NOSPACE : 0;
}

void history_deinit(struct history *h)
{
    free(h->bucket);
    h->bucket = NULL;
}

void history_add(struct history *h, size_t s, int64_t at_ms, int64_t min, int64_t mean, int64_t max, uint32_t count)
{
    if (at_ms < h->take_from_ms || at_ms < h->from_ms || at_ms >= h->to_ms || count == 0)
        return;
    history_bucket_add(&h->bucket[s * h->buckets + (size_t)((at_ms - h->from_ms) / h->step_ms)], min, mean, max, count);
}

void history_bucket_add(struct history_bucket *b, int64_t min, int64_t mean, int64_t max, uint32_t count)
{
    b->min = b->count == 0 || min < b->min ? min : b->min;
    b->max = b->count == 0 || max > b->max ? max : b->max;
    b->sum += mean * count;
    b->count += count;
}

/* Extremes and mean of the valid cells; false when there is none. */
static bool cells(const uint16_t *cell_mV, size_t cells, enum history_source source, int64_t *value)
{
    int64_t min = 0, max = 0, sum = 0, count = 0;

    for (size_t i = 0; i < cells; i++) {
        int64_t mV = cell_mV[i];

        if (cell_validity(cell_mV[i]) != VALIDITY_OK)
            continue;
        min = count == 0 || mV < min ? mV : min;
        max = count == 0 || mV > max ? mV : max;
        sum += mV;
        count++;
    }
    if (count == 0)
        return false;
    *value = source == HISTORY_CELL_MIN ? min : source == HISTORY_CELL_MAX ? max : (sum + count / 2) / count;
    return true;
}

/* The hottest probe, or the coldest one. */
static bool extreme_temp(const int16_t *ddegC, size_t temps, bool coldest, int64_t *value)
{
    bool found = false;

    for (size_t i = 0; i < temps; i++) {
        int64_t t = ddegC[i];

        if (temp_validity(ddegC[i]) != VALIDITY_OK || (found && (coldest ? t >= *value : t <= *value)))
            continue;
        *value = t;
        found = true;
    }
    return found;
}

/* One sample, wherever it lies. */
struct row {
    const int32_t *scalar; /* that of the series, NULL when it has none */
    const uint16_t *cell_mV;
    const int16_t *temp_ddegC;
    size_t cells, temps;
};

static bool value_of(const struct history_series *series, const struct row *r, int64_t *value)
{
    size_t i = series->index;

    switch (series->source) {
    case HISTORY_SCALAR:
        *value = series->plain ? (int64_t)(uint32_t)*r->scalar : *r->scalar;
        return series->plain || scalar_validity(*r->scalar) == VALIDITY_OK;
    case HISTORY_CELL:
        *value = r->cell_mV[i];
        return i < r->cells && cell_validity(r->cell_mV[i]) == VALIDITY_OK;
    case HISTORY_TEMP:
        *value = r->temp_ddegC[i];
        return i < r->temps && temp_validity(r->temp_ddegC[i]) == VALIDITY_OK;
    case HISTORY_TEMP_MAX:
    case HISTORY_TEMP_MIN:
        return extreme_temp(r->temp_ddegC, r->temps, series->source == HISTORY_TEMP_MIN, value);
    default:
        return cells(r->cell_mV, r->cells, series->source, value);
    }
}

bool history_value(const struct history_series *series, const struct sample *s, int64_t *value)
{
    struct row row = { .cell_mV = s->cell_mV, .temp_ddegC = s->temp_ddegC, .cells = s->cells, .temps = s->temps };

    if (series->source == HISTORY_SCALAR)
        row.scalar = &s->scalar[series->index];
    return value_of(series, &row, value);
}

void history_add_sample(struct history *h, const struct sample *sample)
{
    for (size_t i = 0; i < h->series_count; i++) {
        int64_t value = 0;

        if (history_value(&h->series[i], sample, &value))
            history_add(h, i, (int64_t)sample->utc_ms, value, value, value, 1);
    }
}

static enum body_part part_of(enum history_source source)
{
    switch (source) {
    case HISTORY_SCALAR:
        return BODY_SCALARS;
    case HISTORY_TEMP:
    case HISTORY_TEMP_MAX:
    case HISTORY_TEMP_MIN:
        return BODY_TEMPS;
    default:
        return BODY_CELLS;
    }
}

void history_add_record(struct history *h, const uint8_t *bytes, size_t size, struct columns *c)
{
    struct record record;
    enum body_part last = BODY_SCALARS;

    for (size_t i = 0; i < h->series_count; i++)
        last = part_of(h->series[i].source) > last ? part_of(h->series[i].source) : last;
    if (record_open(bytes, size, &record) != 0 || body_columns_until(&record, last, c) != 0)
        return;
    for (size_t i = 0; i < h->series_count; i++) {
        const struct history_series *s = &h->series[i];

        for (uint32_t k = 0; k < c->count; k++) {
            struct row row = { .cell_mV = c->cell_mV[k], .temp_ddegC = c->temp_ddegC[k], .cells = c->cells, .temps = c->temps };
            int64_t value = 0;

            if (s->source == HISTORY_SCALAR)
                row.scalar = &c->scalar[s->index][k];
            if (value_of(s, &row, &value))
                history_add(h, i, (int64_t)c->utc_ms[k], value, value, value, 1);
        }
    }
}

int64_t history_mean(const struct history_bucket *b)
{
    int64_t half = b->count / 2;

    return (b->sum < 0 ? b->sum - half : b->sum + half) / b->count;
}

enum member { MEMBER_MIN, MEMBER_MEAN, MEMBER_MAX, MEMBER_COUNT };

static void render_member(const struct history *h, size_t s, enum member member, struct jsonw *j)
{
    static const char *const names[] = { "min", "mean", "max", "count" };

    jsonw_key(j, names[member]);
    jsonw_array(j);
    for (size_t i = 0; i < h->buckets; i++) {
        const struct history_bucket *b = &h->bucket[s * h->buckets + i];

        if (member == MEMBER_COUNT)
            jsonw_uint(j, b->count);
        else if (b->count == 0)
            jsonw_null(j);
        else
            jsonw_int(j, member == MEMBER_MIN ? b->min : member == MEMBER_MAX ? b->max : history_mean(b));
    }
    jsonw_array_end(j);
}

void history_render(const struct history *h, struct jsonw *j)
{
    jsonw_object(j);
    jsonw_member_int(j, "from", h->from_ms);
    jsonw_member_int(j, "to", h->to_ms);
    jsonw_member_int(j, "step_ms", h->step_ms);
    jsonw_key(j, "t");
    jsonw_array(j);
    for (size_t i = 0; i < h->buckets; i++)
        jsonw_int(j, h->from_ms + (int64_t)i * h->step_ms);
    jsonw_array_end(j);
    jsonw_key(j, "series");
    jsonw_object(j);
    for (size_t s = 0; s < h->series_count; s++) {
        jsonw_key(j, h->series[s].name);
        jsonw_object(j);
        jsonw_member_str(j, "unit", h->series[s].unit);
        for (int member = MEMBER_MIN; member <= MEMBER_COUNT; member++)
            render_member(h, s, (enum member)member, j);
        jsonw_object_end(j);
    }
    jsonw_object_end(j);
    jsonw_object_end(j);
}
