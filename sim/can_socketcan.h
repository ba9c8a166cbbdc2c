/* SPDX-License-Identifier: Apache-2.0 */
/* can_socketcan.h -- the bus on a real CAN interface of a Linux kernel (SocketCAN). Never blocks. */
#ifndef SIM_CAN_SOCKETCAN_H
#define SIM_CAN_SOCKETCAN_H

#include "sim/can_bus.h"

struct can_socketcan {
    int fd;
    struct can_bus *bus; /* borrowed */
    int node;
    uint64_t dropped; /* the interface's queue was full */
};

/* Returns 0, or BMS_ERR_UNKNOWN (this kernel has no CAN), BMS_ERR_RANGE (no such interface), BMS_ERR_IO (errno tells). */
int can_socketcan_open(struct can_socketcan *s, const char *interface, struct can_bus *bus);
void can_socketcan_poll(struct can_socketcan *s);
void can_socketcan_close(struct can_socketcan *s);

#endif
