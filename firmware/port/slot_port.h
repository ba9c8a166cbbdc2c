/* SPDX-License-Identifier: Apache-2.0 */
/* slot_port.h -- what a board must provide of its second program slot, the one that is not running. */
#ifndef FIRMWARE_SLOT_PORT_H
#define FIRMWARE_SLOT_PORT_H

#include <stddef.h>
#include <stdint.h>

struct slot_port {
    void *ctx;                                                               /* handed back to every call, owned by the port */
    uint32_t size;                                                           /* bytes */
    int (*erase)(void *ctx);                                                 /* all of it reads FF: 0 or BMS_ERR_IO */
    int (*write)(void *ctx, uint32_t offset, const uint8_t *data, size_t n); /* into erased bytes, in order: 0 or BMS_ERR_IO */
    int (*read)(void *ctx, uint32_t offset, uint8_t *buf, size_t n);         /* 0 or BMS_ERR_IO */
};

#endif
