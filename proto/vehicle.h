/* SPDX-License-Identifier: Apache-2.0 */
/* vehicle.h -- the frames of CAN1, the vehicle bus: rows of vehicle.def as tables, and one function each way for any of them.
 *
 * Every frame is protected as by AUTOSAR E2E profile 1, variant 1A: byte 0 is the CRC-8 with the polynomial of SAE J1850 (start 0x00, no
 * final inversion) over the low and the high byte of the data id and bytes 1 to 7; the low half of byte 1 is a counter from 0 to 14.
 * The data id, VEHICLE_DATA_ID(identifier), is not sent: a frame that is put on the bus under another identifier does not pass.
 */
#ifndef PROTO_VEHICLE_H
#define PROTO_VEHICLE_H

#include <stdbool.h>
#include <stdint.h>

#include "common/can.h"

enum { VEHICLE_SLOT_MS = 10, VEHICLE_SLOTS = 100, VEHICLE_COUNTERS = 15, VEHICLE_OWN = -1 };
#define VEHICLE_DATA_ID(id) (uint16_t)(0x5700u + (id))

enum vehicle_node { VEHICLE_BMS, VEHICLE_VCU };

enum vehicle_message { /* VEHICLE_BMS_Safety, ... in table order */
#define VEHICLE_MESSAGE(name, id, from, period_ms, slot, comment) VEHICLE_##name,
#include "proto/vehicle.def"
                       VEHICLE_MESSAGES
};

enum vehicle_signal { /* VEHICLE_SIG_safe_voltage_dV, ... */
#define VEHICLE_SIGNAL(message, name, start_bit, bits, kind, unit, min, max, source, comment) VEHICLE_SIG_##name,
#include "proto/vehicle.def"
                      VEHICLE_SIGNALS
};

enum vehicle_array { /* VEHICLE_ARR_BMS_CellVoltage, ... */
#define VEHICLE_ARRAY(name, first_id, per_message, bits, kind, unit, min, max, count_max, comment) VEHICLE_ARR_##name,
#include "proto/vehicle.def"
                     VEHICLE_ARRAYS
};

enum { /* messages that the arrays need, in table order */
       VEHICLE_ARRAY_MESSAGES = 0
#define VEHICLE_ARRAY(name, first_id, per_message, bits, kind, unit, min, max, count_max, comment)                                         \
    +((count_max) + (per_message)-1) / (per_message)
#include "proto/vehicle.def"
};

struct vehicle_message_row {
    const char *name, *comment;
    uint16_t id, period_ms;
    uint8_t slot;
    enum vehicle_node from;
};

struct vehicle_signal_row {
    const char *name, *unit, *comment;
    int32_t min, max;
    enum vehicle_message message;
    uint8_t start_bit, bits;
    char kind;      /* 'U', 'S', 'B' */
    int16_t source; /* index in sample.scalar[], or VEHICLE_OWN */
};

struct vehicle_array_row {
    const char *name, *unit, *comment;
    int32_t min, max;
    uint16_t first_id;
    uint8_t per_message, bits, count_max;
    char kind;
};

extern const struct vehicle_message_row vehicle_messages[VEHICLE_MESSAGES];
extern const struct vehicle_signal_row vehicle_signals[VEHICLE_SIGNALS];
extern const struct vehicle_array_row vehicle_arrays[VEHICLE_ARRAYS];

/* True when a message of this row is due in slot 0 to VEHICLE_SLOTS - 1. */
bool vehicle_is_due(enum vehicle_message message, unsigned slot);

/* Which of the VEHICLE_ARRAY_MESSAGES is due in a slot, or -1; each is due once, never two in one slot. */
int vehicle_array_due(unsigned slot);

/* Start a frame: identifier, length 8, payload zero. */
struct can_frame vehicle_begin(uint16_t id);

/* One signal as a sample scalar, as can0_put() and can0_get() have it: what is out of range is sent and read as implausible. */
void vehicle_put(struct can_frame *f, enum vehicle_signal sig, int32_t value);
int32_t vehicle_get(const struct can_frame *f, enum vehicle_signal sig);

/* Element `at` (0-based) of a message of this array. */
void vehicle_put_element(struct can_frame *f, enum vehicle_array array, unsigned at, int32_t value);

/* Set the counter (0 to 14) and the CRC: the last thing before sending. */
void vehicle_protect(struct can_frame *f, uint8_t counter);

/* A frame of 8 bytes with an 11-bit identifier whose CRC is right; *counter is set then. */
bool vehicle_check(const struct can_frame *f, uint8_t *counter);

#endif
