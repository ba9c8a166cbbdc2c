/* SPDX-License-Identifier: Apache-2.0 */
/* serial_port.h -- what a board must provide of RS485: bytes each way, 8 data bits, no parity, half duplex. Never blocks. */
#ifndef FIRMWARE_SERIAL_PORT_H
#define FIRMWARE_SERIAL_PORT_H

#include <stddef.h>
#include <stdint.h>

struct serial_port {
    void *ctx;                                              /* handed back to every call, owned by the port */
    int (*read)(void *ctx, uint8_t *buf, size_t size);      /* bytes received since the last call, never our own: their count, or 0 */
    int (*write)(void *ctx, const uint8_t *data, size_t n); /* queue all n bytes: 0, or BMS_ERR_NOSPACE */
};

#endif
