/* SPDX-License-Identifier: Apache-2.0 */
/* key_data.h -- what a board must not forget without power (AC-7): SOC, counters, extremes with their cells, how often each alarm came.
 *
 * Pure: when to save is decided here, by the supply that falls and by time; where it goes is firmware/app/key_store.h.
 */
#ifndef FIRMWARE_KEY_DATA_H
#define FIRMWARE_KEY_DATA_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "firmware/core/actuators/contactor.h"
#include "firmware/core/estimation/soc.h"
#include "firmware/core/measure/measure.h"

enum {
    KEY_ALARMS = 64,
    KEY_RELAYS = 8,
    KEY_DATA_FIRST_SIZE = 4 + 3 * 8 + 4 * 5 + 2 * 4 + CONTACTOR_RELAYS * 8 + KEY_ALARMS * 2, /* the first format */
    KEY_DATA_SECOND_SIZE = KEY_DATA_FIRST_SIZE + 6 * 4,                                      /* and how sure the SOC is, and SOH */
    KEY_DATA_SIZE = KEY_DATA_SECOND_SIZE + (KEY_RELAYS - CONTACTOR_RELAYS) * 8               /* and RL4 to RL8 */
};

struct key_extreme { /* since production */
    bool known;
    int16_t value;
    uint16_t number; /* cell or probe */
};

struct key_data {
    uint32_t boot;                           /* in which start it was saved */
    struct soc_saved soc;                    /* state of charge with its variance (soc.h) */
    int64_t discharged_mAms, charged_mAms;   /* through the current sensor, each counted upwards */
    struct key_extreme cell_max, cell_min;   /* mV */
    struct key_extreme temp_max, temp_min;   /* 0.1 degC */
    int32_t discharge_max_mA, charge_max_mA; /* highest currents, both positive */
    struct relay_wear wear[KEY_RELAYS];      /* RL1 to RL8 */
    uint16_t alarms[KEY_ALARMS];             /* occurrences, by alarm id */
};

struct key_saving {
    uint32_t since_ms; /* since the last save */
    bool low;          /* the supply is low, and that has been saved */
};

/* One step: extremes and counters. current_mA: sample scalar. */
void key_data_note(struct key_data *k, const struct measure *m, int32_t current_mA, uint32_t dt_ms);

/* Save now? Once when the supply falls to key_save_supply_mV (again after it was 500 mV higher), and every key_save_ms. */
bool key_data_is_due(struct key_saving *s, int32_t supply_mV, uint32_t dt_ms, const int32_t *params);

/* To out[KEY_DATA_SIZE], little-endian; floats as IEEE 754. From in[n], n = KEY_DATA_SIZE, KEY_DATA_SECOND_SIZE or KEY_DATA_FIRST_SIZE: what an
 * older format did not have becomes 0. */
void key_data_pack(const struct key_data *k, uint8_t *out);
void key_data_unpack(struct key_data *k, const uint8_t *in, size_t n);

#endif
