/* SPDX-License-Identifier: Apache-2.0 */
/* j1939_tp.h -- SAE J1939-21 transport between two addresses: 9 to 1,785 bytes each way by RTS, CTS and DT, and what a peer broadcasts (BAM).
 *
 * Pure: frames in, frames out, time is data. One message each way at a time; the caller owns both buffers. It does not send broadcasts.
 *
 *   received frame ──> j1939_tp_receive()          j1939_tp_poll() ──> frame to send, at most one a call
 *   message bytes  ──> j1939_tp_send()             j1939_tp_take() ──> a whole received message, once
 *
 * A listener (cfg.listen) never sends: it puts together what `peer` sends to `own` while somebody else answers. That is how a log is read.
 */
#ifndef FIRMWARE_CHARGE_J1939_TP_H
#define FIRMWARE_CHARGE_J1939_TP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/can.h"

enum { J1939_TP_MIN = 9, J1939_TP_MAX = 1785, J1939_TP_CM = 0xEC, J1939_TP_DT = 0xEB, J1939_ALL = 0xFF };

enum j1939_tp_timer_ms { J1939_T1_MS = 750, J1939_T2_MS = 1250, J1939_T3_MS = 1250, J1939_T4_MS = 1050, J1939_HOLD_MS = 5000 };

enum j1939_tp_abort { /* SAE J1939-21 table 7 */
                      J1939_ABORT_BUSY = 1,
                      J1939_ABORT_RESOURCES = 2,
                      J1939_ABORT_TIMEOUT = 3,
                      J1939_ABORT_SEQUENCE = 7,
                      J1939_ABORT_SIZE = 9,
};

struct j1939_tp_config {
    uint8_t own, peer; /* source addresses */
    bool listen;       /* never send */
    uint8_t *tx_buf, *rx_buf;
    size_t tx_size, rx_size; /* <= J1939_TP_MAX; a longer message from the peer is aborted with "resources" */
};

struct j1939_tp_counts { /* since init */
    uint32_t received, sent, sequence_errors, timeouts, aborts, malformed;
};

struct j1939_tp { /* fields private but for `counts` */
    struct j1939_tp_config cfg;
    struct j1939_tp_counts counts;
    /* transmitter */
    size_t tx_len;
    uint32_t tx_pgn, tx_mark_ms, tx_held_ms; /* held: when the peer first said "wait" */
    uint8_t tx_state, tx_next, tx_last;      /* packet numbers of the block that may go out */
    bool tx_held;
    /* receiver */
    size_t rx_len;
    uint32_t rx_pgn, rx_mark_ms, rx_limit_ms;
    uint8_t rx_state, rx_next, rx_packets, rx_block, rx_block_end;
    /* what is to be said about the receiver's part; 0 = nothing, else the control byte */
    uint8_t say, abort_reason;
    uint32_t abort_pgn;
};

/* Returns 0, or BMS_ERR_RANGE for a buffer over J1939_TP_MAX. The buffers are borrowed; a listener needs no tx_buf. */
int j1939_tp_init(struct j1939_tp *tp, const struct j1939_tp_config *cfg);

/* Queue one message. Returns 0, BMS_ERR_STATE while one is on its way, BMS_ERR_RANGE for n outside 9 to tx_size. */
int j1939_tp_send(struct j1939_tp *tp, uint32_t pgn, const uint8_t *data, size_t n, uint32_t now_ms);
bool j1939_tp_is_sending(const struct j1939_tp *tp);

/* Hand in one frame from the bus. False: it is not a transport frame from the peer to us. */
bool j1939_tp_receive(struct j1939_tp *tp, const struct can_frame *f, uint32_t now_ms);

/* Run the timers and give the next frame to send. Returns 1 with *out filled, or 0. Call until 0, every 10 ms. */
int j1939_tp_poll(struct j1939_tp *tp, uint32_t now_ms, struct can_frame *out);

/* A complete message: its length, *pgn and *data (valid until the next j1939_tp_receive()), or 0. */
size_t j1939_tp_take(struct j1939_tp *tp, uint32_t *pgn, const uint8_t **data);

/* Forget what is under way, silently; counts stay. */
void j1939_tp_reset(struct j1939_tp *tp);

#endif
