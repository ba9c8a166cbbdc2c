/* SPDX-License-Identifier: Apache-2.0 */
/* alarm.h -- judge every row of alarms.def against what is measured (AC-6). Called every 10 ms before anything else acts.
 *
 *   value beyond `limit` for set_ms ──> active, with the value and the cell, probe or chip that raised it
 *   value inside `clear` for clear_ms ──> gone                  a quantity that cannot be compared holds the alarm as it is
 *
 * One alarm is one event, however many cells are beyond; it names the worst at the moment it was raised. A row with set_ms 0 is set in the
 * same call; a latched row goes only when nothing is asked for. What a row asks for is a parameter too, never milder than alarms.def says. Timers count spans, not clock readings, so nothing happens when a clock wraps.
 */
#ifndef FIRMWARE_ALARM_H
#define FIRMWARE_ALARM_H

#include <stdbool.h>
#include <stdint.h>

#include "firmware/core/measure/measure.h"
#include "proto/sample.h"
#include "proto/tables.h"

struct alarm_in {
    uint32_t dt_ms;
    bool released;                                 /* neither KeyOn nor charger asks for anything: latched alarms may go */
    struct measure_extreme high[ALARM_QUANTITIES]; /* the highest of each quantity, for rows that compare ABOVE */
    struct measure_extreme low[ALARM_QUANTITIES];  /* the lowest, for BELOW */
};

struct alarm_state {
    bool active, beyond, inside;
    uint16_t count;  /* how often it was set since the start; saturates */
    uint32_t for_ms; /* beyond the limit while not active, or inside the clear value while active */
    struct sample_alarm raised;
    uint32_t simulated_ms; /* a tester simulates it for so long still; 0 = not */
};

struct alarms {
    struct alarm_state row[ALARMS];
    uint8_t active; /* how many */
    uint8_t level;  /* enum alarm_level: the worst active */
    bool open;      /* the contactors must be open */
    bool end;       /* the power must end, then the contactors open */
    bool derate;    /* less power is asked for */
    bool simulation_changed;
};

void alarm_init(struct alarms *a);

/* Returns true when an alarm has come or gone. params[PARAMS]: the running copy. */
bool alarm_judge(struct alarms *a, const struct alarm_in *in, const int32_t *params);

enum { ALARM_SIMULATED_MAX_S = 600 };

/* Simulate the alarm of this row for so many ms (UC-6), 0 = no longer. It reacts as a real one would, is told with the number SAMPLE_ALARM_SIMULATED,
 * is not counted, and hides nothing: a real alarm of the same row is told instead. */
void alarm_simulate(struct alarms *a, enum alarm row, uint32_t ms);

/* What this row asks for now: the running parameter while it is active or simulated, else nothing. A parameter that is changed acts at once. */
enum alarm_reaction alarm_asks(const struct alarms *a, enum alarm row, const int32_t *params);

/* Forget how long values have been beyond or inside; active alarms stay. */
void alarm_hold(struct alarms *a);

/* The active alarms, in table order: out[SAMPLE_ALARMS_MAX]. Where they are too many, the major ones come first and the last warnings are
 * left out. Returns how many. */
uint8_t alarm_list(const struct alarms *a, struct sample_alarm *out);

/* The longest time from a limit crossed at the terminals to the reaction, ms: what has to be measured, the delay of the row, and a step; with
 * ALARM_REACT_END also the wait for no load. */
uint32_t alarm_promise_ms(const struct alarm_row *row, const int32_t *params);

#endif
