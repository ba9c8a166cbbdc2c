/* SPDX-License-Identifier: Apache-2.0 */
/* isotp.h -- ISO 15765-2 transport of one pair of identifiers: up to 4,095 bytes each way, normal addressing, classical CAN.
 *
 * Pure: frames in, frames out, time is data. One message each way at a time. The caller owns both buffers.
 * Timers N_As, N_Bs, N_Cr of 1,000 ms (ISO 15765-2 table 21 defaults); STmin and block size of the peer are obeyed.
 *
 *   received frame ──> isotp_receive()          isotp_poll() ──> frame to send, at most one a call
 *   request bytes  ──> isotp_send()             isotp_take() ──> a whole received message, once
 */
#ifndef COMMON_ISOTP_H
#define COMMON_ISOTP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/can.h"

enum { ISOTP_MAX = 4095, ISOTP_TIMEOUT_MS = 1000 };

struct isotp_config {
    uint32_t tx_id;     /* 29-bit */
    uint32_t rx_id;     /* 29-bit */
    uint8_t block_size; /* asked of the peer; 0 = all */
    uint8_t st_min;     /* asked of the peer, coded as in ISO 15765-2 9.6.5.4 */
    uint8_t *tx_buf;
    size_t tx_size; /* <= ISOTP_MAX */
    uint8_t *rx_buf;
    size_t rx_size; /* <= ISOTP_MAX; a longer message is answered with overflow (FS 2) */
};

struct isotp_counts { /* since init; for the diagnosis, never reset */
    uint32_t received, sent, sequence_errors, timeouts, overflows, unexpected;
};

struct isotp {
    struct isotp_config cfg;
    struct isotp_counts counts;
    /* transmitter */
    size_t tx_len, tx_at;
    uint32_t tx_mark_ms; /* last frame sent, or when waiting for flow control began */
    uint8_t tx_state, tx_seq, tx_block_left, tx_st_ms, tx_waits;
    bool tx_unlimited;
    /* receiver */
    size_t rx_len, rx_at;
    uint32_t rx_mark_ms;
    uint8_t rx_state, rx_seq, rx_block_left, fc_due; /* fc_due: flow status to send + 1, 0 = none */
};

/* Buffers are borrowed and must outlive `tp`. Returns 0, or BMS_ERR_RANGE for a buffer over ISOTP_MAX. */
int isotp_init(struct isotp *tp, const struct isotp_config *cfg);

/* Queue one message; `data` may be tx_buf itself. Returns 0, BMS_ERR_STATE while one is on its way, BMS_ERR_RANGE for n == 0 or n > tx_size. */
int isotp_send(struct isotp *tp, const uint8_t *data, size_t n, uint32_t now_ms);
bool isotp_is_sending(const struct isotp *tp);

/* Hand in one frame from the bus; frames with another identifier are ignored (returns false). */
bool isotp_receive(struct isotp *tp, const struct can_frame *f, uint32_t now_ms);

/* Run the timers and give the next frame to send. Returns 1 with *out filled, or 0. Call until 0, at least every 10 ms. */
int isotp_poll(struct isotp *tp, uint32_t now_ms, struct can_frame *out);

/* A complete message: returns its length and *data (valid until the next isotp_receive()), or 0. */
size_t isotp_take(struct isotp *tp, const uint8_t **data);

#endif
