/* SPDX-License-Identifier: Apache-2.0 */
/* dc_charger.h -- a DC charging post: the charger of charger_gbt.h as a node of CAN2, with its plug in the vehicle's socket (CC2).
 *
 * The user plugs it in and presses start at once; when the charge is over he pulls the plug. What it drives flows through a closed RL3
 * into the pack, or through RL4 into the heater, at about the pack's voltage (model.h).
 */
#ifndef SIM_DC_CHARGER_H
#define SIM_DC_CHARGER_H

#include "sim/can_bus.h"
#include "sim/charger_gbt.h"
#include "sim/world.h"

enum { DC_CHARGER_RX_MAX = 128 };

struct dc_charger {
    struct charger_gbt gbt;
    struct can_bus *bus; /* borrowed */
    int node;
    bool plugged, started, stop, paused; /* what its user does */
    uint32_t now_ms;
    struct can_frame rx[DC_CHARGER_RX_MAX];
    size_t rx_count;
    uint32_t rx_lost;
};

/* 750 V and 250 A at most; ready 1 s after each request. */
extern const struct charger_gbt_config dc_charger_usual;

/* Returns 0 or BMS_ERR_NOSPACE. */
int dc_charger_init(struct dc_charger *d, struct can_bus *can2, const struct charger_gbt_config *cfg);

/* 10 ms. Sets CC2 of the world; returns the pack's current, A: negative into it, 0 while RL3 is open. */
double dc_charger_step(struct dc_charger *d, struct world *w);

#endif
