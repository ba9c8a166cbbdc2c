/* SPDX-License-Identifier: Apache-2.0 */
/* bench_program [--json] -- how long a program of 256 kB takes into the second slot, over CAN0 at 500 kbit/s and over RS485 at 115,200 Bd, and how long it
 * takes to read every parameter over CAN0. Time is simulated: the bus has real bits, stuffed, and the board's sample stream on it; the board works in
 * steps of 10 ms; the tester needs 1 ms to answer. Each download is done once more with a tester that goes away in the middle.
 */
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "common/bytes.h"
#include "common/crc.h"
#include "proto/can0.h"
#include "proto/rs485.h"
#include "tests/unit/firmware/rig.h"

enum {
    IMAGE = 256 * 1024,
    QUEUE = 128,
    STEP_us = 10000,
    THINK_us = 1000,
    BIT_ns = 2000,
    BYTE_ns = 86806,
    CONTROLLER = 35,
    PATIENCE_STEPS = 7000
};

struct queue {
    struct can_frame f[QUEUE];
    size_t n;
};

static struct rig rig;
static struct isotp tester;
static struct queue from_board, to_board;
static uint8_t slot[IMAGE], image[IMAGE], tx[UDS_BLOCK_MAX], rx[UDS_RESPONSE_MAX], out[UDS_RESPONSE_MAX];
static double now_us, bus_free_us, tester_us; /* when the tester may send again */
static bool over_rs485;
static uint8_t line[RS485_FRAME_MAX]; /* on its way to the board */
static size_t line_n, line_at, line_rx_n;
static uint8_t line_rx[RS485_TX_MAX];
static double line_began_us;

/* --- the bus --- */

static void put_bits(uint8_t *bits, unsigned *n, uint32_t value, unsigned count)
{
    while (count--)
        bits[(*n)++] = value >> count & 1u;
}

/* Bits of an extended data frame with its stuff bits and the space behind it (ISO 11898-1 10.4, 10.5). */
static unsigned bits_of(const struct can_frame *f)
{
    uint8_t bits[160];
    unsigned n = 0, stuffed = 0, run = 0, crc = 0;

    put_bits(bits, &n, 0, 1);
    put_bits(bits, &n, f->id >> 18, 11);
    put_bits(bits, &n, 3, 2);
    put_bits(bits, &n, f->id & 0x3FFFF, 18);
    put_bits(bits, &n, 0, 3);
    put_bits(bits, &n, f->len, 4);
    for (unsigned i = 0; i < f->len; i++)
        put_bits(bits, &n, f->data[i], 8);
    for (unsigned i = 0; i < n; i++)
        crc = (crc << 1 ^ ((crc >> 14 ^ bits[i]) & 1u ? 0x4599u : 0)) & 0x7FFFu;
    put_bits(bits, &n, crc, 15);
    for (unsigned i = 0, last = 2; i < n; i++) {
        run = bits[i] == last ? run + 1 : 1;
        last = bits[i];
        if (run == 5) {
            stuffed++;
            run = 1;
            last = !last;
        }
    }
    return n + stuffed + 13; /* delimiters, acknowledge, end of frame, space */
}

static void drop_first(struct queue *q)
{
    memmove(q->f, q->f + 1, --q->n * sizeof(q->f[0]));
}

/* One frame, if the bus gets to it before the step ends: the board's and the tester's, the lower identifier first. */
static bool carry(struct queue *arrived)
{
    struct can_frame f, mine;
    double begin_us = bus_free_us > now_us ? bus_free_us : now_us;
    bool board = from_board.n > 0;
    bool ours = to_board.n > 0 || isotp_poll(&tester, (uint32_t)(begin_us / 1000), &mine) == 1;

    if (to_board.n == 0 && ours)
        to_board.f[to_board.n++] = mine;
    if (ours && !board && tester_us > begin_us)
        begin_us = tester_us;
    ours = ours && tester_us <= begin_us;
    if ((!board && !ours) || begin_us >= now_us + STEP_us)
        return false;
    bool tester_sends = ours && (!board || to_board.f[0].id < from_board.f[0].id);

    f = tester_sends ? to_board.f[0] : from_board.f[0];
    drop_first(tester_sends ? &to_board : &from_board);
    bus_free_us = begin_us + bits_of(&f) * (BIT_ns / 1000.0);
    if (tester_sends)
        arrived->f[arrived->n++] = f;
    else if (isotp_receive(&tester, &f, (uint32_t)(bus_free_us / 1000)) && !isotp_is_sending(&tester))
        tester_us = bus_free_us + THINK_us;
    return true;
}

