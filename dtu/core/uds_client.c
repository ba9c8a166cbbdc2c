/* SPDX-License-Identifier: Apache-2.0 */
#include "dtu/core/uds_client.h"

#include <string.h>

#include "common/err.h"
#include "proto/can0.h"

enum { POSITIVE = 0x40, NEGATIVE_LEN = 3, TRANSFER_DATA = 0x36 };

void uds_client_init_with(struct uds_client *c, uint8_t *tx, size_t tx_size, uint8_t *rx, size_t rx_size)
{
    memset(c, 0, sizeof(*c));
    struct isotp_config cfg = {
        .tx_id = CAN0_ISOTP_TO_BIU, .rx_id = CAN0_ISOTP_FROM_BIU, .tx_buf = tx, .tx_size = tx_size, .rx_buf = rx, .rx_size = rx_size
    };

    isotp_init(&c->tp, &cfg);
}

void uds_client_init(struct uds_client *c)
{
    uds_client_init_with(c, c->tx, sizeof(c->tx), c->rx, sizeof(c->rx));
}

void uds_client_init_whole(struct uds_client *c, uint8_t *tx, size_t tx_size)
{
    memset(c, 0, sizeof(*c));
    c->whole = true;
    c->request = tx;
    c->request_size = tx_size;
}

static int send_whole(struct uds_client *c, const uint8_t *request, size_t n)
{
    if (n == 0 || n > c->request_size)
        return BMS_ERR_RANGE;
    memcpy(c->request, request, n);
    c->request_n = n;
    return BMS_ERR_OK;
}

size_t uds_client_take(struct uds_client *c, const uint8_t **request)
{
    size_t n = c->request_n;

    *request = c->request;
    c->request_n = 0;
    return n;
}

void uds_client_hear(struct uds_client *c, const uint8_t *answer, size_t n)
{
    c->heard = answer;
    c->heard_n = n;
}

/* The message that came in, once: its length. */
static size_t take_message(struct uds_client *c, const uint8_t **in)
{
    if (!c->whole)
        return isotp_take(&c->tp, in);
    size_t n = c->heard_n;

    *in = c->heard;
    c->heard_n = 0;
    return n;
}

int uds_ask(struct uds_client *c, const uint8_t *request, size_t n, uint32_t now_ms)
{
    if (c->busy)
        return BMS_ERR_STATE;
    int err = c->whole ? send_whole(c, request, n) : isotp_send(&c->tp, request, n, now_ms);

    if (err)
        return err;
    c->busy = true;
    c->since_ms = now_ms;
    c->wait_ms = UDS_P2_MS;
    c->pendings = 0;
    c->head_n = n < sizeof(c->head) ? n : sizeof(c->head);
    memcpy(c->head, request, c->head_n);
    return BMS_ERR_OK;
}

bool uds_client_feed(struct uds_client *c, const struct can_frame *f, uint32_t now_ms)
{
    return !c->whole && isotp_receive(&c->tp, f, now_ms);
}

/* How many bytes behind the service an answer repeats. */
static size_t echo_of(uint8_t service)
{
    switch (service) {
    case UDS_READ_DATA:
    case UDS_WRITE_DATA:
        return 2;
    case UDS_ROUTINE:
        return 3;
    case UDS_SESSION:
    case UDS_ECU_RESET:
    case UDS_READ_DTC:
    case UDS_SECURITY:
    case UDS_COMMUNICATION:
    case UDS_TESTER_PRESENT:
    case UDS_DTC_SETTING:
    case TRANSFER_DATA:
        return 1;
    default:
        return 0;
    }
}

static bool is_ours(const struct uds_client *c, const uint8_t *in, size_t n)
{
    size_t echo = echo_of(c->head[0]);

    if (in[0] == UDS_NEGATIVE)
        return n == NEGATIVE_LEN && in[1] == c->head[0];
    return in[0] == (uint8_t)(c->head[0] + POSITIVE) && n > echo && c->head_n > echo && memcmp(in + 1, c->head + 1, echo) == 0;
}

static enum uds_outcome finish(struct uds_client *c, enum uds_outcome outcome)
{
    c->busy = false;
    return outcome;
}

static enum uds_outcome take(struct uds_client *c, const uint8_t *in, size_t n, uint32_t now_ms)
{
    if (!is_ours(c, in, n)) {
        c->late++;
        return UDS_BUSY;
    }
    if (in[0] != UDS_NEGATIVE) {
        c->answer = in;
        c->answer_n = n;
        return finish(c, UDS_OK);
    }
    if (in[2] != UDS_NRC_PENDING) {
        c->nrc = in[2];
        return finish(c, UDS_REFUSED);
    }
    if (++c->pendings > UDS_PENDINGS)
        return finish(c, UDS_SILENT);
    c->since_ms = now_ms;
    c->wait_ms = UDS_P2_STAR_MS;
    return UDS_BUSY;
}

enum uds_outcome uds_client_step(struct uds_client *c, uint32_t now_ms)
{
    const uint8_t *in;
    size_t n = take_message(c, &in);

    if (!c->busy) {
        c->late += n ? 1 : 0;
        return UDS_IDLE;
    }
    if (n > 0)
        return take(c, in, n, now_ms);
    if (!c->whole && c->tp.rx_state != 0) /* an answer is coming in: N_Cr of ISO-TP bounds it */
        c->since_ms = now_ms;
    return now_ms - c->since_ms > c->wait_ms ? finish(c, UDS_SILENT) : UDS_BUSY;
}

int uds_client_output(struct uds_client *c, uint32_t now_ms, struct can_frame *out)
{
    return c->whole ? 0 : isotp_poll(&c->tp, now_ms, out);
}
