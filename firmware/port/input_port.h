/* SPDX-License-Identifier: Apache-2.0 */
/* input_port.h -- what a board must provide of its analog and digital inputs. Voltages are sample scalars (proto/validity.h). */
#ifndef FIRMWARE_INPUT_PORT_H
#define FIRMWARE_INPUT_PORT_H

#include <stdint.h>

#include "firmware/core/measure/sense.h"

struct input_reading {
    int32_t pack_voltage_mV, link_voltage_mV; /* before and behind the contactors */
    int32_t supply_mV, keyon_mV, charger_wake_mV;
    uint8_t inputs; /* BIU_INPUT_* */
    struct sense sense;
};

struct input_port {
    void *ctx;                                          /* handed back to every call, owned by the port */
    void (*read)(void *ctx, struct input_reading *now); /* fills every field; what cannot be read carries its reason */
    void (*bridge)(void *ctx, uint8_t mask);            /* connect exactly these SENSE_BRIDGE_*; NULL: the board has none */
};

#endif
