/* SPDX-License-Identifier: Apache-2.0 */
/* vehicle_bus.h -- CAN1: what the vehicle is told, all of it in a static schedule, and what it may order (TA-2). Called every 10 ms.
 *
 *   VCU_Orders ──> CRC, counter ──> orders ──(vcu_silent_limit without a good one)──> safe defaults: no drive, no charge
 *   scalars, cells, alarms ──> slot 0 .. 99 of the second ──> BMS_Safety + at most one row + at most one array message
 *
 * A good frame has the right CRC and a counter 1 to VEHICLE_BUS_LOST_MAX + 1 ahead of the last one (modulo 15). After a counter that repeats or jumps
 * further its orders are not taken, but the next is compared with it, so a sender that restarts is heard again from its second frame.
 * A sender that repeats one frame for ever is as good as silent. Pure: no clock, no pins. The frames are in proto/vehicle.def.
 */
#ifndef FIRMWARE_VEHICLE_BUS_H
#define FIRMWARE_VEHICLE_BUS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "firmware/core/measure/measure.h"
#include "firmware/core/protection/alarm.h"
#include "proto/vehicle.h"

enum { VEHICLE_BUS_LOST_MAX = 2 };

struct vehicle_orders {
    bool drive;  /* connect for driving */
    bool charge; /* charging is allowed */
    bool hv_off; /* disconnect */
};

struct vehicle_bus {
    struct vehicle_orders orders; /* of the last good frame */
    uint32_t age_ms;              /* since the last good frame, or since the start; saturates */
    uint32_t good, bad_crc, bad_counter, bad_value;
    bool heard; /* last_counter is one that was received */
    uint8_t last_counter;
    uint8_t slot; /* the next */
    uint8_t counter[VEHICLE_MESSAGES + VEHICLE_ARRAY_MESSAGES];
};

struct vehicle_view {      /* what there is to tell; all borrowed for the call */
    const int32_t *scalar; /* [SAMPLE_SCALARS], as they would be sampled now */
    const struct measure *measure;
    const struct alarms *alarms;
    const uint16_t *balancing; /* [PACK_CELLS_MAX / 16] */
    uint8_t cells, probes;     /* fitted */
    uint8_t closed;            /* BIU_RELAY_* read back */
    bool less_power, no_power; /* asked of the vehicle */
    bool orders_lost;
};

/* Nothing received, slot 0. */
void vehicle_bus_init(struct vehicle_bus *v);

/* Take what CAN1 has received in the last dt_ms. */
void vehicle_bus_take(struct vehicle_bus *v, const struct can_frame *rx, size_t n, uint32_t dt_ms);

/* Which of KeyOn and charger (BIU_INPUT_*) may be followed. Both, where parameter vcu_orders is 0. params[PARAMS]: the running copy. */
uint8_t vehicle_bus_allows(const struct vehicle_bus *v, const int32_t *params);

/* Orders are wanted, and the last good one is vcu_silent_limit old. */
bool vehicle_bus_is_lost(const struct vehicle_bus *v, const int32_t *params);

/* The frames of the next slot, at most `room` and at most 3: returns how many. A frame without room is not sent later. */
size_t vehicle_bus_tell(struct vehicle_bus *v, const struct vehicle_view *view, struct can_frame *out, size_t room);

#endif
