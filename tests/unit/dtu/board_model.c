/* SPDX-License-Identifier: Apache-2.0 */
#include "board_model.h"

#include <string.h>

#include "common/bytes.h"
#include "common/err.h"
#include "proto/can0.h"
#include "proto/uds.h"

struct sample board_sample(uint32_t boot, uint32_t no, uint8_t cells, uint8_t temps)
{
    struct sample s = {
        .utc_ms = 1700000000000u + boot * 1000000000ull + no * 1000ull, .boot = boot, .no = no, .cells = cells, .temps = temps
    };

    for (unsigned i = 0; i < CAN0_SIGNALS; i++) {
        const struct can0_signal_row *r = &can0_signals[i];

        if (r->scalar >= 0)
            s.scalar[r->scalar] =
                r->kind == 'B' ? (int32_t)((no + i) & 0xF) : r->min + (int32_t)((no * 7 + i) % (uint32_t)(r->max - r->min + 1));
    }
    s.scalar[SAMPLE_mode] = PACK_MODE_DRIVING;
    s.scalar[SAMPLE_self_check] = 0;
    for (unsigned c = 0; c < cells; c++)
        s.cell_mV[c] = (uint16_t)(3000 + (no * 13 + c) % 1000);
    for (unsigned t = 0; t < temps; t++)
        s.temp_ddegC[t] = (int16_t)(200 + (int)((no + t) % 50));
    for (unsigned k = 0; k < (cells + 15u) / 16; k++)
        s.balancing[k] = (uint16_t)(no + k);
    return s;
}

static size_t add_array(enum can0_array which, unsigned n, const uint64_t *raw, struct can_frame *out)
{
    const struct can0_array_row *r = &can0_arrays[which];
    size_t frames = 0;

    for (unsigned k = 0; k < n; k++) {
        if (k % r->per_message == 0)
            out[frames++] = can0_begin(r->first_number + k / r->per_message, CAN0_ADDR_BIU);
        can0_put_raw(&out[frames - 1], 16 + k % r->per_message * r->bits, r->bits, raw[k]);
    }
    return frames;
}

static size_t add_arrays(const struct sample *s, struct can_frame *out)
{
    uint64_t raw[PACK_CELLS_MAX];
    size_t n = 0;

    for (unsigned c = 0; c < s->cells; c++)
        raw[c] = s->cell_mV[c];
    n += add_array(CAN0_ARR_BIU_CellVoltage, s->cells, raw, out + n);
    for (unsigned t = 0; t < s->temps; t++)
        raw[t] = (uint16_t)s->temp_ddegC[t];
    n += add_array(CAN0_ARR_BIU_Temperature, s->temps, raw, out + n);
    for (unsigned k = 0; k < (s->cells + 15u) / 16; k++)
        raw[k] = s->balancing[k];
    n += add_array(CAN0_ARR_BIU_Balancing, (s->cells + 15u) / 16, raw, out + n);
    for (unsigned k = 0; k < s->alarms; k++)
        raw[k] = sample_alarm_pack(&s->alarm[k]);
    return n + add_array(CAN0_ARR_BIU_ActiveAlarm, s->alarms, raw, out + n);
}

/* The scalars of the messages `first` to `last`. */
static size_t add_scalars(const struct sample *s, unsigned first, unsigned last, struct can_frame *out)
{
    size_t n = 0;

    for (unsigned m = 0; m < CAN0_MESSAGES; m++) {
        if (!can0_messages[m].stream || can0_messages[m].number < first || can0_messages[m].number > last)
            continue;
        out[n] = can0_begin(can0_messages[m].number, CAN0_ADDR_BIU);
        for (unsigned i = 0; i < CAN0_SIGNALS; i++)
            if (can0_signals[i].message == can0_messages[m].number && can0_signals[i].scalar >= 0)
                can0_put(&out[n], (enum can0_signal)i, s->scalar[can0_signals[i].scalar]);
        n++;
    }
    return n;
}

size_t board_frames(const struct sample *s, struct can_frame out[BOARD_FRAMES_MAX])
{
    size_t n = add_scalars(s, 0, CAN0_BIU_SampleTime - 1, out);

    n += add_arrays(s, out + n);
    out[n] = can0_begin(CAN0_BIU_SampleTime, CAN0_ADDR_BIU);
    can0_put_raw(&out[n++], 16, 48, s->utc_ms);
    out[n] = can0_begin(CAN0_BIU_SampleBoot, CAN0_ADDR_BIU);
    can0_put_raw(&out[n++], 16, 48, s->boot | (uint64_t)s->cells << 32 | (uint64_t)s->temps << 40);
    n += add_scalars(s, CAN0_BIU_SampleBoot + 1, CAN0_BIU_SampleEnd - 1, out + n);
    out[n] = can0_begin(CAN0_BIU_SampleEnd, CAN0_ADDR_BIU);
    can0_put_raw(&out[n], 16, 48, s->no | (uint64_t)s->alarms << 32 | (uint64_t)((n + 1) & 0xFF) << 40);
    n++;
    for (size_t i = 0; i < n; i++)
        can0_finish(&out[i], (uint8_t)s->no);
    return n;
}

void board_init(struct board *b, uint32_t boot, uint32_t ring, uint8_t cells, uint8_t temps)
{
    memset(b, 0, sizeof(*b));
    b->boot = boot;
    b->cursor = 1;
    b->ring = ring;
    b->cells = cells;
    b->temps = temps;
    for (unsigned i = 0; i < PARAMS; i++)
        b->running[i] = b->stored[i] = param_rows[i].dflt[CHEMISTRY_NMC];
    struct isotp_config cfg = { .tx_id = CAN0_ISOTP_FROM_BIU,
                                .rx_id = CAN0_ISOTP_TO_BIU,
                                .tx_buf = b->tx,
                                .tx_size = sizeof(b->tx),
                                .rx_buf = b->rx,
                                .rx_size = sizeof(b->rx) };

    isotp_init(&b->tp, &cfg);
}

