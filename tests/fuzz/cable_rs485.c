/* SPDX-License-Identifier: Apache-2.0 */
/* What comes over RS485: any bytes, with pauses. Each step is a pause of so many ms, a length, bytes. What is taken for an answer is within bounds and
 * framed right; after a silence a good answer is always heard. */
#include "local/core/rs485_host.h"

#include <stdlib.h>
#include <string.h>

#include "common/bytes.h"
#include "common/crc.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

static void judge(const struct rs485_host *h, const uint8_t *uds, size_t n)
{
    if (n > RS485_HOST_ANSWER || uds != h->rx + RS485_HEAD || h->rx[0] != RS485_ADDRESS || h->rx[1] != RS485_ANSWER)
        abort();
    if (get_be16(h->rx + 2) != n || crc16_ibm(RS485_CRC_INIT, h->rx, RS485_HEAD + n) != get_le16(uds + n))
        abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    static struct rs485_host h;
    uint8_t good[RS485_HEAD + 1 + RS485_CRC] = { RS485_ADDRESS, RS485_ANSWER, 0, 1, 0x7E };
    const uint8_t *uds;
    uint32_t now = UINT32_MAX - 100;
    size_t heard = 0;

    rs485_host_init(&h);
    for (size_t at = 0; at + 1 < n;) {
        size_t len = data[at + 1] < n - at - 2 ? data[at + 1] : n - at - 2;

        now += data[at];
        for (at += 2; len > 0; len--) {
            size_t k = rs485_host_take(&h, data[at++], now, &uds);

            if (k > 0)
                judge(&h, uds, k);
        }
    }
    put_le16(good + sizeof(good) - RS485_CRC, crc16_ibm(RS485_CRC_INIT, good, sizeof(good) - RS485_CRC));
    for (size_t i = 0; i < sizeof(good); i++)
        heard = rs485_host_take(&h, good[i], now + RS485_SILENT_MS, &uds);
    if (heard != 1 || uds[0] != 0x7E)
        abort();
    return 0;
}
