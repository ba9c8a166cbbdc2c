/* SPDX-License-Identifier: Apache-2.0 */
/* nvm_port.h -- what a board must provide to keep data without power: bytes at offsets.
 *
 * A write may be cut by a power loss after any byte, and leaves the bytes outside its span alone.
 */
#ifndef FIRMWARE_NVM_PORT_H
#define FIRMWARE_NVM_PORT_H

#include <stddef.h>
#include <stdint.h>

struct nvm_port {
    void *ctx;                                                             /* handed back to every call, owned by the port */
    size_t size;                                                           /* bytes, at least NVM_SIZE of firmware/app/nvm.h */
    int (*read)(void *ctx, size_t offset, uint8_t *buf, size_t n);         /* 0 or BMS_ERR_IO */
    int (*write)(void *ctx, size_t offset, const uint8_t *data, size_t n); /* 0 when the data is safe, or BMS_ERR_IO */
};

#endif
