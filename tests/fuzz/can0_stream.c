/* SPDX-License-Identifier: Apache-2.0 */
/* Frames of CAN0 into the assembler: 9 bytes each, the number and the data; the checksum is made right unless the counter says otherwise. */
#include <stdlib.h>
#include <string.h>

#include "dtu/core/assembler.h"
#include "proto/can0.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct assembler a;
    struct sample s;
    uint32_t now_ms = 0, from;

    assembler_init(&a, 1, 3, 0, 0);
    for (; size >= 9; data += 9, size -= 9) {
        struct can_frame f = can0_begin(data[0], CAN0_ADDR_BIU);

        memcpy(f.data, data + 1, 8);
        if (data[1] != 0xBA)
            can0_finish(&f, data[2]);
        now_ms += data[1];
        if (assembler_feed(&a, &f, now_ms, &s)) {
            if (s.cells > PACK_CELLS_MAX || s.temps > PACK_TEMPS_MAX || s.alarms > SAMPLE_ALARMS_MAX || s.no != a.next)
                abort();
            assembler_taken(&a, &s, now_ms);
        }
        if (assembler_wants(&a, now_ms, &from))
            assembler_answer(&a, from + data[3], now_ms);
    }
    return 0;
}
