/* SPDX-License-Identifier: Apache-2.0 */
/* trace_port.h -- what a board may provide to record every step of its BIU (firmware/core/biu/biu_log.h). Looks on; must not block or change anything. */
#ifndef FIRMWARE_TRACE_PORT_H
#define FIRMWARE_TRACE_PORT_H

#include "firmware/core/biu/biu.h"

struct trace_port {
    void *ctx;                                                                   /* handed back to every call, owned by the port */
    void (*start)(void *ctx, const struct biu_config *cfg, uint32_t now_ms);     /* before biu_init() */
    void (*wake)(void *ctx, uint32_t now_ms);                                    /* before biu_wake() */
    void (*step)(void *ctx, const struct biu_in *in, const struct biu_out *out); /* after biu_step(); borrowed for the call */
};

#endif
