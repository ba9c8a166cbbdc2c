/* SPDX-License-Identifier: Apache-2.0 */
/* metrics.c -- the values behind metrics.def and their text. */
#include "server/metrics.h"

#include <stdarg.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

enum kind { KIND_COUNTER, KIND_GAUGE, KIND_HISTOGRAM };

static const struct {
    enum kind kind;
    const char *name, *labels, *help;
} rows[METRIC_COUNT] = {
#define COUNTER(id, name, labels, help)   [METRIC_##id] = { KIND_COUNTER, name, labels, help },
#define GAUGE(id, name, labels, help)     [METRIC_##id] = { KIND_GAUGE, name, labels, help },
#define HISTOGRAM(id, name, labels, help) [METRIC_##id] = { KIND_HISTOGRAM, name, labels, help },
#include "server/metrics.def"
};

static const int64_t bounds[] = { 1, 2, 5, 10, 20, 50, 100, 200, 500, 1000, 2000, 5000, 10000 };
enum { BOUNDS = sizeof bounds / sizeof bounds[0] };

/* A process has one set of metrics, as it has one /metrics. */
static _Atomic int64_t values[METRIC_COUNT]; /* histograms: the sum */
static _Atomic int64_t buckets[METRIC_COUNT][BOUNDS + 1];

void metrics_add(enum metric m, int64_t n)
{
    atomic_fetch_add_explicit(&values[m], n, memory_order_relaxed);
}

void metrics_set(enum metric m, int64_t value)
{
    atomic_store_explicit(&values[m], value, memory_order_relaxed);
}

void metrics_observe(enum metric m, int64_t value)
{
    size_t i = 0;

    while (i < BOUNDS && value > bounds[i])
        i++;
    atomic_fetch_add_explicit(&buckets[m][i], 1, memory_order_relaxed);
    metrics_add(m, value);
}

int64_t metrics_get(enum metric m)
{
    int64_t sum = 0;

    if (rows[m].kind != KIND_HISTOGRAM)
        return atomic_load_explicit(&values[m], memory_order_relaxed);
    for (size_t i = 0; i <= BOUNDS; i++)
        sum += buckets[m][i];
    return sum;
}

struct text {
    char *out;
    size_t size, used;
};

#if defined(__GNUC__)
__attribute__((format(printf, 2, 3)))
#endif
static void
put(struct text *t, const char *format, ...)
{
    va_list args;

    va_start(args, format);
    bool full = t->used >= t->size;
    int n = vsnprintf(full ? NULL : t->out + t->used, full ? 0 : t->size - t->used, format, args);

    va_end(args);
    t->used += n > 0 ? (size_t)n : 0;
}

static void put_histogram(struct text *t, size_t m)
{
    int64_t sum = 0;

    for (size_t i = 0; i < BOUNDS; i++) {
        sum += buckets[m][i];
        put(t, "%s_bucket{le=\"%lld\"} %lld\n", rows[m].name, (long long)bounds[i], (long long)sum);
    }
    sum += buckets[m][BOUNDS];
    put(t, "%s_bucket{le=\"+Inf\"} %lld\n%s_sum %lld\n%s_count %lld\n", rows[m].name, (long long)sum, rows[m].name, (long long)values[m],
        rows[m].name, (long long)sum);
}

size_t metrics_text(char *out, size_t size, const char *roles, const char *version)
{
    static const char *const kinds[] = { "counter", "gauge", "histogram" };
    struct text t = { out, size, 0 };

    put(&t,
        "# HELP cellwarden_build_info version and roles of this process\n# TYPE cellwarden_build_info gauge\n"
        "cellwarden_build_info{version=\"%s\",roles=\"%s\"} 1\n",
        version, roles);
    for (size_t m = 0; m < METRIC_COUNT; m++) {
        if (m == 0 || strcmp(rows[m].name, rows[m - 1].name) != 0)
            put(&t, "# HELP %s %s\n# TYPE %s %s\n", rows[m].name, rows[m].help, rows[m].name, kinds[rows[m].kind]);
        if (rows[m].kind == KIND_HISTOGRAM)
            put_histogram(&t, m);
        else
            put(&t, "%s%s%s%s %lld\n", rows[m].name, *rows[m].labels ? "{" : "", rows[m].labels, *rows[m].labels ? "}" : "",
                (long long)metrics_get((enum metric)m));
    }
    return t.used;
}
