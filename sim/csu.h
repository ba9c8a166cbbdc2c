/* SPDX-License-Identifier: Apache-2.0 */
/* csu.h -- the current sample unit: one CSU_Current frame on CAN0 every 10 ms (ME-5). */
#ifndef SIM_CSU_H
#define SIM_CSU_H

#include <stdbool.h>

#include "common/can.h"

struct csu {
    uint8_t counter;
    bool silent;     /* injected */
    bool bad_crc;    /* injected */
    double offset_A; /* injected */
};

/* The frame for the current (A, positive on discharge). Returns false while the unit is silent. */
bool csu_step(struct csu *csu, double current_A, struct can_frame *f);

#endif
