/* SPDX-License-Identifier: Apache-2.0 */
/* can0.h -- the frames of CAN0: identifiers, checksum, and one function each way for any row of signals.def.
 *
 * Identifier: 0x18F00000 + number * 0x100 + the sender's address (BIU 0x10, CSU 0x20, DTU 0xF1): proprietary, priority 6.
 * Byte 0 is crc8_j1850 over the 4 identifier bytes (little-endian) and bytes 1 to 7; byte 1 is the counter.
 */
#ifndef PROTO_CAN0_H
#define PROTO_CAN0_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/can.h"

enum { CAN0_ADDR_BIU = 0x10, CAN0_ADDR_CSU = 0x20, CAN0_ADDR_DTU = 0xF1 };
#define CAN0_ID_FROM(number, address) (0x18F00000u + ((uint32_t)(number) << 8) + (uint32_t)(address))
#define CAN0_ISOTP_TO_BIU             0x18DA10F1u
#define CAN0_ISOTP_FROM_BIU           0x18DAF110u
#define CAN0_ISOTP_TO_ALL             0x18DB33F1u /* functional, ISO 15765-4 */

enum can0_number { /* CAN0_BIU_PackElectrical = 0x10, ... */
#define MESSAGE(name, number, period_ms, stream, comment)                                      CAN0_##name = (number),
#define ARRAY(name, first_number, per_message, bits, kind, unit, min, max, count_max, comment) CAN0_##name = (first_number),
#include "proto/signals.def"
};

enum can0_signal { /* CAN0_SIG_pack_voltage_mV, ... in table order */
#define SIGNAL(message, name, start_bit, bits, kind, unit, min, max, recorded, comment) CAN0_SIG_##name,
#include "proto/signals.def"
                   CAN0_SIGNALS
};

enum can0_array { /* CAN0_ARR_BIU_CellVoltage, ... */
#define ARRAY(name, first_number, per_message, bits, kind, unit, min, max, count_max, comment) CAN0_ARR_##name,
#include "proto/signals.def"
                  CAN0_ARRAYS
};

struct can0_message_row {
    const char *name;
    uint16_t number;
    uint16_t period_ms;
    bool stream;
    const char *comment;
};

struct can0_signal_row {
    const char *name;
    const char *unit;
    const char *comment;
    int32_t min, max;
    uint16_t message; /* number */
    uint8_t start_bit, bits;
    char kind;     /* 'U', 'S', 'B' */
    int8_t scalar; /* index in sample.scalar[], or -1 when it is on CAN only */
};

struct can0_array_row {
    const char *name;
    const char *unit;
    const char *comment;
    int32_t min, max;
    uint16_t first_number;
    uint8_t per_message, bits, count_max;
    char kind;
};

enum {
#define MESSAGE(name, number, period_ms, stream, comment) CAN0_MSGIDX_##name,
#include "proto/signals.def"
    CAN0_MESSAGES
};

extern const struct can0_message_row can0_messages[CAN0_MESSAGES];
extern const struct can0_signal_row can0_signals[CAN0_SIGNALS];
extern const struct can0_array_row can0_arrays[CAN0_ARRAYS];

/* Start a frame: identifier, length 8, payload zero. */
struct can_frame can0_begin(unsigned number, uint8_t address);

/* Raw field access, no validity: start_bit >= 16, bits 1 to 48, Intel order. */
void can0_put_raw(struct can_frame *f, unsigned start_bit, unsigned bits, uint64_t raw);
uint64_t can0_get_raw(const struct can_frame *f, unsigned start_bit, unsigned bits);

/* One signal as a sample scalar (validity.h codes in, validity codes out; kind B passes 32 bits). A value outside the row's range is
 * sent, and read, as VALIDITY_IMPLAUSIBLE. */
void can0_put(struct can_frame *f, enum can0_signal sig, int32_t value);
int32_t can0_get(const struct can_frame *f, enum can0_signal sig);

/* Scalar <-> raw field of `bits` and `kind`, with the range of a row; used by can0_put/get and for arrays. */
uint64_t can0_raw_of(int32_t value, unsigned bits, char kind, int32_t min, int32_t max);
int32_t can0_value_of(uint64_t raw, unsigned bits, char kind, int32_t min, int32_t max);

/* Set the counter and the checksum: the last thing before sending. */
void can0_finish(struct can_frame *f, uint8_t counter);

/* 0, or BMS_ERR_CORRUPT (not 29 bit, not 8 bytes, not ours, or checksum wrong). On 0 *number and *address are set. */
int can0_check(const struct can_frame *f, unsigned *number, uint8_t *address);

#endif
