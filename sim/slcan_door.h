/* SPDX-License-Identifier: Apache-2.0 */
/* slcan_door.h -- doors of the bus for other people's tools: SLCAN over TCP (several hosts) and over a pseudo-terminal (one).
 *
 * Each host has its own bounded queue; a slow one loses frames of its own and disturbs nobody. Call slcan_door_poll() often; never blocks.
 */
#ifndef SIM_SLCAN_DOOR_H
#define SIM_SLCAN_DOOR_H

#include <poll.h>

#include "sim/can_bus.h"
#include "sim/can_queue.h"
#include "sim/pty.h"
#include "sim/slcan.h"

enum { SLCAN_HOSTS_MAX = 8, SLCAN_PATH_MAX = PTY_PATH_MAX, SLCAN_OUT_MAX = 4096 };

struct slcan_host {
    int fd; /* -1 = free */
    struct slcan slcan;
    struct can_queue queue;
    char out[SLCAN_OUT_MAX]; /* bytes on their way */
    size_t out_len;
};

struct slcan_door {
    struct can_bus *bus; /* borrowed */
    int node;
    int listener; /* TCP; -1 for a pty */
    int slave;    /* pty: our own end, so that the line stays up without a host; -1 for TCP */
    char link[SLCAN_PATH_MAX];
    uint16_t port;   /* TCP: the one in use */
    uint32_t now_ms; /* for time stamps */
    uint64_t dropped;
    struct slcan_host host[SLCAN_HOSTS_MAX];
};

/* "HOST:PORT"; port 0 takes a free one (door->port). Returns 0, BMS_ERR_RANGE for a bad address, BMS_ERR_IO (errno tells). */
int slcan_door_open_tcp(struct slcan_door *door, const char *address, struct can_bus *bus);

/* Make `link` a symbolic link to a new pseudo-terminal; an older link is replaced, anything else is not (BMS_ERR_STATE). */
int slcan_door_open_pty(struct slcan_door *door, const char *link, struct can_bus *bus);

void slcan_door_poll(struct slcan_door *door, uint32_t now_ms);

/* fds[SLCAN_HOSTS_MAX + 1]; returns how many. */
size_t slcan_door_pollfds(const struct slcan_door *door, struct pollfd *fds);

void slcan_door_close(struct slcan_door *door);

#endif
