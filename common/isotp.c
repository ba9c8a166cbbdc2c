/* SPDX-License-Identifier: Apache-2.0 */
#include "common/isotp.h"

#include <string.h>

#include "common/bytes.h"
#include "common/err.h"

enum { SF_MAX = 7, FF_BYTES = 6, CF_BYTES = 7, FC_LEN = 3 };
enum { PCI_SINGLE = 0, PCI_FIRST = 1, PCI_CONSECUTIVE = 2, PCI_FLOW = 3 };
enum { FLOW_CONTINUE = 0, FLOW_WAIT = 1, FLOW_OVERFLOW = 2 };
enum { TX_IDLE, TX_START, TX_WAIT_FLOW, TX_CONSECUTIVE };
enum { RX_IDLE, RX_RECEIVING, RX_COMPLETE };
enum { PADDING = 0xCC }; /* ISO 15765-2 10.4.2.1: least stuff bits */
enum { WAITS_MAX = 16 }; /* WAIT frames that one peer may send in a row: every wait has an end */
enum { STMIN_MS_MAX = 0x7F };

int isotp_init(struct isotp *tp, const struct isotp_config *cfg)
{
    if (cfg->tx_size > ISOTP_MAX || cfg->rx_size > ISOTP_MAX)
        return BMS_ERR_RANGE;
    *tp = (struct isotp) { .cfg = *cfg };
    return BMS_ERR_OK;
}

int isotp_send(struct isotp *tp, const uint8_t *data, size_t n, uint32_t now_ms)
{
    if (tp->tx_state != TX_IDLE)
        return BMS_ERR_STATE;
    if (n == 0 || n > tp->cfg.tx_size)
        return BMS_ERR_RANGE;
    if (data != tp->cfg.tx_buf)
        memcpy(tp->cfg.tx_buf, data, n);
    tp->tx_len = n;
    tp->tx_at = 0;
    tp->tx_waits = 0;
    tp->tx_st_ms = 0;
    tp->tx_mark_ms = now_ms;
    tp->tx_state = TX_START;
    return BMS_ERR_OK;
}

bool isotp_is_sending(const struct isotp *tp)
{
    return tp->tx_state != TX_IDLE;
}

/* In time at exactly ISOTP_TIMEOUT_MS. The transmitter's own gap between frames does not count against it (N_As). */
static void run_timers(struct isotp *tp, uint32_t now_ms)
{
    uint32_t gap_ms = tp->tx_state == TX_CONSECUTIVE ? tp->tx_st_ms : 0;

    if (tp->tx_state != TX_IDLE && now_ms - tp->tx_mark_ms > ISOTP_TIMEOUT_MS + gap_ms) {
        tp->tx_state = TX_IDLE;
        tp->counts.timeouts++;
    }
    if (tp->rx_state == RX_RECEIVING && now_ms - tp->rx_mark_ms > ISOTP_TIMEOUT_MS) {
        tp->rx_state = RX_IDLE;
        tp->fc_due = 0;
        tp->counts.timeouts++;
    }
}

/* A message begins: whatever was there before, half received or not yet taken, is given up (ISO 15765-2 table 23). */
static void give_up_received(struct isotp *tp)
{
    if (tp->rx_state != RX_IDLE)
        tp->counts.unexpected++;
    tp->rx_state = RX_IDLE;
    tp->fc_due = 0;
}

static void on_single(struct isotp *tp, const struct can_frame *f)
{
    size_t n = f->data[0] & 0x0Fu;

    if (n == 0 || n > SF_MAX || f->len < n + 1) {
        tp->counts.unexpected++;
        return;
    }
    give_up_received(tp);
    if (n > tp->cfg.rx_size) {
        tp->counts.overflows++;
        return;
    }
    memcpy(tp->cfg.rx_buf, f->data + 1, n);
    tp->rx_len = n;
    tp->rx_state = RX_COMPLETE;
    tp->counts.received++;
}

