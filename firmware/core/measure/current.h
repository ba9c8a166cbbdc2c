/* SPDX-License-Identifier: Apache-2.0 */
/* current.h -- pack current from the sensor that current_source names: the current sample unit (CSU) on CAN0, a Hall sensor or a shunt (ME-5).
 *
 * Positive on discharge. A frame of the CSU counts when its sensor says it is well and its counter has moved on: a unit that repeats one frame is
 * as good as silent. An analog reading counts when it lies in the sensor's range. What counts is then calibrated, T being the sensor's temperature
 * where that is known:   mA x (1 + gain + gain_per_K (T - 25)) + offset + offset_per_K (T - 25)
 */
#ifndef FIRMWARE_CURRENT_H
#define FIRMWARE_CURRENT_H

#include <stdbool.h>
#include <stdint.h>

#include "common/can.h"
#include "firmware/core/measure/sense.h"

enum { CURRENT_AGE_MAX = 0x3FFFFFFF, CURRENT_MAX_mA = 600000 };

enum current_source { CURRENT_CSU, CURRENT_HALL, CURRENT_SHUNT }; /* parameter current_source */

/* A Hall sensor is fed with 5 V and never reaches the rails by itself: beyond, its wire is open or shorted. */
enum { CURRENT_HALL_LOW_uV = 250000, CURRENT_HALL_HIGH_uV = 4750000 };

struct current {
    int32_t mA;       /* sample scalar: a value or the reason why there is none */
    uint32_t age_ms;  /* since the last frame that counted, or since the start */
    uint32_t stuck;   /* frames with the counter of the one before */
    uint32_t faulted; /* frames or readings in which the sensor reports a fault or gives no value */
    uint8_t counter;  /* of the last frame */
    bool has_counter;
};

void current_init(struct current *c);

/* Let time pass: the value is stale at stale_ms. Before the step's frames. */
void current_age(struct current *c, uint32_t dt_ms, int32_t stale_ms);

/* One CSU_Current frame whose checksum is right; ignored when another sensor is the source. params[PARAMS]: the running copy. */
void current_frame(struct current *c, const struct can_frame *f, const int32_t *params);

/* The reading of a Hall sensor or a shunt; does nothing when the CSU is the source. Each step, after current_age(). */
void current_analog(struct current *c, const struct sense *s, const int32_t *params);

#endif
