/* SPDX-License-Identifier: Apache-2.0 */
/* rs485_host.h -- the cable tool's end of RS485: UDS in the frames of proto/rs485.h. Pure; bytes in, messages out, time is data.
 *
 *   rs485_host_put()    request ──> F8 41 length UDS CRC
 *   rs485_host_take()   .. F8 42 length UDS CRC ──> answer
 *
 * The line is shared: what a display and the board say to each other in Modbus RTU is passed over, and so is our own request where the transceiver
 * echoes it. A frame with a wrong CRC or a length that no answer has is dropped, one that stops for RS485_SILENT_MS as well; the tester asks again.
 */
#ifndef LOCAL_CORE_RS485_HOST_H
#define LOCAL_CORE_RS485_HOST_H

#include <stddef.h>
#include <stdint.h>

#include "proto/rs485.h"

enum {
    RS485_HOST_ANSWER = 1700, /* bytes of the longest answer of a board: firmware/core/talk/uds.h */
    RS485_HOST_RX = RS485_HEAD + RS485_HOST_ANSWER + RS485_CRC,
};

struct rs485_host { /* allocated by the caller, fields private but for those marked */
    uint8_t rx[RS485_HOST_RX];
    size_t n;
    uint32_t at_ms;  /* the newest byte */
    uint32_t broken; /* read it: frames that were dropped */
};

void rs485_host_init(struct rs485_host *h);

/* Frame uds[n], n from 1 to UDS_BLOCK_MAX, into out[RS485_FRAME_MAX]. Returns how many bytes to send, 0 when n is out of range. */
size_t rs485_host_put(const uint8_t *uds, size_t n, uint8_t *out);

/* One byte from the line. The length of an answer that it completes and *uds, valid until the next byte; else 0. now_ms: monotonic, may wrap. */
size_t rs485_host_take(struct rs485_host *h, uint8_t byte, uint32_t now_ms, const uint8_t **uds);

#endif