static void ask_for_block(struct isotp *tp)
{
    tp->rx_block_left = tp->cfg.block_size;
    tp->fc_due = FLOW_CONTINUE + 1;
}

static void on_first(struct isotp *tp, const struct can_frame *f, uint32_t now_ms)
{
    size_t n = get_be16(f->data) & 0x0FFFu;

    if (f->len < 8 || (n != 0 && n <= SF_MAX)) {
        tp->counts.unexpected++;
        return;
    }
    give_up_received(tp);
    if (n == 0 || n > tp->cfg.rx_size) { /* 0: the length follows in 32 bits, hence over 4,095 */
        tp->counts.overflows++;
        tp->fc_due = FLOW_OVERFLOW + 1;
        return;
    }
    memcpy(tp->cfg.rx_buf, f->data + 2, FF_BYTES);
    tp->rx_len = n;
    tp->rx_at = FF_BYTES;
    tp->rx_seq = 1;
    tp->rx_mark_ms = now_ms;
    tp->rx_state = RX_RECEIVING;
    ask_for_block(tp);
}

static void on_consecutive(struct isotp *tp, const struct can_frame *f, uint32_t now_ms)
{
    if (tp->rx_state != RX_RECEIVING) {
        tp->counts.unexpected++;
        return;
    }
    size_t left = tp->rx_len - tp->rx_at;
    size_t n = left < CF_BYTES ? left : CF_BYTES;

    if (f->len < n + 1) {
        tp->counts.unexpected++;
        return;
    }
    if ((f->data[0] & 0x0Fu) != tp->rx_seq) {
        tp->rx_state = RX_IDLE;
        tp->fc_due = 0;
        tp->counts.sequence_errors++;
        return;
    }
    memcpy(tp->cfg.rx_buf + tp->rx_at, f->data + 1, n);
    tp->rx_at += n;
    tp->rx_seq = (tp->rx_seq + 1) & 0x0Fu;
    tp->rx_mark_ms = now_ms;
    if (tp->rx_at == tp->rx_len) {
        tp->rx_state = RX_COMPLETE;
        tp->counts.received++;
    } else if (tp->cfg.block_size && --tp->rx_block_left == 0) {
        ask_for_block(tp);
    }
}

/* ISO 15765-2 table 20: 00 to 7F ms, F1 to F9 100 to 900 us (one tick here), all others the longest. */
static uint8_t st_min_ms(uint8_t code)
{
    if (code >= 0xF1u && code <= 0xF9u)
        return 1;
    return code <= STMIN_MS_MAX ? code : STMIN_MS_MAX;
}

static void on_continue(struct isotp *tp, const struct can_frame *f, uint32_t now_ms)
{
    tp->tx_block_left = f->data[1];
    tp->tx_unlimited = f->data[1] == 0;
    tp->tx_st_ms = st_min_ms(f->data[2]);
    tp->tx_waits = 0;
    tp->tx_mark_ms = now_ms - tp->tx_st_ms; /* the first frame of a block may follow at once */
    tp->tx_state = TX_CONSECUTIVE;
}

static void on_flow(struct isotp *tp, const struct can_frame *f, uint32_t now_ms)
{
    if (tp->tx_state != TX_WAIT_FLOW || f->len < FC_LEN) {
        tp->counts.unexpected++;
        return;
    }
    switch (f->data[0] & 0x0Fu) {
    case FLOW_CONTINUE:
        on_continue(tp, f, now_ms);
        break;
    case FLOW_WAIT:
        tp->tx_mark_ms = now_ms;
        if (++tp->tx_waits > WAITS_MAX) {
            tp->tx_state = TX_IDLE;
            tp->counts.timeouts++;
        }
        break;
    case FLOW_OVERFLOW:
        tp->tx_state = TX_IDLE;
        tp->counts.overflows++;
        break;
    default: /* N_INVALID_FS */
        tp->tx_state = TX_IDLE;
        tp->counts.unexpected++;
        break;
    }
}

