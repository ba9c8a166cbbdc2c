/* SPDX-License-Identifier: Apache-2.0 */
/* runaway.h -- thermal runaway suspected, chip by chip (AC-6), after GB 38031-2020 C.5.3.7. Called every 10 ms, looks every second.
 *
 *   a) a cell's voltage drops by 25 % against the others     b) a probe reaches the highest working temperature
 *   c) a probe rises by 1 K/s for 3 s                        suspected: (a or b) and c
 *
 * Wires and chips burn too: a chip whose cells or answers are lost counts as well once c, or a and b, were seen on it. A sign is held for
 * runaway_hold_s, so that signs seen one after the other meet. A drop is judged on cell / mean, so a load that pulls all cells is none.
 * Known weakness: with probes on four of sixteen cells c) may come late for a cell between them.
 */
#ifndef FIRMWARE_RUNAWAY_H
#define FIRMWARE_RUNAWAY_H

#include <stdint.h>

#include "firmware/core/measure/measure.h"

enum { RUNAWAY_TICK_MS = 1000 };

enum runaway_sign { /* the value of the alarm is their sum */
                    RUNAWAY_DROP = 1,
                    RUNAWAY_HOT = 2,
                    RUNAWAY_RISE = 4,
                    RUNAWAY_LOST = 8,
                    RUNAWAY_SIGNS = 4
};

struct runaway {
    uint32_t tick_ms;
    uint16_t usual[PACK_CELLS_MAX];                  /* cell / mean, slow, 1/10,000; 0 = not known */
    int16_t was_ddegC[PACK_TEMPS_MAX];               /* a second ago */
    uint8_t rising_s[PACK_TEMPS_MAX];                /* in a row */
    uint16_t held_s[AFE_DEVICES_MAX][RUNAWAY_SIGNS]; /* the sign still counts for so long */
    struct measure_extreme suspected;                /* the signs of the first chip that is suspected, or 0; number = chip */
};

void runaway_init(struct runaway *r);

/* params[PARAMS]: the running copy. */
void runaway_step(struct runaway *r, const struct measure *m, const int32_t *params, uint32_t dt_ms);

#endif