void board_restart(struct board *b)
{
    b->boot++;
    b->taken = 0;
    b->cursor = 1;
    memcpy(b->running, b->stored, sizeof(b->running));
}

struct sample *board_take(struct board *b)
{
    struct sample *s = &b->held[++b->taken % BOARD_RING];

    *s = board_sample(b->boot, b->taken, b->cells, b->temps);
    return s;
}

static uint32_t oldest(const struct board *b)
{
    return b->taken > b->ring ? b->taken - b->ring + 1 : 1;
}

size_t board_send(struct board *b, struct can_frame *out)
{
    if (b->cursor < oldest(b))
        b->cursor = oldest(b);
    if (b->cursor > b->taken)
        return 0;
    return board_frames(&b->held[b->cursor++ % BOARD_RING], out);
}

uint32_t board_resend(struct board *b, uint32_t from)
{
    uint32_t first = from < oldest(b) ? oldest(b) : from;

    if (first > b->taken + 1)
        first = b->taken + 1;
    b->cursor = first;
    b->resends++;
    return first;
}

static size_t negative(uint8_t *out, uint8_t service, uint8_t nrc)
{
    out[0] = UDS_NEGATIVE;
    out[1] = service;
    out[2] = nrc;
    return 3;
}

static size_t read_dids(const struct board *b, const uint8_t *in, size_t n, uint8_t *out)
{
    size_t k = 1;

    if (n < 3 || n % 2 != 1 || n > 1 + 2 * UDS_DIDS_MAX)
        return negative(out, in[0], UDS_NRC_LENGTH);
    for (size_t i = 1; i < n; i += 2, k += 6) {
        uint16_t did = get_be16(in + i);
        int p = param_by_id(did & 0xFFFu);

        if (p < 0)
            return negative(out, in[0], UDS_NRC_RANGE);
        put_be16(out + k, did);
        put_be32(out + k + 2, (uint32_t)(did >= DID_PARAM_STORED ? b->stored[p] : b->running[p]));
    }
    out[0] = UDS_READ_DATA + 0x40;
    return k;
}

static size_t write_did(struct board *b, const uint8_t *in, size_t n, uint8_t *out)
{
    int p = n == 7 ? param_by_id(get_be16(in + 1) & 0xFFFu) : BMS_ERR_UNKNOWN;
    int32_t v = n == 7 ? (int32_t)get_be32(in + 3) : 0;

    if (b->refuse || p < 0 || v < param_rows[p].min || v > param_rows[p].max)
        return negative(out, in[0], b->refuse ? b->refuse : UDS_NRC_RANGE);
    b->running[p] = v;
    out[0] = UDS_WRITE_DATA + 0x40;
    memcpy(out + 1, in + 1, 2);
    return 3;
}

static size_t routine(struct board *b, const uint8_t *in, size_t n, uint8_t *out)
{
    unsigned id = n >= 4 ? get_be16(in + 2) : 0;

    memcpy(out, in, 4);
    out[0] = UDS_ROUTINE + 0x40;
    if (id == UDS_ROUTINE_STORE) {
        memcpy(b->stored, b->running, sizeof(b->stored));
        b->stores++;
        return 4;
    }
    if (id != UDS_ROUTINE_RESEND || n != 8 || get_be32(in + 4) > b->taken + 1) /* the tester means another start of the board */
        return negative(out, in[0], UDS_NRC_RANGE);
    put_be32(out + 4, board_resend(b, get_be32(in + 4)));
    put_be32(out + 8, b->taken);
    return 12;
}

static void answer(struct board *b, const uint8_t *in, size_t n)
{
    b->requests++;
    if (in[0] == UDS_READ_DATA)
        b->answer_n = read_dids(b, in, n, b->answer);
    else if (in[0] == UDS_WRITE_DATA)
        b->answer_n = write_did(b, in, n, b->answer);
    else if (in[0] == UDS_ROUTINE)
        b->answer_n = routine(b, in, n, b->answer);
    else if (in[0] == UDS_ECU_RESET && n == 2) {
        b->answer[0] = UDS_ECU_RESET + 0x40;
        b->answer[1] = in[1];
        b->answer_n = 2;
        b->restarts++;
    } else
        b->answer_n = negative(b->answer, in[0], UDS_NRC_SERVICE);
    b->pending_left = b->pendings;
}

void board_hear(struct board *b, const struct can_frame *f, uint32_t now_ms)
{
    const uint8_t *in;
    size_t n;

    if (b->deaf || !isotp_receive(&b->tp, f, now_ms))
        return;
    n = isotp_take(&b->tp, &in);
    if (n > 0)
        answer(b, in, n);
}

int board_say(struct board *b, uint32_t now_ms, struct can_frame *out)
{
    uint8_t pending[3];

    if (b->answer_n > 0 && !isotp_is_sending(&b->tp)) {
        if (b->pending_left > 0) {
            uint8_t service = b->answer[0] == UDS_NEGATIVE ? b->answer[1] : (uint8_t)(b->answer[0] - 0x40);

            b->pending_left--;
            isotp_send(&b->tp, pending, negative(pending, service, UDS_NRC_PENDING), now_ms);
        } else {
            isotp_send(&b->tp, b->answer, b->answer_n, now_ms);
            b->answer_n = 0;
        }
    }
    return isotp_poll(&b->tp, now_ms, out);
}
