/* SPDX-License-Identifier: Apache-2.0 */
/* bench_biu_step.c -- what one step of a BIU costs: mean over 100 s of a pack that is scanned, judged, sampled and streamed.
 *
 * usage: bench_biu_step [cells]     prints one JSON line
 * Only biu_step() is bracketed by the clock; the two clock readings (about 50 ns) are in the figure, the fake chips and sensor are not.
 */
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "tests/unit/firmware/rig.h"

enum { STEPS = 10000 };

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

int main(int argc, char **argv)
{
    static struct rig r;
    int cells = argc > 1 ? atoi(argv[1]) : 48;
    double spent_us = 0, worst_us = 0;

    if (cells < PACK_CELLS_MIN || cells > PACK_CELLS_MAX) {
        fprintf(stderr, "usage: bench_biu_step [%d to %d]\n", PACK_CELLS_MIN, PACK_CELLS_MAX);
        return 2;
    }
    rig_init(&r, cells, 0);
    rig_start(&r);
    rig_run(&r, 1000);
    for (int i = 0; i < STEPS; i++) {
        r.seen_count = 0;
        timed_step(&r, &spent_us, &worst_us);
    }
    printf("{\"cells\":%d,\"steps\":%d,\"mean_us\":%.2f,\"worst_us\":%.1f,\"sizeof_biu\":%zu}\n", cells, STEPS, spent_us / STEPS, worst_us,
           sizeof(struct biu));
    return 0;
}