bool isotp_receive(struct isotp *tp, const struct can_frame *f, uint32_t now_ms)
{
    if (!f->ext || f->id != tp->cfg.rx_id)
        return false;
    run_timers(tp, now_ms);
    switch (f->len ? f->data[0] >> 4 : -1) {
    case PCI_SINGLE:
        on_single(tp, f);
        break;
    case PCI_FIRST:
        on_first(tp, f, now_ms);
        break;
    case PCI_CONSECUTIVE:
        on_consecutive(tp, f, now_ms);
        break;
    case PCI_FLOW:
        on_flow(tp, f, now_ms);
        break;
    default:
        tp->counts.unexpected++;
        break;
    }
    return true;
}

static struct can_frame padded(const struct isotp *tp)
{
    struct can_frame f = { .id = tp->cfg.tx_id, .ext = true, .len = 8 };

    memset(f.data, PADDING, sizeof(f.data));
    return f;
}

static void give_flow(struct isotp *tp, uint32_t now_ms, struct can_frame *out)
{
    *out = padded(tp);
    out->data[0] = (uint8_t)(PCI_FLOW << 4 | (tp->fc_due - 1));
    out->data[1] = tp->cfg.block_size;
    out->data[2] = tp->cfg.st_min;
    tp->fc_due = 0;
    tp->rx_mark_ms = now_ms;
}

static void give_start(struct isotp *tp, uint32_t now_ms, struct can_frame *out)
{
    *out = padded(tp);
    if (tp->tx_len <= SF_MAX) {
        out->data[0] = (uint8_t)tp->tx_len;
        memcpy(out->data + 1, tp->cfg.tx_buf, tp->tx_len);
        tp->tx_state = TX_IDLE;
        tp->counts.sent++;
        return;
    }
    put_be16(out->data, (uint16_t)(PCI_FIRST << 12 | tp->tx_len));
    memcpy(out->data + 2, tp->cfg.tx_buf, FF_BYTES);
    tp->tx_at = FF_BYTES;
    tp->tx_seq = 1;
    tp->tx_mark_ms = now_ms;
    tp->tx_state = TX_WAIT_FLOW;
}

static void give_consecutive(struct isotp *tp, uint32_t now_ms, struct can_frame *out)
{
    size_t left = tp->tx_len - tp->tx_at;
    size_t n = left < CF_BYTES ? left : CF_BYTES;

    *out = padded(tp);
    out->data[0] = (uint8_t)(PCI_CONSECUTIVE << 4 | tp->tx_seq);
    memcpy(out->data + 1, tp->cfg.tx_buf + tp->tx_at, n);
    tp->tx_at += n;
    tp->tx_seq = (tp->tx_seq + 1) & 0x0Fu;
    tp->tx_mark_ms = now_ms;
    if (tp->tx_at == tp->tx_len) {
        tp->tx_state = TX_IDLE;
        tp->counts.sent++;
    } else if (!tp->tx_unlimited && --tp->tx_block_left == 0) {
        tp->tx_state = TX_WAIT_FLOW;
    }
}

int isotp_poll(struct isotp *tp, uint32_t now_ms, struct can_frame *out)
{
    run_timers(tp, now_ms);
    if (tp->fc_due) {
        give_flow(tp, now_ms, out);
        return 1;
    }
    if (tp->tx_state == TX_START) {
        give_start(tp, now_ms, out);
        return 1;
    }
    if (tp->tx_state == TX_CONSECUTIVE && now_ms - tp->tx_mark_ms >= tp->tx_st_ms) {
        give_consecutive(tp, now_ms, out);
        return 1;
    }
    return 0;
}

size_t isotp_take(struct isotp *tp, const uint8_t **data)
{
    if (tp->rx_state != RX_COMPLETE)
        return 0;
    tp->rx_state = RX_IDLE;
    *data = tp->cfg.rx_buf;
    return tp->rx_len;
}
