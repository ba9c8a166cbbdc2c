/* SPDX-License-Identifier: Apache-2.0 */
/* delays.h -- how long something took, many times: counts in steps of 1/16 of a power of two, so 6 % exact from 1 us to 70 min. */
#ifndef SIM_FLEET_DELAYS_H
#define SIM_FLEET_DELAYS_H

#include <stdint.h>

enum { DELAY_STEPS = 512 };

struct delays {
    uint64_t count[DELAY_STEPS], all;
};

void delays_add(struct delays *d, uint64_t us);

/* The delay that `permille` of all do not exceed, ms; 0 when there is none. */
double delays_ms(const struct delays *d, unsigned permille);

#endif
