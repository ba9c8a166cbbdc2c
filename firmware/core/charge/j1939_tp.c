/* SPDX-License-Identifier: Apache-2.0 */
#include "firmware/core/charge/j1939_tp.h"

#include <string.h>

#include "common/bytes.h"
#include "common/err.h"

enum { CM_RTS = 0x10, CM_CTS = 0x11, CM_EOMA = 0x13, CM_BAM = 0x20, CM_ABORT = 0xFF };
enum { DT_BYTES = 7, FRAME = 8, PRIORITY = 7, FILL = 0xFF };
enum { TX_IDLE, TX_START, TX_WAIT, TX_DATA };
enum { RX_IDLE, RX_DATA, RX_BROADCAST, RX_COMPLETE };

static uint32_t get_le24(const uint8_t *p)
{
    return (uint32_t)p[0] | (uint32_t)p[1] << 8 | (uint32_t)p[2] << 16;
}

static uint8_t packets_of(size_t n)
{
    return (uint8_t)((n + DT_BYTES - 1) / DT_BYTES);
}

int j1939_tp_init(struct j1939_tp *tp, const struct j1939_tp_config *cfg)
{
    if (cfg->tx_size > J1939_TP_MAX || cfg->rx_size > J1939_TP_MAX)
        return BMS_ERR_RANGE;
    *tp = (struct j1939_tp) { .cfg = *cfg };
    return BMS_ERR_OK;
}

void j1939_tp_reset(struct j1939_tp *tp)
{
    tp->tx_state = TX_IDLE;
    tp->rx_state = RX_IDLE;
    tp->say = 0;
}

int j1939_tp_send(struct j1939_tp *tp, uint32_t pgn, const uint8_t *data, size_t n, uint32_t now_ms)
{
    if (tp->tx_state != TX_IDLE)
        return BMS_ERR_STATE;
    if (n < J1939_TP_MIN || n > tp->cfg.tx_size)
        return BMS_ERR_RANGE;
    memcpy(tp->cfg.tx_buf, data, n);
    tp->tx_len = n;
    tp->tx_pgn = pgn;
    tp->tx_mark_ms = now_ms;
    tp->tx_held = false;
    tp->tx_state = TX_START;
    return BMS_ERR_OK;
}

bool j1939_tp_is_sending(const struct j1939_tp *tp)
{
    return tp->tx_state != TX_IDLE;
}

/* Say that a transfer ends here. One word at a time: an abort goes before any answer of the receiver. */
static void abort_transfer(struct j1939_tp *tp, uint32_t pgn, enum j1939_tp_abort reason)
{
    tp->say = CM_ABORT;
    tp->abort_reason = (uint8_t)reason;
    tp->abort_pgn = pgn;
}

static void stop_sending(struct j1939_tp *tp, enum j1939_tp_abort reason)
{
    abort_transfer(tp, tp->tx_pgn, reason);
    tp->tx_state = TX_IDLE;
}

static void stop_receiving(struct j1939_tp *tp, enum j1939_tp_abort reason)
{
    if (tp->rx_state == RX_DATA)
        abort_transfer(tp, tp->rx_pgn, reason);
    tp->rx_state = RX_IDLE;
}

/* In time at exactly the limit. */
static void run_timers(struct j1939_tp *tp, uint32_t now_ms)
{
    uint32_t limit_ms = tp->tx_held ? J1939_T4_MS : J1939_T3_MS;

    if (tp->tx_state == TX_WAIT && now_ms - tp->tx_mark_ms > limit_ms) {
        tp->counts.timeouts++;
        stop_sending(tp, J1939_ABORT_TIMEOUT);
    }
    if ((tp->rx_state == RX_DATA || tp->rx_state == RX_BROADCAST) && now_ms - tp->rx_mark_ms > tp->rx_limit_ms) {
        tp->counts.timeouts++;
        stop_receiving(tp, J1939_ABORT_TIMEOUT);
    }
}

/* --- receiver --- */

static void ask_for_block(struct j1939_tp *tp)
{
    unsigned end = tp->rx_next + tp->rx_block - 1u;

    tp->rx_block_end = end > tp->rx_packets ? tp->rx_packets : (uint8_t)end;
    tp->rx_limit_ms = J1939_T2_MS;
    tp->say = CM_CTS;
}

