/* SPDX-License-Identifier: Apache-2.0 */
#include "sim/dc_charger.h"

#include "common/err.h"
#include "firmware/core/biu/biu_io.h"

static const double cc2_out_V = 12, cc2_in_V = 6; /* pulled up to 12 V through 1 kohm, 1 kohm in the plug */

const struct charger_gbt_config dc_charger_usual = {
    .max_mV = 750000, .max_mA = -250000, .number = 27930, .insulation_ms = 2000, .getting_ready_ms = 1000
};

static void deliver(void *ctx, const struct can_frame *f)
{
    struct dc_charger *d = ctx;

    if (d->rx_count == DC_CHARGER_RX_MAX)
        d->rx_lost++;
    else
        d->rx[d->rx_count++] = *f;
}

int dc_charger_init(struct dc_charger *d, struct can_bus *can2, const struct charger_gbt_config *cfg)
{
    *d = (struct dc_charger) { .bus = can2 };
    charger_gbt_init(&d->gbt, cfg);
    d->node = can_bus_attach(can2, deliver, d);
    return d->node < 0 ? d->node : BMS_ERR_OK;
}

double dc_charger_step(struct dc_charger *d, struct world *w)
{
    bool closed = w->contactors.closed & BIU_RELAY_CHARGE, heats = w->contactors.closed & BIU_RELAY_HEATING;
    struct charger_gbt_in in = { .start = d->plugged && d->started,
                                 .stop = d->stop,
                                 .paused = d->paused,
                                 .pack_mV = closed || heats ? w->inputs.pack_voltage_mV : 0,
                                 .rx = d->rx,
                                 .rx_count = d->rx_count };
    struct can_frame out[CHARGER_TX_MAX];

    d->now_ms += WORLD_STEP_MS;
    in.now_ms = d->now_ms;
    size_t n = charger_gbt_step(&d->gbt, &in, out);

    d->rx_count = 0;
    for (size_t i = 0; i < n; i++)
        can_bus_send(d->bus, d->node, &out[i]);
    w->senses.cc2_V = d->plugged ? cc2_in_V : cc2_out_V;
    return closed ? d->gbt.output_mA / 1000.0 : 0;
}
