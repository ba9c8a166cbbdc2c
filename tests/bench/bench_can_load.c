/* SPDX-License-Identifier: Apache-2.0 */
/* bench_can_load.c -- how full CAN0 and CAN1 are with 160 cells, 64 probes and as many alarms as a sample holds, at 500 kbit/s.
 *
 * usage: bench_can_load [--json]     Exit 1 when a bus is fuller than BOUND_percent in the mean of a second.
 * Every frame counts with the most stuff bits that its length can have and with the 3 bits behind it, though few frames are so long. The board
 * is the firmware itself, for RUN_s simulated seconds; sensor, DTU and vehicle send as their rows say. Requests of a tester are not counted.
 */
#include <stdio.h>
#include <string.h>

#include "proto/can0.h"
#include "tests/unit/firmware/rig.h"

enum { CELLS = 160, PROBES = 64, WARM_s = 5, RUN_s = 20, BIT_PER_S = 500000, BOUND_percent = 30, STEPS_PER_S = 1000 / BIU_STEP_MS };
enum { CSU_AND_OTHERS = 2, ROOM = BIT_PER_S / STEPS_PER_S / 160 - CSU_AND_OTHERS }; /* what 10 ms carry beside the others' frames */

struct load {
    uint64_t bits, frames;
    unsigned in_step, worst_step;
};

/* ISO 11898-1: start to end of frame and intermission, and one stuff bit for each 4 bits that can be stuffed, but for the first. */
static unsigned worst_bits(const struct can_frame *f)
{
    unsigned stuffed = (f->ext ? 54u : 34u) + 8u * f->len, rest = 13;

    return stuffed + rest + (stuffed - 1) / 4;
}

static void count(struct load *l, const struct can_frame *f)
{
    l->bits += worst_bits(f);
    l->in_step += worst_bits(f);
    l->frames++;
}

static void end_step(struct load *l)
{
    l->worst_step = l->in_step > l->worst_step ? l->in_step : l->worst_step;
    l->in_step = 0;
}

static void set_up(struct rig *r)
{
    rig_init(r, CELLS, 0);
    for (int i = 0; i < AFE_DEVICES_MAX; i++)
        r->params[PARAM_afe01_probes + i] = 15;
    for (int i = PARAM_biu_devices; i <= PARAM_bmu10_devices; i++)
        r->params[i] = 0;
    r->params[PARAM_biu_devices] = 1; /* 16 chips of 10 cells, so that all 64 probes have a place */
    for (int i = PARAM_bmu01_devices; i < PARAM_bmu01_devices + 5; i++)
        r->params[i] = 3;
    for (int i = 0; i < AFE_DEVICES_MAX; i++)
        r->params[PARAM_afe01_cells + i] = CELLS / AFE_DEVICES_MAX;
    fake_chain_init(&r->chain, AFE_DEVICES_MAX, 3700);
    rig_start(r);
    r->in.can_room = ROOM;
    r->in.can1_room = ROOM;
    rig_run(r, WARM_s * 1000);
}

/* A sample has as many alarms as it can hold: the frames that this one lacks. They follow the others, so no step gets fuller. */
static void add_alarms(struct rig *r, struct load *can0)
{
    struct can_frame f = can0_begin(CAN0_BIU_ActiveAlarm, CAN0_ADDR_BIU);

    unsigned in_step = can0->in_step;

    for (int i = r->last.alarms; i < SAMPLE_ALARMS_MAX; i++)
        count(can0, &f);
    can0->in_step = in_step;
}

static void others(unsigned step, struct load *can0, struct load *can1)
{
    struct can_frame csu = can0_begin(CAN0_CSU_Current, CAN0_ADDR_CSU), clock = can0_begin(CAN0_DTU_Clock, CAN0_ADDR_DTU);
    struct can_frame orders = vehicle_begin(vehicle_messages[VEHICLE_VCU_Orders].id);

    count(can0, &csu);
    if (step % STEPS_PER_S == 0)
        count(can0, &clock);
    if (step % (vehicle_messages[VEHICLE_VCU_Orders].period_ms / BIU_STEP_MS) == 0)
        count(can1, &orders);
}

static void run(struct rig *r, struct load *can0, struct load *can1)
{
    for (unsigned step = 0; step < RUN_s * STEPS_PER_S; step++) {
        rig_step(r);
        for (size_t i = 0; i < r->out.can_tx_count; i++)
            count(can0, &r->out.can_tx[i]);
        for (size_t i = 0; i < r->out.can1_tx_count; i++)
            count(can1, &r->out.can1_tx[i]);
        others(step, can0, can1);
        end_step(can0);
        end_step(can1);
        if (r->out.sample)
            add_alarms(r, can0);
    }
}

static double percent(const struct load *l)
{
    return 100.0 * (double)l->bits / RUN_s / BIT_PER_S;
}

static void print(const char *bus, const struct load *l)
{
    printf("\"%s\":{\"load_percent\":%.2f,\"frames_per_s\":%.1f,\"worst_10ms_percent\":%.1f}", bus, percent(l), (double)l->frames / RUN_s,
           100.0 * l->worst_step * STEPS_PER_S / BIT_PER_S);
}

int main(int argc, char **argv)
{
    static struct rig r;
    struct load can0 = { 0 }, can1 = { 0 };

    if (argc > 2 || (argc == 2 && strcmp(argv[1], "--json") != 0)) {
        fprintf(stderr, "usage: bench_can_load [--json]\n");
        return 2;
    }
    set_up(&r);
    run(&r, &can0, &can1);
    if (r.biu.topology.cells != CELLS || r.biu.topology.probes != PROBES || r.last.cells != CELLS) {
        fprintf(stderr, "bench_can_load: the pack has %u cells and %u probes\n", r.biu.topology.cells, r.biu.topology.probes);
        return 1;
    }
    printf("{\"cells\":%d,\"probes\":%d,\"bit_per_s\":%d,\"bound_percent\":%d,", CELLS, PROBES, BIT_PER_S, BOUND_percent);
    print("can0", &can0);
    printf(",");
    print("can1", &can1);
    printf("}\n");
    return percent(&can0) > BOUND_percent || percent(&can1) > BOUND_percent;
}
