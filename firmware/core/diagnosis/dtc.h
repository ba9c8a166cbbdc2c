/* SPDX-License-Identifier: Apache-2.0 */
/* dtc.h -- the trouble codes of the alarms: status bits as ISO 14229-1 D.2 has them, how often, and what the pack was like when one came.
 *
 * Fed every 10 ms with the active alarms; it judges nothing itself. One row for each row of alarms.def. One operation cycle is one start of the
 * board. A confirmed code that was tested and did not fail in so many cycles ages out: it is confirmed no more, its snapshot and counters go;
 * "failed since the last clear" stays until service 0x14. What a start must find again goes to memory as dtc_image.h packs it.
 */
#ifndef FIRMWARE_DTC_H
#define FIRMWARE_DTC_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "firmware/core/protection/freeze.h"
#include "proto/sample.h"
#include "proto/tables.h"

enum dtc_status {
    DTC_FAILED = 1 << 0,
    DTC_FAILED_THIS_CYCLE = 1 << 1,
    DTC_PENDING = 1 << 2,
    DTC_CONFIRMED = 1 << 3,
    DTC_NOT_TESTED_SINCE_CLEAR = 1 << 4,
    DTC_FAILED_SINCE_CLEAR = 1 << 5,
    DTC_NOT_TESTED_THIS_CYCLE = 1 << 6,
    DTC_WARNING = 1 << 7, /* an active major alarm */
};
enum { /* what a memory keeps; not what depends on the moment. Bits 1 and 6 tell the next start how this cycle went. */
       DTC_KEPT = DTC_FAILED_THIS_CYCLE | DTC_PENDING | DTC_CONFIRMED | DTC_NOT_TESTED_SINCE_CLEAR | DTC_FAILED_SINCE_CLEAR |
                  DTC_NOT_TESTED_THIS_CYCLE
};
enum { DTC_ALL = 0xFFFFFF, DTC_OCCURRENCES_MAX = 255 };

struct dtc_snapshot { /* the moment an alarm came, the first time since the last clear */
    struct sample_alarm alarm;
    int32_t pack_mV, pack_mA, soc_permyriad; /* sample scalars */
    uint64_t utc_ms;
};

struct dtc_row {
    uint8_t status, occurrences;
    uint8_t ageing;               /* operation cycles that were tested and did not fail, since the last that did */
    struct dtc_snapshot snapshot; /* valid when occurrences > 0 */
};

struct dtc_memory {
    struct dtc_row row[ALARMS];
    bool held;            /* by service 0x85: nothing is noted */
    uint32_t changes;     /* counts up when there is something new for the memory */
    struct freeze freeze; /* the ten seconds before a code came; fed by the BIU */
};

void dtc_init(struct dtc_memory *d);

/* An operation cycle begins, the one before is judged: after a pass a code is pending no more and older by one cycle; at ageing_cycles (parameter
 * dtc_ageing_cycles) it ages out. A cycle in which the alarm was not tested does not count. */
void dtc_begin_cycle(struct dtc_memory *d, int32_t ageing_cycles);

/* The memory keeps this row: it has failed since the last clear. */
static inline bool dtc_is_kept(const struct dtc_row *row)
{
    return row->status & DTC_FAILED_SINCE_CLEAR;
}

/* active[n]: alarm_list(). `now`: what a snapshot keeps besides the alarm. tested: everything has been measured, so what is not active has passed. */
void dtc_step(struct dtc_memory *d, const struct sample_alarm *active, size_t n, bool tested, const struct dtc_snapshot *now);

/* Forget one code, or DTC_ALL. What is still active comes again in the next step. Returns 0, or BMS_ERR_UNKNOWN. */
int dtc_clear(struct dtc_memory *d, uint32_t dtc);

/* Index of the row with this code, or BMS_ERR_UNKNOWN. */
int dtc_find(uint32_t dtc);

#endif
