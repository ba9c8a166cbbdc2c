/* SPDX-License-Identifier: Apache-2.0 */
#include "sim/can_bus.h"

#include <stddef.h>

#include "common/err.h"

int can_bus_attach(struct can_bus *bus, void (*deliver)(void *ctx, const struct can_frame *f), void *ctx)
{
    if (bus->nodes == CAN_BUS_NODES_MAX)
        return BMS_ERR_NOSPACE;
    bus->node[bus->nodes] = (struct can_bus_node) { .deliver = deliver, .ctx = ctx };
    return bus->nodes++;
}

void can_bus_send(struct can_bus *bus, int from, const struct can_frame *f)
{
    bus->frames++;
    for (int i = 0; i < bus->nodes; i++) {
        if (i != from && bus->node[i].deliver)
            bus->node[i].deliver(bus->node[i].ctx, f);
    }
}
