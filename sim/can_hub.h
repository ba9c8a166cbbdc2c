/* SPDX-License-Identifier: Apache-2.0 */
/* can_hub.h -- the AF_UNIX door of a bus: proto/can_hub.h on the wire, one bounded queue for each client, so that a slow one disturbs nobody.
 *
 * Call can_hub_poll() often (every step, and when poll() says so). Never blocks.
 */
#ifndef SIM_CAN_HUB_H
#define SIM_CAN_HUB_H

#include <poll.h>

#include "sim/can_bus.h"
#include "sim/can_queue.h"

enum { CAN_HUB_CLIENTS_MAX = 16, CAN_HUB_PATH_MAX = 108 };

struct can_hub {
    char path[CAN_HUB_PATH_MAX];
    int fd;
    struct can_bus *bus;
    int node;
    struct can_hub_client {
        int fd; /* -1 = free */
        struct can_queue queue;
    } client[CAN_HUB_CLIENTS_MAX];
    int clients;
    uint64_t dropped;   /* frames that slow clients did not get */
    uint32_t malformed; /* packets and frames from clients that were dropped */
    uint32_t refused;   /* clients beyond CAN_HUB_CLIENTS_MAX */
};

/* Listen on path as one more node of the bus; both are borrowed and must outlive the hub. A socket that nobody listens on is replaced.
 * Returns 0, BMS_ERR_RANGE (path too long), BMS_ERR_STATE (another pack listens there) or BMS_ERR_IO (errno tells). */
int can_hub_open(struct can_hub *hub, const char *path, struct can_bus *bus);

/* Take new clients, hand their frames to the bus, hand the bus's frames to them. */
void can_hub_poll(struct can_hub *hub);

/* Frames that every client can still take; CAN_QUEUE_SIZE without clients. */
size_t can_hub_room(const struct can_hub *hub);

/* True when nothing waits for any client. */
bool can_hub_is_flushed(const struct can_hub *hub);

/* What to wait for. fds[CAN_HUB_CLIENTS_MAX + 1]; returns how many. */
size_t can_hub_pollfds(const struct can_hub *hub, struct pollfd *fds);

/* Close all and remove the socket. */
void can_hub_close(struct can_hub *hub);

#endif
