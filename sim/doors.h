/* SPDX-License-Identifier: Apache-2.0 */
/* doors.h -- all ways into the buses from outside: hub, SLCAN over TCP, a CAN interface of the kernel; CAN0 also SLCAN on a pty. Those not
 * asked for are shut. */
#ifndef SIM_DOORS_H
#define SIM_DOORS_H

#include "sim/can_hub.h"
#include "sim/can_socketcan.h"
#include "sim/options.h"
#include "sim/slcan_door.h"

enum { DOORS_CANS = 3 }; /* CAN0, CAN1, CAN2 */

struct bus_doors { /* of one bus */
    int no;
    struct can_hub hub;
    struct slcan_door tcp, pty;
    struct can_socketcan kernel;
    int clients; /* of the hub, last reported */
};

struct doors {
    struct bus_doors can[DOORS_CANS];
};

/* bus[DOORS_CANS]. *d is zeroed memory, large: not on a stack. Returns 0, or BMS_ERR_* after an error line: then nothing stays open. */
int doors_open(struct doors *d, const struct pack_options *o, struct can_bus *bus);

/* Carry what can be carried now. */
void doors_poll(struct doors *d);

/* Carry until the time (ns of CLOCK_MONOTONIC), or until a signal comes. */
void doors_wait(struct doors *d, int64_t until_ns);

/* Wait, at most this long, until the hub of CAN0 has a client and every client of it can take frames. Returns 0, BMS_ERR_TIMEOUT, or BMS_ERR_STATE after a
 * signal. */
int doors_wait_for_room(struct doors *d, size_t frames, int timeout_ms);

uint64_t doors_dropped(const struct doors *d);
void doors_close(struct doors *d);

int64_t clock_ns(void);

#endif
