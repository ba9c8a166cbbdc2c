/* SPDX-License-Identifier: Apache-2.0 */
/* Any frames into a receiver and a sender. An input byte below 0xF0 is a length and that many bytes of one frame; others let time pass or send. */
#include <stdlib.h>

#include "common/isotp.h"

enum { RX = 0x18DA10F1, TX = 0x18DAF110, BUFFER = 300 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void drain(struct isotp *tp, uint32_t now_ms)
{
    struct can_frame f;
    const uint8_t *message;

    for (int i = 0; i < 1000 && isotp_poll(tp, now_ms, &f) == 1; i++) {
        if (f.id != TX || f.len != 8)
            abort();
    }
    if (isotp_take(tp, &message) > BUFFER)
        abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static uint8_t tx[BUFFER], rx[BUFFER];
    static const uint8_t text[BUFFER];
    struct isotp_config config = {
        .tx_id = TX, .rx_id = RX, .block_size = 3, .tx_buf = tx, .tx_size = BUFFER, .rx_buf = rx, .rx_size = BUFFER
    };
    struct isotp tp;
    uint32_t now_ms = UINT32_MAX - 2000;

    isotp_init(&tp, &config);
    for (size_t at = 0; at < size;) {
        uint8_t what = data[at++];

        if (what >= 0xF8) {
            now_ms += (what - 0xF8u) * 300u;
        } else if (what >= 0xF0) {
            isotp_send(&tp, text, (what - 0xEFu) * 37u, now_ms);
        } else {
            struct can_frame f = { .id = RX, .ext = true, .len = what % 9 };

            for (size_t i = 0; i < f.len && at < size; i++)
                f.data[i] = data[at++];
            isotp_receive(&tp, &f, now_ms);
        }
        drain(&tp, now_ms);
    }
    return 0;
}
