/* SPDX-License-Identifier: Apache-2.0 */
/* export.h -- samples as lines of text, CSV (RFC 4180) or JSON lines. Pure: samples in, text out, constant memory.
 *
 *   export_init -> export_head -> export_sample ... in order of time -> export_end
 *
 * Without a step every sample is a line: utc_ms, time (ISO 8601, UTC), boot, no, then the series. With a step a line is a bucket: utc_ms and time of
 * its beginning, samples, then min, mean and max of each series; buckets begin at multiples of the step. A value that is not there is empty (CSV) or
 * null. Numbers are in the unit of the series' name, decimal, without thousands marks.
 */
#ifndef SERVER_EXPORT_H
#define SERVER_EXPORT_H

#include "server/history/history.h"

enum {
    EXPORT_SERIES_MAX = SAMPLE_SCALARS + PACK_CELLS_MAX + PACK_TEMPS_MAX,
    EXPORT_STEP_MAX_MS = 24 * 3600 * 1000,
};

enum export_format { EXPORT_CSV, EXPORT_NDJSON };

struct export
{
    enum export_format format;
    int64_t from_ms, to_ms; /* to is not included */
    int64_t step_ms;        /* 0 = every sample */
    size_t count;
    struct history_series series[EXPORT_SERIES_MAX];
    int64_t bucket_ms; /* the open bucket; -1 = none */
    uint64_t samples;  /* in it */
    struct history_bucket bucket[EXPORT_SERIES_MAX];
};

struct text { /* grows; `failed` for good when memory ends */
    char *buf;
    size_t len, cap;
    bool failed;
};

/* The comma list, or with NULL every scalar, cell and probe of a vehicle of that size. Returns 0, or BMS_ERR_RANGE with the name in bad[HISTORY_NAME_SIZE]. */
int export_choose(struct export *e, const char *list, size_t cells, size_t temps, char bad[HISTORY_NAME_SIZE]);

/* from < to, 0 <= step <= EXPORT_STEP_MAX_MS: checked by the caller. */
void export_begin(struct export *e, enum export_format format, int64_t from_ms, int64_t to_ms, int64_t step_ms);

void export_head(const struct export *e, struct text *out);
void export_sample(struct export *e, const struct sample *s, struct text *out);
void export_end(struct export *e, struct text *out);

void text_free(struct text *t);

#endif
