/* SPDX-License-Identifier: Apache-2.0 */
/* sense.h -- raw readings of a board's own inputs: plug, charging interface, analog inputs, interlock, current sensors, rails to chassis.
 *
 * Each is a sample scalar (proto/validity.h): a value in the unit of its name, or the reason why there is none; NOT_FITTED where the board has
 * no such input. Nothing is decoded here: plug.h, ntc.h, current.h and insulation.h do that.
 */
#ifndef FIRMWARE_SENSE_H
#define FIRMWARE_SENSE_H

#include <stdint.h>

#include "proto/validity.h"

enum { SENSE_INLETS = 2, SENSE_ANALOGS = 3 };

enum sense_bridge {                            /* resistors of the insulation bridge, commanded by the core */
                    SENSE_BRIDGE_POS = 1 << 0, /* positive rail to chassis */
                    SENSE_BRIDGE_NEG = 1 << 1, /* negative rail to chassis */
};

struct sense {
    int32_t cc_ohm;                  /* CC to PE; OPEN: nothing is between them */
    int32_t cp_mV;                   /* CP while it is high, 0 to 12,000 */
    int32_t cp_permille;             /* share of the time that it is high */
    int32_t cc2_mV;                  /* CC2 to PE, pulled up to 12 V through 1 kohm */
    int32_t inlet_ohm[SENSE_INLETS]; /* NTC1 and NTC2 of the charging interface */
    int32_t analog_mV[SENSE_ANALOGS];
    int32_t hvil;         /* high-voltage interlock loop: 1 closed, 0 open */
    int32_t hall_uV;      /* output of the Hall sensor */
    int32_t shunt_uV;     /* over the shunt, positive on discharge */
    int32_t sensor_ddegC; /* temperature of the Hall sensor or the shunt, 0.1 degC */
    int32_t rail_pos_mV;  /* positive rail above chassis */
    int32_t rail_neg_mV;  /* chassis above negative rail */
};

/* A board that has none of them. */
static inline void sense_absent(struct sense *s)
{
    int32_t none = scalar_invalid(VALIDITY_NOT_FITTED);

    *s = (struct sense) { .cc_ohm = none,
                          .cp_mV = none,
                          .cp_permille = none,
                          .cc2_mV = none,
                          .inlet_ohm = { none, none },
                          .analog_mV = { none, none, none },
                          .hvil = none,
                          .hall_uV = none,
                          .shunt_uV = none,
                          .sensor_ddegC = none,
                          .rail_pos_mV = none,
                          .rail_neg_mV = none };
}

#endif
