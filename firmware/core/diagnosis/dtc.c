/* SPDX-License-Identifier: Apache-2.0 */
#include "firmware/core/diagnosis/dtc.h"

#include "common/err.h"

enum { FRESH = DTC_NOT_TESTED_SINCE_CLEAR | DTC_NOT_TESTED_THIS_CYCLE };

static void forget(struct dtc_row *row)
{
    *row = (struct dtc_row) { .status = FRESH };
}

void dtc_init(struct dtc_memory *d)
{
    d->held = false;
    d->changes = 0;
    freeze_init(&d->freeze);
    for (int i = 0; i < ALARMS; i++)
        forget(&d->row[i]);
}

/* ISO 14229-1 D.2: no code is failed or warns before it has been tested in this cycle. */
static void begin_cycle(struct dtc_row *row, int32_t ageing_cycles)
{
    bool passed = !(row->status & (DTC_FAILED_THIS_CYCLE | DTC_NOT_TESTED_THIS_CYCLE));
    unsigned gone = DTC_FAILED | DTC_FAILED_THIS_CYCLE | DTC_WARNING | (passed ? DTC_PENDING : 0u);

    if (passed && (row->status & DTC_CONFIRMED) && ++row->ageing >= ageing_cycles) {
        gone |= DTC_CONFIRMED;
        row->occurrences = row->ageing = 0;
        row->snapshot = (struct dtc_snapshot) { .utc_ms = 0 };
    }
    row->status = (uint8_t)((row->status & ~gone) | DTC_NOT_TESTED_THIS_CYCLE);
}

void dtc_begin_cycle(struct dtc_memory *d, int32_t ageing_cycles)
{
    for (int i = 0; i < ALARMS; i++)
        begin_cycle(&d->row[i], ageing_cycles);
}

/* The memory learns of the first pass since a clear, and for a code that it keeps of the first in each cycle. */
static void pass(struct dtc_memory *d, struct dtc_row *row, bool tested)
{
    unsigned gone = DTC_FAILED | DTC_WARNING | (tested ? FRESH : 0u);
    unsigned news = DTC_NOT_TESTED_SINCE_CLEAR | (dtc_is_kept(row) ? DTC_NOT_TESTED_THIS_CYCLE : 0u);

    if (tested && (row->status & news))
        d->changes++;
    row->status = (uint8_t)(row->status & ~gone);
}

static void fail(struct dtc_memory *d, int i, const struct sample_alarm *alarm, const struct dtc_snapshot *now)
{
    struct dtc_row *row = &d->row[i], was = *row;
    unsigned set = DTC_FAILED | DTC_FAILED_THIS_CYCLE | DTC_PENDING | DTC_CONFIRMED | DTC_FAILED_SINCE_CLEAR;

    bool was_simulated = row->occurrences && row->snapshot.alarm.number == SAMPLE_ALARM_SIMULATED;
    bool is_real_now = was_simulated && alarm->number != SAMPLE_ALARM_SIMULATED;

    if ((row->status & DTC_FAILED) && !is_real_now)
        return;
    if (row->occurrences == 0 || is_real_now) { /* a simulated failure does not keep the place of a real one */
        row->snapshot = *now;
        row->snapshot.alarm = *alarm;
        freeze_take(&d->freeze, (uint16_t)i, alarm->level == ALARM_MAJOR);
    }
    if (row->occurrences < DTC_OCCURRENCES_MAX)
        row->occurrences++;
    row->ageing = 0;
    row->status = (uint8_t)((row->status & ~(unsigned)FRESH) | set | (alarm->level == ALARM_MAJOR ? DTC_WARNING : 0u));
    if (is_real_now || row->occurrences != was.occurrences || row->ageing != was.ageing || ((row->status ^ was.status) & DTC_KEPT))
        d->changes++;
}

void dtc_step(struct dtc_memory *d, const struct sample_alarm *active, size_t n, bool tested, const struct dtc_snapshot *now)
{
    if (d->held)
        return;
    for (int i = 0; i < ALARMS; i++) {
        const struct sample_alarm *alarm = NULL;

        for (size_t k = 0; k < n && !alarm; k++)
            if (active[k].alarm == alarm_rows[i].id)
                alarm = &active[k];
        if (alarm)
            fail(d, i, alarm, now);
        else
            pass(d, &d->row[i], tested);
    }
}

int dtc_find(uint32_t dtc)
{
    for (int i = 0; i < ALARMS; i++)
        if (alarm_rows[i].dtc == dtc)
            return i;
    return BMS_ERR_UNKNOWN;
}

int dtc_clear(struct dtc_memory *d, uint32_t dtc)
{
    int one = dtc_find(dtc);

    if (dtc != DTC_ALL && one < 0)
        return BMS_ERR_UNKNOWN;
    for (int i = 0; i < ALARMS; i++)
        if (dtc == DTC_ALL || i == one) {
            forget(&d->row[i]);
            freeze_forget(&d->freeze, (uint16_t)i);
        }
    d->changes++;
    return BMS_ERR_OK;
}
