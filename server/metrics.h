/* SPDX-License-Identifier: Apache-2.0 */
/* metrics.h -- counters, gauges and histograms of this process, as Prometheus text.
 *
 * The rows are in metrics.def; adding one is one line there. Updates are lock-free and may come from any thread.
 */
#ifndef SERVER_METRICS_H
#define SERVER_METRICS_H

#include <stddef.h>
#include <stdint.h>

enum metric {
#define COUNTER(id, name, labels, help)   METRIC_##id,
#define GAUGE(id, name, labels, help)     METRIC_##id,
#define HISTOGRAM(id, name, labels, help) METRIC_##id,
#include "server/metrics.def"
#undef COUNTER
#undef GAUGE
#undef HISTOGRAM
    METRIC_COUNT
};

/* Counters only grow; a gauge may take a negative n. */
void metrics_add(enum metric m, int64_t n);

/* Gauges. */
void metrics_set(enum metric m, int64_t value);

/* Histograms: buckets 1, 2, 5, 10 .. 10000 in the unit of the name. */
void metrics_observe(enum metric m, int64_t value);

/* The value of a counter or gauge, the count of a histogram. */
int64_t metrics_get(enum metric m);

/* Write the text (exposition format 0.0.4) with a terminating 0 into out[size]; returns the length it needs, as snprintf does.
 * METRICS_TEXT_MAX bytes always suffice. `roles` and `version` label cellwarden_build_info. */
enum { METRICS_TEXT_MAX = 32768 };
size_t metrics_text(char *out, size_t size, const char *roles, const char *version);

#endif
