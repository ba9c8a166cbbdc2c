/* SPDX-License-Identifier: Apache-2.0 */
/* nvm_port.h -- what a board must provide to keep data without power: bytes at offsets.
 *
 * Two kinds of memory. EEPROM and FRAM (erase_size 0): any bytes can be written over. Flash: what is written must have been erased, FF, since; whole
 * program units are written, whole erase units are erased.
 *
 * A write may be cut by a power loss after any byte, and an erase at any moment; the unit under way may then hold anything, all others are left alone.
 */
#ifndef FIRMWARE_NVM_PORT_H
#define FIRMWARE_NVM_PORT_H

#include <stddef.h>
#include <stdint.h>

enum { NVM_PROGRAM_MAX = 32 }; /* largest program unit, bytes */

struct nvm_port {
    void *ctx;                                                             /* handed back to every call, owned by the port */
    size_t size;                                                           /* bytes, at least nvm_layout_of().size of firmware/app/nvm.h */
    int (*read)(void *ctx, size_t offset, uint8_t *buf, size_t n);         /* 0 or BMS_ERR_IO */
    int (*write)(void *ctx, size_t offset, const uint8_t *data, size_t n); /* 0 when the data is safe, or BMS_ERR_IO */
    size_t erase_size;                                                     /* bytes of an erase unit; 0 = none is needed */
    size_t program_size;                    /* bytes of a program unit, to NVM_PROGRAM_MAX; 0 = single bytes */
    int (*erase)(void *ctx, size_t offset); /* the unit at offset: 0 when all of it is FF, or BMS_ERR_IO */
};

#endif
