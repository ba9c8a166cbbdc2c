/* SPDX-License-Identifier: Apache-2.0 */
/* Any frames to a receiver and sender of J1939 messages. Ten bytes each: what to do, a step of time, the frame's bytes. */
#include <stdlib.h>

#include "common/bytes.h"
#include "firmware/core/charge/j1939_tp.h"

enum { STEP = 10, OWN = 0xF4, PEER = 0x56 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    static uint8_t tx[64], rx[100], message[64];
    struct j1939_tp tp;
    uint32_t now_ms = 0xFFFFF000u, pgn;
    const uint8_t *got;
    size_t len;

    if (n == 0)
        return 0;
    j1939_tp_init(&tp, &(struct j1939_tp_config) { OWN, PEER, (data[0] & 1) != 0, tx, rx, sizeof(tx), sizeof(rx) });
    for (size_t at = 1; at + STEP <= n; at += STEP) {
        const uint8_t *step = data + at;
        struct can_frame f = { .id = 0x1C000000u | (step[0] & 1 ? 0xEB0000u : 0xEC0000u) | (step[0] & 2 ? 0xFF00u : 0xF400u) | PEER,
                               .ext = true };
        struct can_frame out;

        f.len = step[0] & 4 ? step[0] >> 4 & 7u : 8;
        memcpy(f.data, step + 2, 8);
        now_ms += step[1] * 8u;
        if (step[0] & 8)
            j1939_tp_send(&tp, 0x0200, message, step[2], now_ms);
        j1939_tp_receive(&tp, &f, now_ms);
        for (int i = 0; j1939_tp_poll(&tp, now_ms, &out); i++)
            if (i > 300 || out.len != 8)
                abort();
        if ((len = j1939_tp_take(&tp, &pgn, &got)) > sizeof(rx) || (len && len < J1939_TP_MIN))
            abort();
    }
    return 0;
}