/* --- the line --- */

static void line_to_board(void)
{
    size_t arrived = line_began_us > now_us + STEP_us ? 0 : (size_t)((now_us + STEP_us - line_began_us) * 1000 / BYTE_ns);

    arrived = arrived < line_n ? arrived : line_n;
    rig.in.rs485_rx = line + line_at;
    rig.in.rs485_rx_len = arrived - line_at;
    line_at = arrived;
}

static void line_from_board(void)
{
    if (rig.out.rs485_tx_len == 0)
        return;
    memcpy(line_rx, rig.out.rs485_tx, rig.out.rs485_tx_len);
    line_rx_n = rig.out.rs485_tx_len;
    tester_us = now_us + (double)line_rx_n * BYTE_ns / 1000 + THINK_us;
}

/* --- the board --- */

static void work_on_slot(void)
{
    const struct biu_slot_order *o = &rig.out.slot;

    rig.in.slot = o->what == BIU_SLOT_NOTHING ? BIU_NVM_IDLE : BIU_NVM_DONE;
    if (o->what == BIU_SLOT_ERASE)
        memset(slot, 0xFF, sizeof(slot));
    if (o->what == BIU_SLOT_WRITE)
        memcpy(slot + o->offset, o->data, o->n);
}

static void step(void)
{
    static struct queue arrived;

    arrived.n = 0;
    while (!over_rs485 && arrived.n < QUEUE - 1 && carry(&arrived))
        continue;
    if (over_rs485)
        line_to_board();
    rig_before(&rig);
    arrived.f[arrived.n++] = rig.rx[0]; /* the current sensor */
    rig.in.can_rx = arrived.f;
    rig.in.can_rx_count = arrived.n;
    rig.in.can_room = over_rs485 ? CONTROLLER : CONTROLLER - from_board.n;
    rig.in.slot_size = IMAGE;
    biu_step(&rig.biu, &rig.in, &rig.out);
    now_us += STEP_us;
    for (size_t i = 0; !over_rs485 && i < rig.out.can_tx_count; i++)
        from_board.f[from_board.n++] = rig.out.can_tx[i];
    rig_after(&rig);
    rig.seen_count = 0;
    line_from_board();
    work_on_slot();
}

/* --- the tester --- */

static void say(const uint8_t *req, size_t n)
{
    if (!over_rs485) {
        isotp_send(&tester, req, n, (uint32_t)(now_us / 1000));
        return;
    }
    line[0] = RS485_ADDRESS;
    line[1] = RS485_REQUEST;
    put_be16(line + 2, (uint16_t)n);
    memcpy(line + RS485_HEAD, req, n);
    put_le16(line + RS485_HEAD + n, crc16_ibm(RS485_CRC_INIT, line, RS485_HEAD + n));
    line_n = RS485_HEAD + n + RS485_CRC;
    line_at = 0;
    line_began_us = tester_us > now_us ? tester_us : now_us;
}

static size_t hear(const uint8_t **answer)
{
    size_t n = line_rx_n;

    if (!over_rs485)
        return isotp_take(&tester, answer);
    line_rx_n = 0;
    *answer = line_rx + RS485_HEAD;
    return n ? n - RS485_HEAD - RS485_CRC : 0;
}

static bool ask(const uint8_t *req, size_t n)
{
    const uint8_t *answer;

    say(req, n);
    for (int i = 0; i < PATIENCE_STEPS; i++) {
        step();
        size_t len = hear(&answer);

        if (len == 0 || (len == 3 && answer[0] == UDS_NEGATIVE && answer[2] == UDS_NRC_PENDING))
            continue;
        memcpy(out, answer, len);
        return out[0] == req[0] + 0x40;
    }
    return false;
}
#define ASK(...) ask((const uint8_t[]) { __VA_ARGS__ }, sizeof((const uint8_t[]) { __VA_ARGS__ }))

static bool enter(void)
{
    uint8_t key[6] = { UDS_SECURITY, 2 };

    if (!ASK(UDS_SESSION, UDS_SESSION_PROGRAMMING) || !ASK(UDS_SECURITY, 1))
        return false;
    put_be32(key + 2, uds_key(get_be32(out + 2)));
    return ask(key, sizeof(key));
}

