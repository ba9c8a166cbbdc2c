/* SPDX-License-Identifier: Apache-2.0 */
/* uds_client.h -- the DTU as tester of the board: one request at a time over ISO-TP, and every request ends.
 *
 *   uds_ask() ──> frames out ... frames in ──> uds_client_step() says OK, REFUSED or SILENT once, then the channel is free again
 *
 * P2 is 1,000 ms; after "response pending" (NRC 0x78) P2* of 5,000 ms, at most UDS_PENDINGS times. An answer that does not belong to the
 * request (a late one to an earlier request) is dropped: service, and sub-function, identifier or block number must be the same.
 *
 * Over a line that carries whole messages (RS485) there is no ISO-TP: uds_client_init_whole(), then uds_client_take() and uds_client_hear() in the
 * place of uds_client_output() and uds_client_feed().
 */
#ifndef DTU_CORE_UDS_CLIENT_H
#define DTU_CORE_UDS_CLIENT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/isotp.h"
#include "proto/uds.h"

enum {
    UDS_P2_MS = 1000,
    UDS_P2_STAR_MS = 5000,
    UDS_PENDINGS = 20,
    UDS_REQUEST_MAX = 1 + 2 * UDS_DIDS_MAX,
    UDS_ANSWER_MAX = 1 + 6 * UDS_DIDS_MAX
};

enum uds_outcome { UDS_IDLE, UDS_BUSY, UDS_OK, UDS_REFUSED, UDS_SILENT };

struct uds_client { /* allocated by the caller, fields private but for those marked */
    struct isotp tp;
    bool whole;       /* messages, not frames */
    uint8_t *request; /* whole: the caller's tx */
    size_t request_size, request_n;
    const uint8_t *heard; /* whole: an answer that was not looked at yet */
    size_t heard_n;
    bool busy;
    uint32_t since_ms, wait_ms;
    unsigned pendings;
    uint8_t head[4]; /* first bytes of the request */
    size_t head_n;
    const uint8_t *answer; /* read it after UDS_OK: the positive answer, until the next frame comes */
    size_t answer_n;
    uint8_t nrc; /* read it after UDS_REFUSED */
    uint32_t late;
    uint8_t rx[UDS_ANSWER_MAX], tx[UDS_REQUEST_MAX];
};

void uds_client_init(struct uds_client *c);

/* The same with longer messages than the parameters need (a program for the board): buffers of the caller, which must outlive `c`, each at most
 * ISOTP_MAX bytes. */
void uds_client_init_with(struct uds_client *c, uint8_t *tx, size_t tx_size, uint8_t *rx, size_t rx_size);

/* The same over a line of whole messages: tx[tx_size] of the caller, which must outlive `c`. */
void uds_client_init_whole(struct uds_client *c, uint8_t *tx, size_t tx_size);

/* Send request[n]. 0, BMS_ERR_STATE while one is out, BMS_ERR_RANGE for n over UDS_REQUEST_MAX (or the caller's tx_size). */
int uds_ask(struct uds_client *c, const uint8_t *request, size_t n, uint32_t now_ms);

/* A frame from the bus; true when it was one of this channel. */
bool uds_client_feed(struct uds_client *c, const struct can_frame *f, uint32_t now_ms);

/* After each fed frame and at least every 10 ms. The final outcomes come once. */
enum uds_outcome uds_client_step(struct uds_client *c, uint32_t now_ms);

/* Whole messages. The request that is to be sent, once: its length and *request, 0 when there is none. An answer that came: answer[n] must stay
 * until uds_client_step() was called and what it says is used. */
size_t uds_client_take(struct uds_client *c, const uint8_t **request);
void uds_client_hear(struct uds_client *c, const uint8_t *answer, size_t n);

/* 1 with a frame for the bus, 0 when there is none now. */
int uds_client_output(struct uds_client *c, uint32_t now_ms, struct can_frame *out);

#endif
