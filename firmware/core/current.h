/* SPDX-License-Identifier: Apache-2.0 */
/* current.h -- pack current from the current sample unit's frames on CAN0 (ME-5). Positive on discharge.
 *
 * A frame counts when its sensor says it is well and its counter has moved on: a unit that repeats one frame is as good as silent.
 */
#ifndef FIRMWARE_CURRENT_H
#define FIRMWARE_CURRENT_H

#include <stdbool.h>
#include <stdint.h>

#include "common/can.h"

enum { CURRENT_AGE_MAX = 0x3FFFFFFF };

struct current {
    int32_t mA;       /* sample scalar: a value or the reason why there is none */
    uint32_t age_ms;  /* since the last frame that counted, or since the start */
    uint32_t stuck;   /* frames with the counter of the one before */
    uint32_t faulted; /* frames in which the sensor reports a fault or gives no value */
    uint8_t counter;  /* of the last frame */
    bool has_counter;
};

void current_init(struct current *c);

/* Let time pass: the value is stale at stale_ms. Before the step's frames. */
void current_age(struct current *c, uint32_t dt_ms, int32_t stale_ms);

/* One CSU_Current frame whose checksum is right. */
void current_frame(struct current *c, const struct can_frame *f);

#endif