/* RTS or BAM: whatever was half received is given up, for the peer has. */
static void on_announce(struct j1939_tp *tp, const struct can_frame *f, uint32_t now_ms, bool broadcast)
{
    size_t n = get_le16(f->data + 1);
    uint32_t pgn = get_le24(f->data + 5);

    if (n < J1939_TP_MIN || n > J1939_TP_MAX || f->data[3] != packets_of(n) || (!broadcast && f->data[4] == 0)) {
        tp->counts.malformed++;
        tp->rx_state = RX_IDLE;
        if (!broadcast)
            abort_transfer(tp, pgn, J1939_ABORT_SIZE);
        return;
    }
    if (n > tp->cfg.rx_size) {
        tp->counts.aborts++;
        tp->rx_state = RX_IDLE;
        if (!broadcast)
            abort_transfer(tp, pgn, J1939_ABORT_RESOURCES);
        return;
    }
    tp->rx_len = n;
    tp->rx_pgn = pgn;
    tp->rx_packets = f->data[3];
    tp->rx_next = 1;
    tp->rx_block = broadcast ? tp->rx_packets : f->data[4];
    tp->rx_mark_ms = now_ms;
    tp->rx_state = broadcast ? RX_BROADCAST : RX_DATA;
    if (broadcast)
        tp->rx_limit_ms = J1939_T1_MS;
    else
        ask_for_block(tp);
}

static void on_data(struct j1939_tp *tp, const struct can_frame *f, uint32_t now_ms)
{
    bool listening = tp->cfg.listen || tp->rx_state == RX_BROADCAST;

    if ((tp->rx_state != RX_DATA && tp->rx_state != RX_BROADCAST) || f->len != FRAME) {
        tp->counts.malformed++;
        return;
    }
    if (tp->rx_next > 1 && f->data[0] == tp->rx_next - 1) /* the same once more */
        return;
    if (f->data[0] != tp->rx_next) {
        tp->counts.sequence_errors++;
        stop_receiving(tp, J1939_ABORT_SEQUENCE);
        return;
    }
    size_t at = (size_t)(tp->rx_next - 1) * DT_BYTES;
    size_t n = tp->rx_len - at < DT_BYTES ? tp->rx_len - at : DT_BYTES;

    memcpy(tp->cfg.rx_buf + at, f->data + 1, n);
    tp->rx_mark_ms = now_ms;
    tp->rx_limit_ms = J1939_T1_MS;
    if (tp->rx_next == tp->rx_packets) {
        if (tp->rx_state == RX_DATA)
            tp->say = CM_EOMA;
        tp->rx_state = RX_COMPLETE;
        tp->counts.received++;
        return;
    }
    if (tp->rx_next++ == tp->rx_block_end && !listening)
        ask_for_block(tp);
}

/* --- transmitter --- */

static void on_clear_to_send(struct j1939_tp *tp, const struct can_frame *f, uint32_t now_ms)
{
    unsigned count = f->data[1], next = f->data[2], packets = packets_of(tp->tx_len);

    if (tp->tx_state != TX_WAIT || get_le24(f->data + 5) != tp->tx_pgn) {
        tp->counts.malformed++;
        return;
    }
    if (count == 0) { /* "wait": the peer says so again at least each Th; every wait has an end */
        if (!tp->tx_held)
            tp->tx_held_ms = now_ms;
        tp->tx_held = true;
        tp->tx_mark_ms = now_ms;
        if (now_ms - tp->tx_held_ms > J1939_HOLD_MS) {
            tp->counts.timeouts++;
            stop_sending(tp, J1939_ABORT_TIMEOUT);
        }
        return;
    }
    if (next == 0 || next + count - 1 > packets) {
        tp->counts.malformed++;
        stop_sending(tp, J1939_ABORT_SEQUENCE);
        return;
    }
    tp->tx_held = false;
    tp->tx_next = (uint8_t)next;
    tp->tx_last = (uint8_t)(next + count - 1);
    tp->tx_state = TX_DATA;
}

static void on_end(struct j1939_tp *tp, const struct can_frame *f)
{
    if (tp->tx_state != TX_WAIT || get_le24(f->data + 5) != tp->tx_pgn || get_le16(f->data + 1) != tp->tx_len) {
        tp->counts.malformed++;
        return;
    }
    tp->tx_state = TX_IDLE;
    tp->counts.sent++;
}

static void on_abort(struct j1939_tp *tp, const struct can_frame *f)
{
    uint32_t pgn = get_le24(f->data + 5);

    tp->counts.aborts++;
    if (tp->tx_state != TX_IDLE && tp->tx_state != TX_START && pgn == tp->tx_pgn)
        tp->tx_state = TX_IDLE;
    if (tp->rx_state == RX_DATA && pgn == tp->rx_pgn)
        tp->rx_state = RX_IDLE;
}

