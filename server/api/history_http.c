/* SPDX-License-Identifier: Apache-2.0 */
/* history_http.c -- see history_http.h. */
#include "server/api/history_http.h"

#include "common/err.h"

enum { PX_DEFAULT = 1000 };

bool history_http_parse(struct http_exchange *ex, struct history *h)
{
    const char *series = http_query(ex, "series");
    char bad[HISTORY_NAME_SIZE];
    int64_t from = 0, to = 0, px = PX_DEFAULT;

    if (series == NULL || history_parse(series, h, bad) != 0) {
        http_problem(ex, 400, "bad_field", "series", series == NULL ? "is required" : "unknown series, or more than 8");
        return false;
    }
    if (http_query_int(ex, "from", 0, INT64_MAX / 2, &from) != 1 || http_query_int(ex, "to", 0, INT64_MAX / 2, &to) != 1) {
        http_problem(ex, 400, "bad_field", "from", "from and to are required: UTC, milliseconds since 1970");
        return false;
    }
    if (http_query_int(ex, "px", 1, HISTORY_PX_MAX, &px) < 0) {
        http_problem(ex, 400, "bad_field", "px", "must be 1 to 10000");
        return false;
    }
    int err = history_init(h, from, to, px);

    if (err == BMS_ERR_RANGE)
        http_problem(ex, 400, "bad_field", "to", "must be after from, by at most 400 days");
    else if (err != 0)
        http_problem(ex, 503, "no_memory", NULL, "try again");
    return err == 0;
}
