/* SPDX-License-Identifier: Apache-2.0 */
#include "local/core/rs485_host.h"

#include <stdbool.h>
#include <string.h>

#include "common/bytes.h"
#include "common/crc.h"

void rs485_host_init(struct rs485_host *h)
{
    h->n = 0;
    h->at_ms = 0;
    h->broken = 0;
}

size_t rs485_host_put(const uint8_t *uds, size_t n, uint8_t *out)
{
    if (n == 0 || n > UDS_BLOCK_MAX)
        return 0;
    out[0] = RS485_ADDRESS;
    out[1] = RS485_REQUEST;
    put_be16(out + 2, (uint16_t)n);
    memcpy(out + RS485_HEAD, uds, n);
    put_le16(out + RS485_HEAD + n, crc16_ibm(RS485_CRC_INIT, out, RS485_HEAD + n));
    return RS485_HEAD + n + RS485_CRC;
}

/* Could what is there still become a frame, ours or the board's? */
static bool may_be_frame(const struct rs485_host *h)
{
    if (h->rx[0] != RS485_ADDRESS || (h->n > 1 && h->rx[1] != RS485_ANSWER && h->rx[1] != RS485_REQUEST))
        return false;
    size_t length = h->n < RS485_HEAD ? 1 : get_be16(h->rx + 2);

    return length > 0 && length <= (h->n > 1 && h->rx[1] == RS485_REQUEST ? UDS_BLOCK_MAX : RS485_HOST_ANSWER);
}

/* Leave out bytes until the rest may be a frame: at most RS485_HEAD turns, as only the head is looked at. */
static void look_for_head(struct rs485_host *h)
{
    while (h->n > 0 && !may_be_frame(h)) {
        h->n--;
        memmove(h->rx, h->rx + 1, h->n);
    }
}

size_t rs485_host_take(struct rs485_host *h, uint8_t byte, uint32_t now_ms, const uint8_t **uds)
{
    if (h->n > 0 && now_ms - h->at_ms >= RS485_SILENT_MS) {
        h->broken++;
        h->n = 0;
    }
    h->at_ms = now_ms;
    h->rx[h->n++] = byte; /* there is room: a frame is taken out when it is whole, and no length over it is let in */
    if (h->n <= RS485_HEAD)
        look_for_head(h);
    if (h->n < RS485_HEAD)
        return 0;
    size_t length = get_be16(h->rx + 2), covered = RS485_HEAD + length;

    if (h->n < covered + RS485_CRC)
        return 0;
    h->n = 0;
    if (crc16_ibm(RS485_CRC_INIT, h->rx, covered) != get_le16(h->rx + covered)) {
        h->broken++;
        return 0;
    }
    *uds = h->rx + RS485_HEAD;
    return h->rx[1] == RS485_ANSWER ? length : 0;
}
