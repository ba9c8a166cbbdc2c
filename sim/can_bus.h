/* SPDX-License-Identifier: Apache-2.0 */
/* can_bus.h -- one CAN bus inside the process: what one node sends, all others get, in order, at once. Never fails, never blocks.
 *
 * The bus knows no bit rate and no arbitration; how much a board may send in 10 ms is its port's business (sim/board.c).
 */
#ifndef SIM_CAN_BUS_H
#define SIM_CAN_BUS_H

#include <stdint.h>

#include "common/can.h"

enum { CAN_BUS_NODES_MAX = 8 };

struct can_bus {
    struct can_bus_node {
        void (*deliver)(void *ctx, const struct can_frame *f); /* NULL: sends only */
        void *ctx;                                             /* borrowed, must outlive the bus */
    } node[CAN_BUS_NODES_MAX];
    int nodes;
    uint64_t frames;
};

/* Returns the node's number, or BMS_ERR_NOSPACE. `deliver` must not send. */
int can_bus_attach(struct can_bus *bus, void (*deliver)(void *ctx, const struct can_frame *f), void *ctx);

void can_bus_send(struct can_bus *bus, int from, const struct can_frame *f);

#endif
