/* SPDX-License-Identifier: Apache-2.0 */
/* modbus.h -- a Modbus slave for displays (TA-4, TA-5): functions 03, 04, 06, 16 and 43/14 on the map of proto/modbus.def. Requests in, answers
 * out, without address and CRC: the line is rs485.h. Source: MODBUS Application Protocol V1.1b3.
 *
 * A request is done as a whole or not at all. Writes change the running copy of the parameters inside their rows; "store" makes them last.
 * Where the parameter write_needs_key is 1, writes are refused: Modbus knows no key.
 */
#ifndef FIRMWARE_MODBUS_H
#define FIRMWARE_MODBUS_H

#include <stddef.h>
#include <stdint.h>

#include "firmware/core/talk/uds.h"
#include "proto/modbus.h"

/* Answer pdu[n] (n >= 1) into out[MODBUS_PDU_MAX]; returns its length, always 2 or more. The sample that is shown is the newest of u->sampler. */
size_t modbus_answer(struct uds *u, const uint8_t *pdu, size_t n, uint8_t *out);

#endif
