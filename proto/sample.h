/* SPDX-License-Identifier: Apache-2.0 */
/* sample.h -- everything the board knows about the pack at one instant. The one thing that travels, from the BIU to the database.
 *
 * `(device, boot, no)` names it. Values that are not there carry their reason (validity.h). Current is positive on discharge (units.h).
 */
#ifndef PROTO_SAMPLE_H
#define PROTO_SAMPLE_H

#include <stdbool.h>
#include <stdint.h>

#include "common/units.h"
#include "proto/validity.h"

/* SAMPLE_pack_voltage_mV = 0, ...: the recorded rows of signals.def, in their order. */
enum sample_scalar {
#define SAMPLE_SCALAR_0(name)
#define SAMPLE_SCALAR_1(name)                                                           SAMPLE_##name,
#define SIGNAL(message, name, start_bit, bits, kind, unit, min, max, recorded, comment) SAMPLE_SCALAR_##recorded(name)
#include "proto/signals.def"
#undef SAMPLE_SCALAR_0
#undef SAMPLE_SCALAR_1
    SAMPLE_SCALARS
};

enum pack_mode { PACK_MODE_INIT = 0, PACK_MODE_PARKED = 1, PACK_MODE_DRIVING = 2, PACK_MODE_CHARGING = 3, PACK_MODE_FAULT = 4 };
enum alarm_level { ALARM_NONE = 0, ALARM_WARNING = 1, ALARM_MAJOR = 2 };

enum { SAMPLE_ALARM_SIMULATED = 0xFFFF }; /* `number` of an alarm that a tester has simulated (UC-6) */

struct sample_alarm {
    uint8_t alarm;   /* id in alarms.def */
    uint8_t level;   /* enum alarm_level */
    uint16_t number; /* cell, probe or chip, 1-based; 0 = the pack; SAMPLE_ALARM_SIMULATED */
    int16_t value;   /* in the alarm's unit, saturated */
};

struct sample {
    uint64_t utc_ms; /* since 1970; 0 = the board has no clock yet */
    uint32_t boot;
    uint32_t no;    /* from 1 at each board start */
    uint8_t cells;  /* 0 to PACK_CELLS_MAX */
    uint8_t temps;  /* 0 to PACK_TEMPS_MAX */
    uint8_t alarms; /* 0 to SAMPLE_ALARMS_MAX */
    int32_t scalar[SAMPLE_SCALARS];
    uint16_t cell_mV[PACK_CELLS_MAX];
    int16_t temp_ddegC[PACK_TEMPS_MAX];
    uint16_t balancing[PACK_CELLS_MAX / 16]; /* bit i of element k: cell 16 k + i + 1 */
    struct sample_alarm alarm[SAMPLE_ALARMS_MAX];
};

/* 48 bits on CAN: alarm id, level, number (16), value (16). */
static inline uint64_t sample_alarm_pack(const struct sample_alarm *a)
{
    return (uint64_t)a->alarm | (uint64_t)a->level << 8 | (uint64_t)a->number << 16 | (uint64_t)(uint16_t)a->value << 32;
}

static inline struct sample_alarm sample_alarm_unpack(uint64_t raw)
{
    return (struct sample_alarm) {
        .alarm = (uint8_t)raw, .level = (uint8_t)(raw >> 8), .number = (uint16_t)(raw >> 16), .value = (int16_t)(uint16_t)(raw >> 32)
    };
}

/* Field by field; unused array elements do not count. */
bool sample_is_equal(const struct sample *a, const struct sample *b);

#endif
