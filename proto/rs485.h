/* SPDX-License-Identifier: Apache-2.0 */
/* rs485.h -- how a cable tool's UDS travels on RS485 beside Modbus RTU: F8, 41 (request) or 42 (answer), length (2, high byte first), UDS, CRC-16 of
 * Modbus over all before it (low byte first). A frame is as long as it says; it is over, too, when nothing comes for RS485_SILENT_MS.
 */
#ifndef PROTO_RS485_H
#define PROTO_RS485_H

#include "proto/uds.h"

enum {
    RS485_ADDRESS = 0xF8,
    RS485_REQUEST = 0x41,
    RS485_ANSWER = 0x42,
    RS485_HEAD = 4,
    RS485_CRC = 2,
    RS485_FRAME_MAX = RS485_HEAD + UDS_BLOCK_MAX + RS485_CRC,
    RS485_SILENT_MS = 50,
    RS485_CABLE_MS = 2000, /* so long after its last frame the line still belongs to the cable tool */
};

#define RS485_CRC_INIT 0xFFFFu

#endif
