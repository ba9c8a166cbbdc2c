/* SPDX-License-Identifier: Apache-2.0 */
/* can_port.h -- what a board must provide for one CAN bus. Never blocks. */
#ifndef FIRMWARE_CAN_PORT_H
#define FIRMWARE_CAN_PORT_H

#include <stddef.h>

#include "common/can.h"

struct can_port {
    void *ctx;                                         /* handed back to every call, owned by the port */
    int (*receive)(void *ctx, struct can_frame *f);    /* 1 and a frame (never one of our own), 0 when there is none, or BMS_ERR_* */
    int (*send)(void *ctx, const struct can_frame *f); /* queue one: 0, or BMS_ERR_NOSPACE */
    size_t (*room)(void *ctx);                         /* frames that can be queued now */
};

#endif
