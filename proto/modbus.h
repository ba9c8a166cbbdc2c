/* SPDX-License-Identifier: Apache-2.0 */
/* modbus.h -- the map of registers (modbus.def) as C tables, and where the parameters lie in it.
 *
 * A value that is not there keeps its reason (validity.h): an unsigned register 0x10000 - code, a signed one 0x8000 + code - 1. What does not fit
 * into a register is at its end.
 */
#ifndef PROTO_MODBUS_H
#define PROTO_MODBUS_H

#include <stdbool.h>
#include <stdint.h>

#include "proto/sample.h"

enum modbus_function {
    MODBUS_READ_HOLDING = 0x03,
    MODBUS_READ_INPUT = 0x04,
    MODBUS_WRITE_ONE = 0x06,
    MODBUS_WRITE_MANY = 0x10,
    MODBUS_ENCAPSULATED = 0x2B, /* with MEI type 0x0E: read device identification */
};

enum modbus_exception {
    MODBUS_ILLEGAL_FUNCTION = 1, /* also: a write that needs a key, which Modbus cannot give */
    MODBUS_ILLEGAL_ADDRESS = 2,
    MODBUS_ILLEGAL_VALUE = 3,
    MODBUS_FAILURE = 4,
    MODBUS_BUSY = 6, /* a cable tool has the line, or the memory works */
};

enum {
    MODBUS_PDU_MAX = 253,
    MODBUS_READ_MAX = 125,  /* registers */
    MODBUS_WRITE_MAX = 123, /* registers */
    MODBUS_MEI_DEVICE = 0x0E,
};

enum { /* holding registers of the parameters; 32-bit values are two registers, the high half first, read and written together */
       MODBUS_PARAM_16 = 10000,      /* + id: the running value, where every value of the row fits into 16 bits; function 06 may write it */
       MODBUS_PARAM_RUNNING = 20000, /* + 2 id: the running value */
       MODBUS_PARAM_STORED = 30000,  /* + 2 id: the stored value, read only */
       MODBUS_PARAM_IDS = 4096,
};

enum modbus_kind { MODBUS_KIND_U, MODBUS_KIND_S, MODBUS_KIND_H, MODBUS_KIND_L };

enum modbus_what {
    MODBUS_CELLS,
    MODBUS_PROBES,
    MODBUS_ALARMS,
    MODBUS_CELL_MAX,
    MODBUS_CELL_MAX_NO,
    MODBUS_CELL_MIN,
    MODBUS_CELL_MIN_NO,
    MODBUS_TEMP_MAX,
    MODBUS_TEMP_MAX_NO,
    MODBUS_TEMP_MIN,
    MODBUS_TEMP_MIN_NO,
    MODBUS_SAMPLE_NO_H,
    MODBUS_SAMPLE_NO_L,
    MODBUS_CATALOGUE_H,
    MODBUS_CATALOGUE_L,
    MODBUS_ALARM,
    MODBUS_CELL,
    MODBUS_TEMP,
    MODBUS_COMMAND,
    MODBUS_RESULT,
    MODBUS_SOC_SET,
};

struct modbus_row {
    uint16_t address, count;
    bool scalar;        /* of the sample; else made by `what` */
    uint8_t what, kind; /* enum sample_scalar or enum modbus_what; enum modbus_kind of a scalar */
    int16_t divide;
    const char *name, *unit, *text;
};

enum {
#define INPUT(address, name, scalar, divide, kind, unit, text) MODBUS_AT_##name = (address),
#define OTHER(address, name, what, unit, text)                 MODBUS_AT_##name = (address),
#define BLOCK(address, count, name, what, unit, text)          MODBUS_AT_##name = (address),
#define HOLD(address, name, what, unit, text)                  MODBUS_HOLD_##name = (address),
#include "proto/modbus.def"
};

extern const struct modbus_row modbus_inputs[], modbus_holdings[];
extern const uint16_t modbus_input_count, modbus_holding_count;

#endif
