/* SPDX-License-Identifier: Apache-2.0 */
/* watch.h -- who is looked at: leases that are sent to devices and renewed while somebody looks. Pure; time is data, not thread-safe. */
#ifndef SERVER_WATCH_H
#define SERVER_WATCH_H

#include "proto/topics.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { WATCHES_MAX = 256, WATCH_RENEW_MS = 10000, WATCH_LEASE_S = 30 };

struct watches {
    struct watch {
        char device[DEVICE_NAME_MAX + 1];
        unsigned lookers; /* 0 = to be ended */
        int64_t due_ms;
    } items[WATCHES_MAX];
    size_t count;
};

/* One more or one less that looks. Returns 0, BMS_ERR_NOSPACE, or BMS_ERR_UNKNOWN when nobody looked. */
int watch_set(struct watches *w, const char *device, bool on, int64_t now_ms);

/* The next lease to send now: copies the device, *seconds = WATCH_LEASE_S or 0 (end). False when nothing is due. */
bool watch_next(struct watches *w, int64_t now_ms, char *device, uint32_t *seconds);

#endif
