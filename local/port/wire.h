/* SPDX-License-Identifier: Apache-2.0 */
/* wire.h -- the cable: one CAN bus, reached by a serial SLCAN adapter, SLCAN over TCP, a SocketCAN interface, or the hub of a simulated pack; or
 * the board's RS485 line, which carries whole UDS messages and no frames.
 *
 *   wire_step()     every 10 ms or so: connects when there is no link, again each WIRE_RETRY_MS
 *   wire_fd()       for poll(): -1 while there is no link
 * Never blocks. One thread.
 */
#ifndef LOCAL_PORT_WIRE_H
#define LOCAL_PORT_WIRE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/can.h"
#include "dtu/port/posix/can_client.h"
#include "local/core/rs485_host.h"
#include "local/core/slcan_host.h"

enum { WIRE_RETRY_MS = 1000, WIRE_CONNECT_MS = 5000, WIRE_OUT = 4096, WIRE_IN = 4096, WIRE_TARGET_MAX = 200, WIRE_WHY = 320 };

enum wire_kind { WIRE_NONE, WIRE_HUB, WIRE_SERIAL, WIRE_SLCAN, WIRE_CAN, WIRE_RS485 };

struct wire_config {
    enum wire_kind kind;
    const char *target; /* PATH, PORT, HOST:PORT or INTERFACE */
    unsigned kbit;      /* of the bus, told to an SLCAN adapter */
    unsigned baud;      /* of the serial line */
};

struct wire {
    enum wire_kind kind;
    char target[WIRE_TARGET_MAX];
    unsigned kbit, baud;
    char why[WIRE_WHY]; /* why there is no link, "" while there is one */
    int fd;
    bool connecting, tried;
    uint32_t tried_ms;
    struct can_client hub;
    struct slcan_host slcan;
    struct rs485_host rs485;
    char in[WIRE_IN], out[WIRE_OUT];
    size_t in_len, in_at, out_len;
    uint32_t links;
};

/* Check and remember; nothing is opened yet. 0, or BMS_ERR_RANGE with why[] set. */
int wire_init(struct wire *w, const struct wire_config *config);

/* True while there is a link. now_ms: monotonic, may wrap. */
bool wire_step(struct wire *w, uint32_t now_ms);
int wire_fd(const struct wire *w);

/* 1 and a frame, 0 when none waits, BMS_ERR_IO when the link is (or was just found) down. */
int wire_receive(struct wire *w, struct can_frame *f);

/* 0, BMS_ERR_NOSPACE when it cannot be taken now (nothing sent), BMS_ERR_IO when the link is down. */
int wire_send(struct wire *w, const struct can_frame *f);

/* Over RS485. The length of the next answer and *uds, valid until the next call; 0 when none waits, BMS_ERR_IO when the link is (or was just found)
 * down. Sending: as wire_send(), and BMS_ERR_RANGE for n that no frame holds. */
int wire_hear(struct wire *w, uint32_t now_ms, const uint8_t **uds);
int wire_say(struct wire *w, const uint8_t *uds, size_t n);

void wire_close(struct wire *w);

#endif
