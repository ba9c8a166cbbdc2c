/* SPDX-License-Identifier: Apache-2.0 */
/* bench_decode [--json] [--ms N] -- what it costs to write and to read a record, and to make its summary, on one core.
 *
 * Samples of a simulated pack (sim/fleet/life.h), sealed in records of 60, 10 and 1, and 60 of 160 cells. Each figure is CPU time, the best of 25 rounds of N ms,
 * since what disturbs only ever adds. `copy` is memcpy of as many bytes as the values take, the limit of all readers.
 */
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "proto/body.h"
#include "server/ingest/summary.h"
#include "sim/fleet/life.h"

enum { RECORDS = 64, ROUNDS = 25 };

struct shape {
    const char *key;
    unsigned frames;
    uint8_t cells, temps;
};

static const struct shape shapes[] = { { "60", 60, 48, 12 }, { "10", 10, 48, 12 }, { "1", 1, 48, 12 }, { "60x160", 60, 160, 12 } };

struct set { /* of one shape */
    const struct shape *shape;
    struct sample samples[RECORDS][RECORD_SAMPLES_MAX];
    uint8_t sealed[RECORDS][RECORD_MAX];
    int size[RECORDS];
    struct columns columns[RECORDS]; /* more than a cache holds, as in a batch of the ingest */
};

static double now_ns(void)
{
    struct timespec t;

    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
    return (double)t.tv_sec * 1e9 + (double)t.tv_nsec;
}

static bool write_one(struct set *s, int at)
{
    static uint8_t body[RECORD_BODY_MAX];
    const struct sample *first = s->samples[at], *last = first + s->shape->frames - 1;
    int len = body_encode(first, s->shape->frames, body, sizeof body);
    struct record r = { .device = "demo.bus-048",
                        .epoch = 0x0123456789ABCDEFu,
                        .seq = (uint64_t)at + 1,
                        .boot = first->boot,
                        .first_no = first->no,
                        .count = s->shape->frames,
                        .first_utc_ms = first->utc_ms,
                        .last_utc_ms = last->utc_ms,
                        .cells = first->cells,
                        .temps = first->temps,
                        .body = body,
                        .body_len = len < 0 ? 0 : (size_t)len };

    s->size[at] = len < 0 ? len : record_seal(&r, s->sealed[at], sizeof s->sealed[at]);
    return s->size[at] > 0;
}

static bool read_one(struct set *s, int at)
{
    struct record r;

    return record_open(s->sealed[at], (size_t)s->size[at], &r) == 0 && body_columns(&r, &s->columns[at]) == 0;
}

static bool sum_up(struct set *s, int at)
{
    return summarise(&s->columns[at]).has_cells;
}

static bool copy_values(struct set *s, int at)
{
    const struct shape *shape = s->shape;

    memcpy(s->columns[(at + 1) % RECORDS].cell_mV, s->columns[at].cell_mV, (size_t)shape->frames * 2u * (shape->cells + shape->temps));
    return true;
}

/* ns for one record. */
static double best(struct set *s, bool (*work)(struct set *, int), int ms)
{
    double least = 1e18;

    for (int round = 0; round < ROUNDS; round++) {
        double from = now_ns(), spent;
        long done = 0;

        do {
            for (int at = 0; at < RECORDS; at++)
                if (!work(s, at)) {
                    fprintf(stderr, "bench_decode: a record cannot be written or read\n");
                    exit(1);
                }
            done += RECORDS;
            spent = now_ns() - from;
        } while (spent < ms * 1e6);
        least = spent / (double)done < least ? spent / (double)done : least;
    }
    return least;
}

static void fill(struct set *s, const struct shape *shape)
{
    static struct life life;
    const struct life_config config = { .cells = shape->cells, .temps = shape->temps, .boot = 1 };
    uint64_t utc_ms = 1600000000000u;

    s->shape = shape;
    life_init(&life, &config, 1);
    for (int at = 0; at < RECORDS; at++)
        for (unsigned i = 0; i < shape->frames; i++, utc_ms += 1000)
            life_sample(&life, 1, utc_ms, &s->samples[at][i]);
}

static void measure(struct set *s, int ms, bool json, bool first)
{
    static const struct {
        const char *key;
        bool (*work)(struct set *, int);
    } works[] = { { "write", write_one }, { "read", read_one }, { "summary", sum_up }, { "copy", copy_values } };
    unsigned frames = s->shape->frames, values = frames * ((unsigned)s->shape->cells + s->shape->temps);

    printf(json ? "%s\"%s\":{" : "%s%7s:", json && !first ? "," : "", s->shape->key);
    for (size_t w = 0; w < sizeof works / sizeof works[0]; w++) {
        double ns = best(s, works[w].work, ms);

        printf(json ? "%s\"%s\":{\"ns_per_record\":%.0f,\"ns_per_frame\":%.1f,\"ns_per_value\":%.2f}"
                    : "%s%s %.0f ns a record, %.1f a frame, %.2f a value",
               w == 0 ? (json ? "" : " ") : (json ? "," : "; "), works[w].key, ns, ns / frames, ns / values);
    }
    printf(json ? "}" : "\n");
}

int main(int argc, char **argv)
{
    struct set *s = calloc(1, sizeof *s);
    bool json = false;
    int ms = 8;

    for (int i = 1; i < argc; i++) {
        if (strcmp(argv[i], "--json") == 0)
            json = true;
        else if (strcmp(argv[i], "--ms") == 0 && i + 1 < argc && atoi(argv[i + 1]) > 0)
            ms = atoi(argv[++i]);
        else {
            fprintf(stderr, "usage: bench_decode [--json] [--ms N]\n");
            return 2;
        }
    }
    if (!s)
        return 1;
    if (json)
        printf("{");
    for (size_t k = 0; k < sizeof shapes / sizeof shapes[0]; k++) {
        fill(s, &shapes[k]);
        measure(s, ms, json, k == 0);
    }
    if (json)
        printf("}\n");
    free(s);
    return 0;
}
