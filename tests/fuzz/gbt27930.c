/* SPDX-License-Identifier: Apache-2.0 */
/* Any frames to the BMS's side of a DC charge. Eleven bytes each: what to do, a step of time, the message, its bytes. */
#include <stdlib.h>

#include "common/bytes.h"
#include "firmware/core/charge/gbt_bms.h"

enum { STEP = 11 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

static void decode(const struct can_frame *f)
{
    int msg = gbt_of_frame(f);
    int32_t v;

    for (int field = 0; msg >= 0 && field < GBT_FIELDS; field++)
        if (gbt_message_of((enum gbt_field)field) == (enum gbt_msg)msg)
            gbt_get((enum gbt_field)field, f->data, f->len, &v);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    static const struct gbt_pack_facts facts = {
        .type = GBT_BATTERY_LFP, .max_mV = 425000, .max_mA = -150000, .maker = "", .vin = "", .made_year = 2026
    };
    static const uint8_t pf[16] = { 0x26, 0x01, 0x07, 0x08, 0x0A, 0x12, 0x1A, 0x1D, 0x1F, 0xEC, 0xEB, 0x02, 0x19, 0x00, 0xFF, 0x12 };
    static const uint16_t cells[24] = { 3300, 65535, 3400 };
    static const int16_t temps[4] = { 250, -400, INT16_MIN, 1250 };
    struct gbt_bms b;
    struct gbt_out out;
    uint32_t now_ms = 0xFFFFF000u;

    gbt_bms_init(&b, &facts);
    for (size_t at = 0; at + STEP <= n; at += STEP) {
        const uint8_t *step = data + at;
        struct can_frame f = { .id = 0x1800F456u | (uint32_t)pf[step[2] & 15u] << 16,
                               .ext = true,
                               .len = (uint8_t)(step[0] & 8 ? 8 : step[0] & 7) };

        memcpy(f.data, step + 3, 8);
        now_ms += step[1] * (step[0] & 0x10 ? 100u : 1u);
        decode(&f);
        gbt_bms_step(&b,
                     &(struct gbt_in) { .now_ms = now_ms,
                                        .plugged = (step[0] & 0xE0) != 0xE0,
                                        .ready = !(step[0] & 0x20),
                                        .pause = step[0] & 0x40,
                                        .stop = step[2] & 0x80 ? 1 : 0,
                                        .pack_mV = 364000,
                                        .details = true,
                                        .cells = 24,
                                        .probes = 4,
                                        .cell_mV = cells,
                                        .temp_ddegC = temps,
                                        .room = step[2] & 0x40 ? 2 : GBT_TX_MAX,
                                        .rx = &f,
                                        .rx_count = 1 },
                     &out);
        if (out.tx_count > GBT_TX_MAX || b.phase >= GBT_PHASES || (b.phase == GBT_FAILED && out.close))
            abort();
        for (size_t i = 0; i < out.tx_count; i++)
            if (out.tx[i].len > 8 || (out.tx[i].id & 0xFFu) != GBT_BMS)
                abort();
    }
    return 0;
}
