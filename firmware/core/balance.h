/* SPDX-License-Identifier: Apache-2.0 */
/* balance.h -- which cells discharge over their bypass resistor (AC-4). Minimal: the cells too high now, judged once a second.
 *
 * Never two neighbours at once, also across chips: they share a tap, whose current would cancel out, and heat.
 */
#ifndef FIRMWARE_BALANCE_H
#define FIRMWARE_BALANCE_H

#include <stdbool.h>
#include <stdint.h>

#include "firmware/core/measure.h"

enum { BALANCE_PERIOD_MS = 1000 };

struct balance {
    uint32_t since_ms;                   /* since the cells were chosen */
    uint16_t cells[PACK_CELLS_MAX / 16]; /* bit i of element k: cell 16 k + i + 1, as in the sample */
    uint16_t chip[AFE_DEVICES_MAX];      /* the same by chip, for afe_balance() */
};

struct balance_in {
    uint32_t dt_ms;
    bool permitted;      /* parked or charging, no alarm, every cell has a value */
    int32_t start_mV;    /* balance_start_mV */
    int32_t min_cell_mV; /* balance_min_cell_mV */
};

void balance_init(struct balance *b);

/* Choose. Without permission all end at once. */
void balance_step(struct balance *b, const struct measure *m, const struct balance_in *in);

#endif
