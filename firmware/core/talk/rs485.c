/* SPDX-License-Identifier: Apache-2.0 */
#include "firmware/core/talk/rs485.h"

#include <string.h>

#include "common/bytes.h"
#include "common/crc.h"
#include "firmware/core/talk/modbus.h"

enum { BROADCAST = 0, MODBUS_FRAME_MIN = 4, MODBUS_FRAME_MAX = 1 + MODBUS_PDU_MAX + RS485_CRC, T35_BITS_x1000 = 38500 };

_Static_assert((int)MODBUS_FRAME_MAX <= (int)RS485_FRAME_MAX && (int)MODBUS_FRAME_MAX <= (int)RS485_TX_MAX, "both kinds of frames fit");

void rs485_init(struct rs485 *l)
{
    *l = (struct rs485) { 0 };
}

static void forget(struct rs485 *l)
{
    l->n = 0;
    l->too_long = l->waits = false;
}

static bool is_cable(const struct rs485 *l)
{
    return l->n >= 2 && l->rx[0] == RS485_ADDRESS && l->rx[1] == RS485_REQUEST;
}

static bool crc_is_right(const uint8_t *frame, size_t n)
{
    return crc16_ibm(RS485_CRC_INIT, frame, n - RS485_CRC) == get_le16(frame + n - RS485_CRC);
}

static size_t finish(uint8_t *tx, size_t n)
{
    put_le16(tx + n, crc16_ibm(RS485_CRC_INIT, tx, n));
    return n + RS485_CRC;
}

/* A cable tool's frame is over when its length is there. */
static void look_for_cable(struct rs485 *l)
{
    if (l->waits || !is_cable(l) || l->n < RS485_HEAD)
        return;
    size_t length = get_be16(l->rx + 2), whole = RS485_HEAD + length + RS485_CRC;

    if (length == 0 || whole > sizeof(l->rx)) {
        l->too_long = true;
    } else if (l->n >= whole) {
        l->waits = l->n == whole && crc_is_right(l->rx, whole);
        l->too_long = !l->waits;
        l->counts.received += l->waits;
        l->counts.broken += !l->waits;
        if (l->waits)
            l->cable_ms = RS485_CABLE_MS;
    }
}

/* A whole Modbus frame is in rx. Returns the answer's bytes in tx. */
static size_t answer(struct rs485 *l, struct uds *u, uint8_t *tx)
{
    uint8_t address = l->rx[0];
    bool ours = address == (uint8_t)u->params->running[PARAM_rs485_address];

    if (!ours && address != BROADCAST)
        return 0;
    if (address == BROADCAST) { /* only writes make sense, and nobody answers */
        if (!l->cable_ms && (l->rx[1] == MODBUS_WRITE_ONE || l->rx[1] == MODBUS_WRITE_MANY))
            (void)modbus_answer(u, l->rx + 1, l->n - 1 - RS485_CRC, tx + 1);
        return 0;
    }
    tx[0] = address;
    if (!l->cable_ms)
        return finish(tx, 1 + modbus_answer(u, l->rx + 1, l->n - 1 - RS485_CRC, tx + 1));
    l->counts.busy++;
    tx[1] = l->rx[1] | 0x80;
    tx[2] = MODBUS_BUSY;
    return finish(tx, 3);
}

static size_t on_silence(struct rs485 *l, struct uds *u, uint8_t *tx)
{
    bool good = !l->too_long && !is_cable(l) && l->n >= MODBUS_FRAME_MIN && l->n <= MODBUS_FRAME_MAX && crc_is_right(l->rx, l->n);
    size_t n = good ? answer(l, u, tx) : 0;

    l->counts.received += good;
    l->counts.broken += !good;
    forget(l);
    return n;
}

static void collect(struct rs485 *l, const uint8_t *bytes, size_t n)
{
    size_t room = sizeof(l->rx) - l->n, some = n < room ? n : room;

    memcpy(l->rx + l->n, bytes, some);
    l->n += some;
    l->too_long = l->too_long || some < n;
    if (!l->too_long)
        look_for_cable(l);
}

size_t rs485_step(struct rs485 *l, struct uds *u, const uint8_t *bytes, size_t n, uint32_t dt_ms, uint8_t *tx)
{
    int64_t baud = u->params->running[PARAM_rs485_baud];

    l->cable_ms = l->cable_ms > dt_ms ? l->cable_ms - dt_ms : 0;
    if (n) {
        l->quiet_ms = 0;
        if (!l->waits) /* nobody speaks before the answer */
            collect(l, bytes, n);
        return 0;
    }
    l->quiet_ms = dt_ms > UINT16_MAX - l->quiet_ms ? UINT16_MAX : l->quiet_ms + dt_ms;
    if (l->n == 0 || l->waits || l->quiet_ms * baud < T35_BITS_x1000 || (is_cable(l) && !l->too_long && l->quiet_ms < RS485_SILENT_MS))
        return 0;
    return on_silence(l, u, tx);
}

size_t rs485_take(struct rs485 *l, const uint8_t **request)
{
    size_t n = l->waits ? l->n - RS485_HEAD - RS485_CRC : 0;

    *request = l->rx + RS485_HEAD;
    if (n)
        forget(l);
    return n;
}

size_t rs485_frame(const uint8_t *uds, size_t n, uint8_t *tx)
{
    tx[0] = RS485_ADDRESS;
    tx[1] = RS485_ANSWER;
    put_be16(tx + 2, (uint16_t)n);
    memcpy(tx + RS485_HEAD, uds, n);
    return finish(tx, RS485_HEAD + n);
}
