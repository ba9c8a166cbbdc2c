/* SPDX-License-Identifier: Apache-2.0 */
/* reread.h -- when to read a board's parameters again because its samples name others than we know. Pure; time is data, not thread-safe. */
#ifndef SERVER_REREAD_H
#define SERVER_REREAD_H

#include "server/api/fleet.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { REREADS_MAX = 4096, REREAD_SLOTS = 2 * REREADS_MAX, REREAD_PATIENCE_MS = 3000, REREAD_MIN_MS = 10000, REREAD_MAX_MS = 600000 };

struct reread {
    char device[DEVICE_NAME_MAX + 1]; /* "" = a free slot */
    int64_t due_ms;
    int64_t wait_ms;
};

struct rereads {
    struct reread *items; /* REREAD_SLOTS, given by the owner and zero at first: only devices that differ now, REREADS_MAX at most */
    size_t count;
};

/* True when the newest sample names parameters that we did not read, or not since this start of the board. False when it names none (no board that can be
 * asked: both hashes not valid). */
bool reread_differs(const struct fleet_vehicle *v);

/* Look at one device; costs the same however many differ, as after a restart of all. `known` = a set was read before, since the same board start: then a difference must last REREAD_PATIENCE_MS, because a write's result and the first sample
 * after it may cross. True: read now. Asking goes on with 10 s, 20 s .. 10 min between, until it does not differ. */
bool reread_wanted(struct rereads *r, const char *device, bool differs, bool known, int64_t now_ms);

#endif
