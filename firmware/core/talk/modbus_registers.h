/* SPDX-License-Identifier: Apache-2.0 */
/* modbus_registers.h -- what modbus.c and modbus_input.c share. For these two alone. */
#ifndef FIRMWARE_MODBUS_REGISTERS_H
#define FIRMWARE_MODBUS_REGISTERS_H

#include "firmware/core/talk/modbus.h"

/* The value of one register, or a negative exception code where there is none. */
typedef int modbus_reader(const struct uds *u, uint16_t address, uint16_t *value);

/* Of the newest sample; before the first one every value is "never". */
modbus_reader modbus_read_input;

/* The row of rows[count] that has this address, or NULL. */
const struct modbus_row *modbus_row_at(const struct modbus_row *rows, uint16_t count, uint16_t address);

#endif
