/* SPDX-License-Identifier: Apache-2.0 */
/* wear.h -- how much a relay has done since production: how often it closed, and the sum of the currents that it opened (AC-1). */
#ifndef FIRMWARE_WEAR_H
#define FIRMWARE_WEAR_H

#include <stdbool.h>
#include <stdint.h>

#include "common/span.h"

struct relay_wear {  /* each saturates */
    uint32_t closed; /* times */
    uint32_t load_A; /* sum of the currents that it has opened */
};

/* It closes, or it opens this load. */
static inline void wear_switch(struct relay_wear *w, bool closes, uint32_t load_A)
{
    if (closes)
        w->closed = span_add(w->closed, 1);
    else
        w->load_A = span_add(w->load_A, load_A);
}

#endif
