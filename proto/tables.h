/* SPDX-License-Identifier: Apache-2.0 */
/* tables.h -- params.def and alarms.def as C tables. */
#ifndef PROTO_TABLES_H
#define PROTO_TABLES_H

#include <stdbool.h>
#include <stdint.h>

enum chemistry { CHEMISTRY_NMC = 0, CHEMISTRY_LFP = 1, CHEMISTRY_NIMH = 2, CHEMISTRY_SCAP = 3, CHEMISTRIES };

/* Dense index of each parameter: PARAM_cell_over_voltage_limit, ...; the id of a row is in the row. */
enum param {
#define PARAM(id, name, group, unit, min, max, nmc, lfp, nimh, scap, restart, text, why) PARAM_##name,
#include "proto/params.def"
    PARAMS
};

struct param_row {
    uint16_t id;
    const char *name, *group, *unit, *text, *why;
    int32_t min, max;
    int32_t dflt[CHEMISTRIES];
    bool restart;
};

enum alarm_quantity {                             /* and what `number` counts */
                      ALARM_Q_CELL_VOLTAGE,       /* every cell, mV; number = cell */
                      ALARM_Q_CELL_SPREAD,        /* highest minus lowest valid cell, mV; number = the cell further from the mean */
                      ALARM_Q_TEMPERATURE,        /* every probe, 0.1 degC; number = probe */
                      ALARM_Q_AFE_AGE,            /* ms since the last good answer of each chip; number = chip */
                      ALARM_Q_CURRENT_AGE,        /* ms since the last good frame of the current sensor; number 0 */
                      ALARM_Q_CELL_INVALID,       /* validity code of every cell while its chip answers; number = cell */
                      ALARM_Q_PROBE_INVALID,      /* validity code of every fitted probe while its chip answers; number = probe */
                      ALARM_Q_PACK_VOLTAGE,       /* total voltage divided by the cells in series, mV; number 0 */
                      ALARM_Q_CURRENT,            /* 0.1 A, positive on discharge; number 0 */
                      ALARM_Q_CHARGE_TEMPERATURE, /* as TEMPERATURE, while charging is asked for or going on */
                      ALARM_Q_TEMPERATURE_SPREAD, /* highest minus lowest valid probe, 0.1 degC; number = the probe further from the mean */
                      ALARM_Q_TEMPERATURE_RISE,   /* over the last 1 to 2 s, 0.1 degC; number = probe */
                      ALARM_Q_INSULATION,         /* insulation resistance by total voltage, ohm/V; number 0 */
                      ALARM_Q_SOC,                /* 0.01 %; ABOVE counts only while a charge current flows; number 0 */
                      ALARM_Q_SUPPLY,             /* VCC, mV; number 0 */
                      ALARM_Q_SUPPLY_APART,       /* VCC against KeyOn and wake-up, where these are there, mV; number 0 */
                      ALARM_Q_SUM_APART,          /* sum of cells against total voltage, mV for each cell; number 0 */
                      ALARM_Q_WELD,               /* 1 = a contactor is closed against its command; number = relay, 0 = one of them */
                      ALARM_Q_STUCK,              /* 1 = a contactor is open against its command; number = relay */
                      ALARM_Q_PRECHARGE,          /* why pre-charge failed (enum contactor_why), 0 = it has not; number 0 */
                      ALARM_Q_HVIL,               /* 1 = the high-voltage interlock loop is open; number 0 */
                      ALARM_Q_INLET_TEMPERATURE,  /* charging interface, while charging, 0.1 degC; number = NTC */
                      ALARM_Q_CHIP_APART,         /* mean cell of an AFE chip against that of the others, mV; number = chip */
                      ALARM_Q_UNIT_DEGRADED, /* number of the first unit that is not well (self_units.def), 0 = none; number = the unit */
                      ALARM_Q_UNIT_FAILED,   /* number of the first unit that has failed (self_units.def), 0 = none; number = the unit */
                      ALARM_Q_VCU_AGE,       /* ms since the last good VCU_Orders, 0 where they are not needed; number 0 */
                      ALARM_Q_SOC_JUMP,      /* change of SOC within a minute that no current explains, 0.01 %; number 0 */
                      ALARM_Q_TEMPERATURE_RATE, /* over the last minute or less, 0.1 degC; number = probe */
                      ALARM_Q_RUNAWAY,          /* sum of enum runaway_sign of a chip that is suspected, 0 = none; number = chip */
                      ALARM_Q_PROBES_LOST,      /* share of the probes without a value while their chip answers, %; number = the first */
                      ALARM_Q_PROBES_LOST_CHARGING, /* the same while charging is asked for or going on */
                      ALARM_Q_HEATING_WELD,         /* 1 = RL4 is closed against its command; number = 4 */
                      ALARM_Q_OUTPUT_WRONG,         /* 1 = an output does not follow; number = relay */
                      ALARM_Q_CHARGE_FAULT,         /* enum charge_end when the charger was at fault, else 0; number 0 */
                      ALARM_Q_CHARGER_ERROR, /* what the talk with a DC charger failed by (fast_charge_trouble()), 0 = it has not; number 0 */
                      ALARM_Q_DIE_TEMPERATURE, /* an AFE chip's own temperature, 0.1 degC; number = chip */
                      ALARM_QUANTITIES
};

enum alarm_compare { ALARM_ABOVE, ALARM_BELOW }; /* set when value >= limit, or <= limit */
enum alarm_reaction {                            /* from the mildest to the hardest; values of the parameters <alarm>_reaction */
                      ALARM_REACT_NONE,          /* tell */
                      ALARM_REACT_DERATE,        /* less power */
                      ALARM_REACT_END,           /* no power; the contactors open without load, or under load after alarm_open_wait_ms */
                      ALARM_REACT_OPEN,          /* the contactors open at once */
                      ALARM_REACTIONS
};

enum alarm { /* dense index: ALARM_cell_over_voltage, ... */
#define ALARM(id, name, quantity, compare, level, unit, reaction, latch, dtc, text) ALARM_##name,
#include "proto/alarms.def"
             ALARMS
};

struct alarm_row {
    uint8_t id;
    const char *name, *unit, *text;
    enum alarm_quantity quantity;
    enum alarm_compare compare;
    uint8_t level;             /* enum alarm_level */
    enum alarm_reaction least; /* the parameter cannot be set below; what the safety of the pack needs */
    bool latch;                /* stays until nothing is asked for */
    uint32_t dtc;
    enum param limit, clear, set_ms, clear_ms, reaction;
};

extern const struct param_row param_rows[PARAMS];
extern const struct alarm_row alarm_rows[ALARMS];

/* Index of the row with this id, or BMS_ERR_UNKNOWN. */
int param_by_id(uint16_t id);
int alarm_by_id(uint8_t id);

/* CRC-32C over the pairs (id u16, value i32; little-endian) in table order: names one set of values. values[PARAMS]. */
uint32_t param_hash(const int32_t *values);

/* Names this version of the tables of signals, parameters and alarms: changes when any row changes that a reader acts on. "hash" of catalogue.json. */
uint32_t tables_hash(void);

/* "nmc", "lfp", "nimh", "scap"; NULL when out of range. */
const char *chemistry_word(int32_t chemistry);

#endif
