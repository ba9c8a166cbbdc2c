/* SPDX-License-Identifier: Apache-2.0 */
/* clock_port.h -- what a board must provide of time. */
#ifndef FIRMWARE_CLOCK_PORT_H
#define FIRMWARE_CLOCK_PORT_H

#include <stdint.h>

struct clock_port {
    void *ctx;                     /* handed back to every call, owned by the port */
    uint32_t (*now_ms)(void *ctx); /* monotonic, may wrap */
    uint64_t (*utc_ms)(void *ctx); /* since 1970; 0 = not known */
};

#endif
