/* SPDX-License-Identifier: Apache-2.0 */
/* afe_port.h -- what a board must provide for the AFE daisy chain: a byte pipe each way and the fault line. Never blocks. */
#ifndef FIRMWARE_AFE_PORT_H
#define FIRMWARE_AFE_PORT_H

#include <stddef.h>
#include <stdint.h>

struct afe_port {
    void *ctx;                                              /* handed back to every call, owned by the port */
    int (*read)(void *ctx, uint8_t *buf, size_t size);      /* bytes received since the last call: their count, 0 when none, or BMS_ERR_* */
    int (*write)(void *ctx, const uint8_t *data, size_t n); /* queue all n bytes: 0, or BMS_ERR_NOSPACE (then none) */
    int (*fault)(void *ctx);                                /* 1 while the fault line is active, 0 when not, or BMS_ERR_* */
};

#endif