static void on_control(struct j1939_tp *tp, const struct can_frame *f, uint32_t now_ms, bool broadcast)
{
    if (f->len != FRAME || broadcast != (f->data[0] == CM_BAM)) {
        tp->counts.malformed++;
        return;
    }
    switch (f->data[0]) {
    case CM_RTS:
    case CM_BAM:
        on_announce(tp, f, now_ms, broadcast);
        break;
    case CM_CTS:
        on_clear_to_send(tp, f, now_ms);
        break;
    case CM_EOMA:
        on_end(tp, f);
        break;
    case CM_ABORT:
        on_abort(tp, f);
        break;
    default:
        tp->counts.malformed++;
        break;
    }
}

bool j1939_tp_receive(struct j1939_tp *tp, const struct can_frame *f, uint32_t now_ms)
{
    uint8_t pf = (uint8_t)(f->id >> 16), to = (uint8_t)(f->id >> 8);

    if (!f->ext || f->id >> 24 & 3u || (uint8_t)f->id != tp->cfg.peer || (to != tp->cfg.own && to != J1939_ALL))
        return false;
    if (pf != J1939_TP_CM && pf != J1939_TP_DT)
        return false;
    run_timers(tp, now_ms);
    if (pf == J1939_TP_CM)
        on_control(tp, f, now_ms, to == J1939_ALL);
    else if ((to == J1939_ALL) == (tp->rx_state == RX_BROADCAST))
        on_data(tp, f, now_ms);
    return true;
}

/* --- out --- */

static struct can_frame frame_of(const struct j1939_tp *tp, uint8_t pf)
{
    struct can_frame f = { .id = (uint32_t)PRIORITY << 26 | (uint32_t)pf << 16 | (uint32_t)tp->cfg.peer << 8 | tp->cfg.own,
                           .ext = true,
                           .len = FRAME };

    memset(f.data, FILL, sizeof(f.data));
    return f;
}

static void put_pgn(struct can_frame *f, uint32_t pgn)
{
    f->data[5] = (uint8_t)pgn;
    f->data[6] = (uint8_t)(pgn >> 8);
    f->data[7] = (uint8_t)(pgn >> 16);
}

static void give_word(struct j1939_tp *tp, uint32_t now_ms, struct can_frame *out)
{
    *out = frame_of(tp, J1939_TP_CM);
    out->data[0] = tp->say;
    put_pgn(out, tp->say == CM_ABORT ? tp->abort_pgn : tp->rx_pgn);
    if (tp->say == CM_ABORT)
        out->data[1] = tp->abort_reason;
    if (tp->say == CM_CTS) {
        out->data[1] = (uint8_t)(tp->rx_block_end - tp->rx_next + 1);
        out->data[2] = tp->rx_next;
        tp->rx_mark_ms = now_ms;
    }
    if (tp->say == CM_EOMA) {
        put_le16(out->data + 1, (uint16_t)tp->rx_len);
        out->data[3] = tp->rx_packets;
    }
    tp->say = 0;
}

static void give_announce(struct j1939_tp *tp, uint32_t now_ms, struct can_frame *out)
{
    *out = frame_of(tp, J1939_TP_CM);
    out->data[0] = CM_RTS;
    put_le16(out->data + 1, (uint16_t)tp->tx_len);
    out->data[3] = packets_of(tp->tx_len);
    put_pgn(out, tp->tx_pgn);
    tp->tx_mark_ms = now_ms;
    tp->tx_state = TX_WAIT;
}

static void give_data(struct j1939_tp *tp, uint32_t now_ms, struct can_frame *out)
{
    size_t at = (size_t)(tp->tx_next - 1) * DT_BYTES;
    size_t n = tp->tx_len - at < DT_BYTES ? tp->tx_len - at : DT_BYTES;

    *out = frame_of(tp, J1939_TP_DT);
    out->data[0] = tp->tx_next;
    memcpy(out->data + 1, tp->cfg.tx_buf + at, n);
    tp->tx_mark_ms = now_ms;
    if (tp->tx_next++ == tp->tx_last)
        tp->tx_state = TX_WAIT;
}

int j1939_tp_poll(struct j1939_tp *tp, uint32_t now_ms, struct can_frame *out)
{
    run_timers(tp, now_ms);
    if (tp->cfg.listen)
        tp->say = 0;
    if (tp->say)
        give_word(tp, now_ms, out);
    else if (tp->tx_state == TX_START)
        give_announce(tp, now_ms, out);
    else if (tp->tx_state == TX_DATA)
        give_data(tp, now_ms, out);
    else
        return 0;
    return 1;
}

size_t j1939_tp_take(struct j1939_tp *tp, uint32_t *pgn, const uint8_t **data)
{
    if (tp->rx_state != RX_COMPLETE)
        return 0;
    tp->rx_state = RX_IDLE;
    *pgn = tp->rx_pgn;
    *data = tp->cfg.rx_buf;
    return tp->rx_len;
}