/* From `at` to `end`, with blocks as large as the board takes. */
static bool load(uint32_t at, uint32_t end)
{
    uint8_t head[11] = { UDS_REQUEST_DOWNLOAD, 0x00, 0x44 }, block[UDS_BLOCK_MAX] = { UDS_TRANSFER_DATA };

    put_be32(head + 3, at);
    put_be32(head + 7, IMAGE - at);
    if (!ask(head, sizeof(head)))
        return false;
    for (uint8_t counter = 1; at < end; counter++) {
        uint32_t n = end - at < UDS_BLOCK_MAX - 2 ? end - at : UDS_BLOCK_MAX - 2;

        block[1] = counter;
        memcpy(block + 2, image + at, n);
        if (!ask(block, 2 + n))
            return false;
        at += n;
    }
    return true;
}

static bool finish(void)
{
    uint8_t check[8] = { UDS_ROUTINE, 1, UDS_ROUTINE_CHECK >> 8, UDS_ROUTINE_CHECK & 0xFF };

    put_be32(check + 4, crc32c(0, image, IMAGE));
    return ASK(UDS_TRANSFER_EXIT) && ask(check, sizeof(check)) && memcmp(slot, image, IMAGE) == 0;
}

static void power_on(bool rs485)
{
    over_rs485 = rs485;
    now_us = bus_free_us = tester_us = 0;
    from_board.n = to_board.n = line_n = line_at = line_rx_n = 0;
    rig_init(&rig, 48, 0);
    rig_start(&rig);
    isotp_init(&tester, &(struct isotp_config) { .tx_id = CAN0_ISOTP_TO_BIU,
                                                 .rx_id = CAN0_ISOTP_FROM_BIU,
                                                 .tx_buf = tx,
                                                 .tx_size = sizeof(tx),
                                                 .rx_buf = rx,
                                                 .rx_size = sizeof(rx) });
    while (now_us < 2e6)
        step();
}

/* Seconds, or -1. */
static double program(bool rs485)
{
    power_on(rs485);
    double began_us = now_us;
    bool good = enter() && ASK(UDS_ROUTINE, 1, 0xFF, 0x00) && load(0, IMAGE) && finish();

    return good ? (now_us - began_us) / 1e6 : -1;
}

static bool program_with_a_break(bool rs485)
{
    power_on(rs485);
    if (!enter() || !ASK(UDS_ROUTINE, 1, 0xFF, 0x00) || !load(0, IMAGE / 2))
        return false;
    for (double until_us = now_us + 1.5 * UDS_S3_MS * 1000; now_us < until_us;)
        step();
    if (!enter() || !ASK(UDS_ROUTINE, 1, UDS_ROUTINE_PROGRESS >> 8, UDS_ROUTINE_PROGRESS & 0xFF))
        return false;
    uint32_t verified = get_be32(out + 8);

    return verified == IMAGE / 2 && get_be32(out + 12) == crc32c(0, image, verified) && load(verified, IMAGE) && finish();
}

static double read_params(void)
{
    uint8_t req[1 + 2 * UDS_DIDS_MAX] = { UDS_READ_DATA };

    power_on(false);
    double began_us = now_us;

    for (int i = 0; i < PARAMS;) {
        size_t n = 1;

        for (; i < PARAMS && n < sizeof(req); i++, n += 2)
            put_be16(req + n, (uint16_t)(DID_PARAM_RUNNING + param_rows[i].id));
        if (!ask(req, n))
            return -1;
    }
    return (now_us - began_us) / 1e6;
}

int main(int argc, char **argv)
{
    bool json = argc == 2 && strcmp(argv[1], "--json") == 0;
    size_t ram = sizeof(struct isotp) + sizeof(struct uds) + sizeof(rig.biu.answer) + sizeof(rig.biu.request);

    if (argc > 1 && !json) {
        fprintf(stderr, "usage: bench_program [--json]\n");
        return 2;
    }
    for (uint32_t i = 0; i < IMAGE; i++)
        image[i] = (uint8_t)(i * 2654435761u >> 13);
    put_le32(image, PROGRAM_MAGIC);
    put_le16(image + 8, PROGRAM_HEADER);
    put_le32(image + 12, IMAGE - PROGRAM_HEADER);
    double can_s = program(false), rs485_s = program(true), params_s = read_params();
    bool resumed = program_with_a_break(false) && program_with_a_break(true);

    printf(json ? "{\"can_s\":%.2f,\"rs485_s\":%.2f,\"params_s\":%.3f,\"params\":%d,\"resumed\":%s,\"image_B\":%d,\"uds_ram_B\":%zu}\n"
                : "CAN %.2f s, RS485 %.2f s, parameters %.3f s (%d), resumed %s; image %d B; ISO-TP and UDS take %zu B of RAM\n",
           can_s, rs485_s, params_s, (int)PARAMS, resumed ? "true" : "false", (int)IMAGE, ram);
    return can_s < 0 || rs485_s < 0 || params_s < 0 || !resumed;
}
