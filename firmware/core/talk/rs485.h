/* SPDX-License-Identifier: Apache-2.0 */
/* rs485.h -- the RS485 line of the BIU (TA-4): a Modbus RTU slave for displays, and requests of a cable tool, told apart by their address. Pure: the
 * bytes of a step in, the bytes to send out. 8 data bits, no parity.
 *
 *   Modbus RTU   address(1) PDU(1..253) CRC(2)               ended by silence of 3.5 characters and at least one step without a byte
 *   cable tool   F8 41 length(2) UDS request  CRC(2)         ended by its length; the answer begins F8 42. CRC as in Modbus, low byte first;
 *                                                            address F8 is reserved in Modbus, so no slave takes it for its own
 *
 * A cable tool takes the line: for RS485_CABLE_MS after its last frame a display gets exception 06 (busy) and shall ask again later.
 * Known weakness: a step is 10 ms, so two frames with less than that between them are one, and lost; a master asks again. Bytes that pause for a
 * step inside a frame break it, as the standard wants for 1.5 characters.
 */
#ifndef FIRMWARE_RS485_H
#define FIRMWARE_RS485_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "firmware/core/talk/uds.h"
#include "proto/rs485.h"

enum { RS485_TX_MAX = RS485_HEAD + UDS_RESPONSE_MAX + RS485_CRC };

struct rs485_counts { /* since the start; for the diagnosis, never reset */
    uint32_t received, broken, busy;
};

struct rs485 {
    uint8_t rx[RS485_FRAME_MAX];
    size_t n;
    bool too_long; /* wait for silence */
    bool waits;    /* a request of a cable tool is in rx */
    uint32_t quiet_ms;
    uint32_t cable_ms; /* the line belongs to the cable tool for so long still */
    struct rs485_counts counts;
};

void rs485_init(struct rs485 *l);

/* One step: bytes[n] have come. A display's request is answered at once into tx[RS485_TX_MAX]: returns how many bytes to send. `u` is asked with
 * parameters rs485_address and rs485_baud. */
size_t rs485_step(struct rs485 *l, struct uds *u, const uint8_t *bytes, size_t n, uint32_t dt_ms, uint8_t *tx);

/* The request of a cable tool that waits: its length and *request, valid until the next step; once. 0 = none. */
size_t rs485_take(struct rs485 *l, const uint8_t **request);

/* Frame an answer of UDS: uds[n], n <= UDS_RESPONSE_MAX, into tx[RS485_TX_MAX]. Returns how many bytes to send. */
size_t rs485_frame(const uint8_t *uds, size_t n, uint8_t *tx);

#endif
