/* SPDX-License-Identifier: Apache-2.0 */
/* biu_take.c -- what comes in: chip bytes, raw readings, frames of CAN0 and CAN1, the charging plug. */
#include "firmware/core/biu/biu_parts.h"

#include <string.h>

#include "common/err.h"
#include "firmware/core/measure/ntc.h"
#include "proto/can0.h"

static void take_clock(struct biu *biu, const struct can_frame *f)
{
    uint64_t lo = (uint32_t)can0_get(f, CAN0_SIG_dtu_utc_lo), hi = (uint16_t)can0_get(f, CAN0_SIG_dtu_utc_hi);

    if (lo | hi)
        biu->dtu_utc_ms = hi << 32 | lo;
}

/* A request to everybody is a single frame (ISO 15765-2 table 22). */
static void take_functional(struct biu *biu, const struct can_frame *f)
{
    uint8_t n = f->len ? f->data[0] : 0;

    if (n == 0 || n >= sizeof(biu->to_all) || f->len <= n)
        return;
    memcpy(biu->to_all, f->data + 1, n);
    biu->to_all_n = n;
}

static void take_frame(struct biu *biu, const struct can_frame *f, uint32_t now_ms)
{
    unsigned number;
    uint8_t address;

    if (isotp_receive(&biu->isotp, f, now_ms))
        return;
    if (f->ext && f->id == CAN0_ISOTP_TO_ALL)
        take_functional(biu, f);
    if (!f->ext || (f->id & 0xFFFF0000u) != CAN0_ID_FROM(0, 0)) /* somebody else's */
        return;
    if (can0_check(f, &number, &address) != BMS_ERR_OK)
        biu->can_errors++;
    else if (number == CAN0_CSU_Current && address == CAN0_ADDR_CSU)
        current_frame(&biu->current, f, biu->params.running);
    else if (number == CAN0_DTU_Clock && address == CAN0_ADDR_DTU)
        take_clock(biu, f);
    else if (number == CAN0_SYNC)
        biu->sync = true;
}

static void take_sense(struct biu *biu, const struct biu_in *in, uint32_t dt_ms, struct biu_out *out)
{
    const int32_t *p = biu->params.running;
    const struct sense *s = &in->sense;
    struct insulation_in rails = { .dt_ms = dt_ms,
                                   .rail_pos_mV = s->rail_pos_mV,
                                   .rail_neg_mV = s->rail_neg_mV,
                                   .pack_mV = in->pack_voltage_mV,
                                   .off = biu->fast.handshaken,
                                   .params = p };

    plug_step(&biu->plug, s, dt_ms);
    out->bridge = insulation_step(&biu->insulation, &rails);
    for (int i = 0; i < SENSE_INLETS; i++)
        biu->inlet_ddegC[i] = ntc_of_ohm(s->inlet_ohm[i], p[PARAM_inlet_ntc_r25_ohm], p[PARAM_inlet_ntc_beta_K]);
}

void biu_take_in(struct biu *biu, const struct biu_in *in, uint32_t dt_ms, struct biu_out *out)
{
    static const uint8_t nothing[1];
    const int32_t *p = biu->params.running;
    struct writer tx = writer_of(out->afe_tx, sizeof(out->afe_tx));
    struct afe_in afe = { .dt_ms = dt_ms,
                          .scan_ms = (uint32_t)p[PARAM_afe_scan_ms],
                          .rx = reader_of(in->afe_rx_len ? in->afe_rx : nothing, in->afe_rx_len),
                          .fault = in->afe_fault };

    afe_step(&biu->afe, &afe, &tx);
    out->afe_tx_len = writer_used(&tx);
    measure_step(&biu->measure, &biu->afe, p);
    take_sense(biu, in, dt_ms, out);

    biu->sync = false;
    if (biu->dtu_utc_ms)
        biu->dtu_utc_ms += dt_ms;
    current_age(&biu->current, dt_ms, p[PARAM_value_stale_ms]);
    current_analog(&biu->current, &in->sense, p);
    for (size_t i = 0; i < in->can_rx_count; i++)
        take_frame(biu, &in->can_rx[i], in->now_ms);
    vehicle_bus_take(&biu->vehicle, in->can1_rx, in->can1_rx_count, dt_ms);
}

/* Without a wired charging interface the charger's wake-up stands for a plug, a pilot and no bound. */
void biu_look_at_plug(struct biu *biu, const struct biu_in *in)
{
    const struct plug *plug = &biu->plug;

    biu->fast.connected = plug->fast == PLUG_IN && !plug_is_double(plug);
    biu->slow.connected = biu->slow.ready = in->inputs & BIU_INPUT_CHARGER;
    biu->slow.limit_dA = scalar_invalid(VALIDITY_NOT_FITTED);
    if (!biu->params.running[PARAM_charge_needs_plug])
        return;
    biu->slow.connected = plug->slow == PLUG_IN && !plug_is_double(plug);
    biu->slow.ready = plug->limit_mA > 0;
    biu->slow.limit_dA = plug->limit_mA / 100;
}
