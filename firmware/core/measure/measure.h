/* SPDX-License-Identifier: Apache-2.0 */
/* measure.h -- cell voltages and temperatures of the pack, each a value or the reason why there is none (proto/validity.h).
 *
 * A value is never before its chip has answered, stale when the chip's last good answer is value_stale_ms old. Missing is never 0.
 */
#ifndef FIRMWARE_MEASURE_H
#define FIRMWARE_MEASURE_H

#include <stdbool.h>
#include <stdint.h>

#include "firmware/core/measure/afe.h"
#include "firmware/core/measure/plausible.h"
#include "firmware/core/measure/topology.h"
#include "firmware/core/store/params.h"
#include "proto/validity.h"

enum {
    MEASURE_RAIL_LOW_mV = 20,
    MEASURE_RAIL_HIGH_mV = 4990
}; /* a reading beyond is an open tap (at the low end: not of a supercapacitor) */

struct measure_extreme {
    bool known; /* false: nothing valid to compare */
    int32_t value;
    uint16_t number; /* 1-based; the first of equals */
};

struct measure_worst { /* over the values of one kind */
    struct measure_extreme max, min;
    struct measure_extreme invalid; /* highest validity code while the chip answers; value 0 when all are valid */
    struct measure_extreme apart;   /* highest minus lowest; number = the value further from the mean */
    uint32_t valid;                 /* how many */
    int32_t mean;                   /* of the valid ones */
};

enum { MEASURE_DIE_COLD_ddegC = -500, MEASURE_DIE_HOT_ddegC = 2000 }; /* no chip works beyond; temp_invalid(IMPLAUSIBLE) there */

enum { MEASURE_RISE_MS = 1000, MEASURE_RISE_KEPT = 2 };

struct measure {
    const struct topology *topology;
    uint16_t cell_mV[PACK_CELLS_MAX];
    int16_t temp_ddegC[PACK_TEMPS_MAX];
    enum validity chip[AFE_DEVICES_MAX]; /* OK, NEVER or STALE */
    struct measure_worst cell, temp;
    int16_t die_ddegC[AFE_DEVICES_MAX];                   /* each chip's own, or why it is not known */
    struct measure_extreme die;                           /* the hottest chip */
    int32_t cell_sum;                                     /* of the valid cells, mV */
    struct measure_extreme rise;                          /* the fastest probe: 0.1 degC in the last 1 to 2 s */
    int16_t was_ddegC[MEASURE_RISE_KEPT][PACK_TEMPS_MAX]; /* a second apart; the newest is number `newest` */
    unsigned newest;
    uint32_t rise_ms;                  /* since the newest */
    struct measure_extreme chip_apart; /* mean of a chip's cells against that of all others; not known with one chip */
    struct plausible plausible[AFE_DEVICES_MAX];
    struct measure_extreme afe_age; /* the lowest chip that is silent for longer than the limit, else the oldest */
};

/* Nothing has been measured yet. `topology` is borrowed. */
void measure_init(struct measure *m, const struct topology *topology);

/* Take over what the chips have just given, and let the rest grow old. params[PARAMS]: the running copy. */
void measure_step(struct measure *m, const struct afe *afe, const int32_t *params);

/* Compare the temperatures with those of a second or two ago. After measure_step(). */
void measure_rise(struct measure *m, uint32_t dt_ms);

/* Every cell has a value. */
bool measure_is_complete(const struct measure *m);

#endif
