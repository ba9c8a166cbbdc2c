/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/firmware/rig.h"

#include <string.h>

#include "common/isotp.h"
#include "proto/can0.h"

void rig_init(struct rig *r, int cells, uint32_t now_ms)
{
    memset(r, 0, sizeof(*r));
    params_defaults(CHEMISTRY_NMC, r->params);
    topology_plan(cells, r->params);
    fake_chain_init(&r->chain, (cells + 15) / 16, 3700);
    r->in.now_ms = now_ms;
    r->in.utc_ms = 1700000000000u;
    r->in.can_room = BIU_CAN_TX_MAX;
    r->in.pack_voltage_mV = 3700 * cells;
    r->in.link_voltage_mV = 0;
    r->pos_kohm = r->neg_kohm = 5000;
    r->in.supply_mV = 24000;
    sense_absent(&r->in.sense);
    r->in.sense.hvil = 1;
    r->in.self = (struct self_facts) { .fitted = true, .reset = SELF_RESET_POWER, .stack_free = 4096 };
}

int rig_start(struct rig *r)
{
    return biu_init(&r->biu, &(struct biu_config) { .params = r->params, .boot = 7, .ring = r->ring, .ring_size = RIG_RING }, r->in.now_ms);
}

static void sense_current(struct rig *r)
{
    struct can_frame f = can0_begin(CAN0_CSU_Current, CAN0_ADDR_CSU);

    if (r->csu_silent)
        return;
    can0_put(&f, CAN0_SIG_csu_current_mA, r->current_mA);
    if (!r->csu_stuck)
        r->csu_counter++;
    can0_finish(&f, r->csu_counter);
    r->rx[r->rx_count++] = f;
}

static void move_link(struct rig *r)
{
    uint8_t closed = (uint8_t)((r->out.contactors | r->welded) & ~r->jammed);
    int32_t *link = &r->in.link_voltage_mV;

    if (scalar_validity(r->in.pack_voltage_mV) == VALIDITY_OK)
        r->pack_mV = r->in.pack_voltage_mV;
    r->in.contactors_feedback = closed;
    if (closed & (BIU_RELAY_DISCHARGE | BIU_RELAY_CHARGE) || (closed && r->no_link) || r->hold_link)
        *link = r->pack_mV;
    else if ((closed & BIU_RELAY_PRECHARGE) && !r->short_link)
        *link += (r->pack_mV - *link) / 10;
    else
        *link -= *link / 100;
}

/* The rails share the pack's voltage as the conductances to chassis have it; nothing has to settle. */
static void move_rails(struct rig *r)
{
    double fixed = 1.0 / r->params[PARAM_insulation_divider_kohm], switched = 1.0 / r->params[PARAM_insulation_bridge_kohm];
    double pos = 1 / r->pos_kohm + fixed + (r->out.bridge & SENSE_BRIDGE_POS ? switched : 0);
    double neg = 1 / r->neg_kohm + fixed + (r->out.bridge & SENSE_BRIDGE_NEG ? switched : 0);

    r->in.sense.rail_pos_mV = (int32_t)(r->pack_mV * neg / (pos + neg) + 0.5);
    r->in.sense.rail_neg_mV = r->pack_mV - r->in.sense.rail_pos_mV;
}

void rig_before(struct rig *r)
{
    sense_current(r);
    r->in.now_ms += BIU_STEP_MS;
    if (r->in.utc_ms)
        r->in.utc_ms += BIU_STEP_MS;
    memcpy(r->afe_rx, r->chain.out, r->chain.out_len);
    r->in.afe_rx = r->afe_rx;
    r->in.afe_rx_len = r->chain.out_len;
    r->chain.out_len = 0;
    r->in.can_rx = r->rx;
    r->in.can_rx_count = r->rx_count;
    move_link(r);
    move_rails(r);
}

void rig_after(struct rig *r)
{
    r->rx_count = 0;
    r->in.nvm = BIU_NVM_IDLE;
    fake_chain_receive(&r->chain, r->out.afe_tx, r->out.afe_tx_len);
    for (size_t i = 0; i < r->out.can_tx_count && r->seen_count < RIG_FRAMES; i++)
        r->seen[r->seen_count++] = r->out.can_tx[i];
    if (r->out.sample) {
        r->samples++;
        r->last = *r->out.sample;
    }
}

void rig_step(struct rig *r)
{
    rig_before(r);
    biu_step(&r->biu, &r->in, &r->out);
    rig_after(r);
}

void rig_run(struct rig *r, uint32_t ms)
{
    for (uint32_t t = 0; t < ms; t += BIU_STEP_MS)
        rig_step(r);
}

uint32_t rig_until(struct rig *r, bool (*done)(const struct rig *), uint32_t max_ms)
{
    for (uint32_t t = BIU_STEP_MS; t < max_ms; t += BIU_STEP_MS) {
        rig_step(r);
        if (done(r))
            return t;
    }
    return max_ms;
}

void rig_set_cell(struct rig *r, unsigned cell, int mV)
{
    for (unsigned k = 0; k < r->biu.topology.devices; k++) {
        const struct topology_chip *chip = &r->biu.topology.chip[k];

        if (cell - 1 >= chip->first_cell && cell - 1 < (unsigned)chip->first_cell + chip->cells)
            r->chain.chip[k].cell_raw[cell - 1 - chip->first_cell] = fake_raw(mV);
    }
}

bool rig_has_alarm(const struct rig *r, enum alarm alarm)
{
    return r->biu.alarms.row[alarm].active;
}

size_t rig_ask(struct rig *r, const uint8_t *req, size_t n, uint8_t *out, size_t size)
{
    struct isotp tester;
    uint8_t tx[512], rx[2048];

    isotp_init(&tester, &(struct isotp_config) { .tx_id = CAN0_ISOTP_TO_BIU,
                                                 .rx_id = CAN0_ISOTP_FROM_BIU,
                                                 .tx_buf = tx,
                                                 .tx_size = sizeof(tx),
                                                 .rx_buf = rx,
                                                 .rx_size = sizeof(rx) });
    isotp_send(&tester, req, n, r->in.now_ms);
    for (uint32_t t = 0; t < 2000; t += BIU_STEP_MS) {
        const uint8_t *data;
        struct can_frame f;
        size_t len;

        while (r->rx_count < 3 && isotp_poll(&tester, r->in.now_ms, &f) == 1)
            r->rx[r->rx_count++] = f;
        rig_step(r);
        for (size_t i = 0; i < r->out.can_tx_count; i++)
            isotp_receive(&tester, &r->out.can_tx[i], r->in.now_ms);
        len = isotp_take(&tester, &data);
        if (len) {
            memcpy(out, data, len < size ? len : size);
            return len;
        }
    }
    return 0;
}
