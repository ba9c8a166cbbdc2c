/* SPDX-License-Identifier: Apache-2.0 */
/* rollup.h -- an hour of one vehicle as minutes, and as one value: what a long history is drawn from. Pure.
 *
 * Of each quantity every minute keeps count, min, mean and max of its valid samples; a minute without any has count 0. The packed form:
 *
 *   version 1 | quantities | slots | for each quantity, for each slot: varint count, and when it is not 0
 *             zigzag varint (min - min of the slot before), varint (max - min), varint (mean - min)
 *
 * Slots are 60 minutes, or 1 for the whole hour. A reader skips quantities that it does not know; those it misses stay empty.
 */
#ifndef SERVER_ROLLUP_H
#define SERVER_ROLLUP_H

#include "proto/sample.h"

#include <stddef.h>
#include <stdint.h>

/* Names as the history API has them; append only. */
#define ROLLUP_TABLE(X)                                                                                                                    \
    X(cell_min_mV)                                                                                                                         \
    X(cell_max_mV)                                                                                                                         \
    X(cell_mean_mV)                                                                                                                        \
    X(temp_max_ddegC)                                                                                                                      \
    X(temp_min_ddegC)                                                                                                                      \
    X(pack_voltage_mV)                                                                                                                     \
    X(pack_current_mA)                                                                                                                     \
    X(soc_permyriad)                                                                                                                       \
    X(soh_permyriad)                                                                                                                       \
    X(insulation_kohm)                                                                                                                     \
    X(alarm_level)

enum rollup_quantity {
#define X(name) ROLLUP_##name,
    ROLLUP_TABLE(X)
#undef X
        ROLLUP_QUANTITIES
};

enum {
    ROLLUP_MINUTES = 60,
    ROLLUP_MINUTE_MS = 60 * 1000,
    ROLLUP_HOUR_MS = 3600 * 1000,
    ROLLUP_BYTES_MAX = 3 + ROLLUP_QUANTITIES * ROLLUP_MINUTES * 20, /* four varints of 5 bytes */
};

struct rollup_slot {
    int64_t sum;
    int32_t min, max;
    uint32_t count;
};

struct rollup {
    int64_t hour_ms; /* UTC, a multiple of an hour */
    uint32_t samples;
    struct rollup_slot slot[ROLLUP_QUANTITIES][ROLLUP_MINUTES];
};

/* The quantity of this name, or -1. */
int rollup_find(const char *name);

/* Start an empty hour. */
void rollup_begin(struct rollup *r, int64_t hour_ms);

/* Take a sample; one outside of the hour is ignored. */
void rollup_add(struct rollup *r, const struct sample *s);

/* All minutes of a quantity as one slot. */
struct rollup_slot rollup_whole(const struct rollup *r, enum rollup_quantity q);

/* Half away from zero; count must not be 0. */
int32_t rollup_mean(const struct rollup_slot *s);

/* Pack the minutes, or the whole hour as one slot. Returns the bytes written; `out` holds ROLLUP_BYTES_MAX. */
size_t rollup_pack_minutes(const struct rollup *r, uint8_t *out);
size_t rollup_pack_hour(const struct rollup *r, uint8_t *out);

/* Unpack `slots` slots of each quantity into slot[q * slots + i]; sums are mean times count. Returns 0, BMS_ERR_TRUNCATED, BMS_ERR_SCHEMA (another
 * version or number of slots) or BMS_ERR_CORRUPT. */
int rollup_unpack(const uint8_t *bytes, size_t size, size_t slots, struct rollup_slot *slot);

#endif
