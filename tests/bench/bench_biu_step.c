/* SPDX-License-Identifier: Apache-2.0 */
/* bench_biu_step.c -- what one step of a BIU costs: mean over 100 s of a pack that is scanned, judged, sampled and streamed.
 *
 * usage: bench_biu_step [cells [steps]]     prints one JSON line
 *        bench_biu_step --many              1,000 BIUs of 48 cells in one process: which share of a core they need in real time
 * Only biu_step() is bracketed by the clock; the two clock readings (about 50 ns) are in the figure, the fake chips and sensor are not.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "tests/unit/firmware/rig.h"

enum { STEPS = 10000, MANY = 1000, MANY_STEPS = 100 };

static double now_us(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec * 1e6 + (double)t.tv_nsec / 1e3;
}

static void timed_step(struct rig *r, double *spent_us, double *worst_us)
{
    double before;
    double took;

    rig_before(r);
    before = now_us();
    biu_step(&r->biu, &r->in, &r->out);
    took = now_us() - before;
    rig_after(r);
    *spent_us += took;
    if (took > *worst_us)
        *worst_us = took;
}

static int many(void)
{
    struct rig *rigs = calloc(MANY, sizeof(*rigs));
    double spent_us = 0, worst_us = 0;

    if (!rigs)
        return 1;
    for (int i = 0; i < MANY; i++) {
        rig_init(&rigs[i], 48, (uint32_t)i * 7919u);
        rig_start(&rigs[i]);
        rig_run(&rigs[i], 300);
    }
    for (int t = 0; t < MANY_STEPS; t++)
        for (int i = 0; i < MANY; i++) {
            rigs[i].seen_count = 0;
            timed_step(&rigs[i], &spent_us, &worst_us);
        }
    printf("{\"bius\":%d,\"cpu_share\":%.3f}\n", MANY, spent_us / (MANY_STEPS * BIU_STEP_MS * 1000.0));
    free(rigs);
    return 0;
}

int main(int argc, char **argv)
{
    static struct rig r;
    int cells = argc > 1 ? atoi(argv[1]) : 48, steps = argc > 2 ? atoi(argv[2]) : STEPS;
    double spent_us = 0, worst_us = 0;

    if (argc == 2 && strcmp(argv[1], "--many") == 0)
        return many();
    if (cells < PACK_CELLS_MIN || cells > PACK_CELLS_MAX || steps < 1) {
        fprintf(stderr, "usage: bench_biu_step [%d to %d [steps]] | --many\n", PACK_CELLS_MIN, PACK_CELLS_MAX);
        return 2;
    }
    rig_init(&r, cells, 0);
    rig_start(&r);
    rig_run(&r, 1000);
    for (int i = 0; i < steps; i++) {
        r.seen_count = 0;
        timed_step(&r, &spent_us, &worst_us);
    }
    printf("{\"cells\":%d,\"steps\":%d,\"mean_us\":%.2f,\"worst_us\":%.1f,\"sizeof_biu\":%zu}\n", cells, steps, spent_us / steps, worst_us,
           sizeof(struct biu));
    return 0;
}
