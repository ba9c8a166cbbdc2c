/* SPDX-License-Identifier: Apache-2.0 */
/* limits.h -- how much current and power the pack may give and take now (ES-3, AC-6). Called every 10 ms.
 *
 * discharge_max_dA and charge_max_dA, times the least of the ramps over temperature, SOC and cell voltage (two parameters each: nothing at
 * `none`, all at `full`, a straight line between), but no more than what the estimation predicts, if it does (to take:
 * at least predicted_charge_least_percent, so that a board which does not know its SOC yet can begin a charge that what is measured bounds); times what the tier of the
 * alarms leaves: DERATE derate_left_percent on the side that the alarm is about, END and OPEN nothing. A cell voltage or temperature that is not
 * known leaves nothing; yet to give, a pack whose probes are all gone is left derate_left_percent. A share falls at once and comes back
 * slowly (limit_recover_percent_per_s), so that a limit and what obeys it do not swing.
 */
#ifndef FIRMWARE_LIMITS_H
#define FIRMWARE_LIMITS_H

#include <stdbool.h>
#include <stdint.h>

#include "firmware/core/measure/measure.h"
#include "firmware/core/protection/alarm.h"

struct limits_in {
    uint32_t dt_ms;
    const struct measure *measure;
    const struct alarms *alarms;
    int32_t soc_permyriad;          /* sample scalar; not known = no ramp over it */
    int32_t pack_mV;                /* sample scalar; not known: the sum of the cells counts */
    int32_t predicted_discharge_mA; /* sample scalars, both positive: what the cells can do for 10 s; not valid = no prediction */
    int32_t predicted_charge_mA;
    const int32_t *params; /* [PARAMS], the running copy */
};

struct limits {
    int32_t discharge_dA, charge_dA; /* 0.1 A, both positive */
    int32_t discharge_W, charge_W;
    uint8_t alarm_percent; /* share of its power that the alarms leave to the pack: the less of both sides */
    /* private: shares in 1/1,000,000, on their way */
    int32_t discharge_ramps, charge_ramps, discharge_alarms, charge_alarms;
};

/* Nothing is allowed yet. */
void limits_init(struct limits *l);

void limits_step(struct limits *l, const struct limits_in *in);

#endif
