/* SPDX-License-Identifier: Apache-2.0 */
/* history.h -- samples over time, gathered into buckets of min, mean, max and count.
 *
 * Pure: no database, no HTTP. A caller parses the series, makes the buckets, adds samples (or what is known of many) in any order, and renders. A bucket
 * that got nothing has count 0 and null values: a gap is shown as a gap. A spike of one sample stays visible in min or max.
 *
 * Buckets begin at multiples of their width, so the same span asked for again has the same buckets. No bucket is narrower than HISTORY_STEP_MIN_MS:
 * with one sample a second, narrower ones would be empty now and then although nothing is missing. From a minute on a width is whole minutes, from an
 * hour on whole hours, so that roll-ups (rollup.h) fit into buckets.
 */
#ifndef SERVER_HISTORY_H
#define SERVER_HISTORY_H

#include "server/http/jsonw.h"

#include "proto/body.h"
#include "proto/sample.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { HISTORY_SERIES_MAX = 8, HISTORY_PX_MAX = 10000, HISTORY_STEP_MIN_MS = 2000, HISTORY_NAME_SIZE = 32 };

/* Longest span. */
#define HISTORY_SPAN_MAX_MS (400ll * 24 * 3600 * 1000)

enum history_source {
    HISTORY_SCALAR,
    HISTORY_CELL,
    HISTORY_TEMP,
    HISTORY_CELL_MIN,
    HISTORY_CELL_MAX,
    HISTORY_CELL_MEAN,
    HISTORY_TEMP_MAX,
    HISTORY_TEMP_MIN
};

struct history_series {
    char name[HISTORY_NAME_SIZE]; /* as it was asked for */
    enum history_source source;
    size_t index; /* of the scalar, cell or probe, from 0 */
    const char *unit;
    bool plain; /* 32 bits as they are, no code for "not valid" */
    int rollup; /* enum rollup_quantity, or -1 when nothing rolls it up */
};

struct history_bucket {
    int64_t sum;
    int64_t min, max;
    uint32_t count;
};

struct history {
    int64_t from_ms, to_ms, step_ms; /* from_ms is a multiple of step_ms */
    int64_t take_from_ms;            /* what is added before is ignored; from_ms unless a caller has filled the beginning by other means */
    size_t buckets, series_count;
    struct history_series series[HISTORY_SERIES_MAX];
    struct history_bucket *bucket; /* [series_count * buckets] */
};

/* Parse "pack_current_mA,cell_47_mV". Returns 0, or BMS_ERR_RANGE with the first bad name in bad[HISTORY_NAME_SIZE]. */
int history_parse(const char *list, struct history *h, char bad[HISTORY_NAME_SIZE]);

/* One series by its name. Returns 0 or BMS_ERR_RANGE. */
int history_series_of(const char *name, struct history_series *s);

/* What a sample says of a series; false when it has no valid value. */
bool history_value(const struct history_series *series, const struct sample *s, int64_t *value);

/* `count` samples whose mean is this. */
void history_bucket_add(struct history_bucket *b, int64_t min, int64_t mean, int64_t max, uint32_t count);

/* Half away from zero; count must not be 0. */
int64_t history_mean(const struct history_bucket *b);

/* Allocate the buckets for from..to (UTC ms, to is not included). Returns 0, BMS_ERR_RANGE, BMS_ERR_NOSPACE. */
int history_init(struct history *h, int64_t from_ms, int64_t to_ms, int64_t px);
void history_deinit(struct history *h);

/* Add one value of series `s` at a time; outside the span it is ignored. `count` samples had it as their mean. */
void history_add(struct history *h, size_t s, int64_t at_ms, int64_t min, int64_t mean, int64_t max, uint32_t count);

/* Add all series of a sample. Values that are not valid are left out. */
void history_add_sample(struct history *h, const struct sample *sample);

/* Add all samples of a sealed record, of whose body only what the series need is read. One that cannot be read is left out: it shows as a gap (ingest
 * lets none in). `room` is work space, about 50 kB. */
void history_add_record(struct history *h, const uint8_t *bytes, size_t size, struct columns *room);

/* The answer of openapi.yaml, get_history. */
void history_render(const struct history *h, struct jsonw *j);

#endif
