/* SPDX-License-Identifier: Apache-2.0 */
/* balance.h -- which cells discharge over their bypass resistor, and for how long (AC-4). Pure; called every 10 ms.
 *
 * A cycle is one second: bypasses on, then off for at least balance_rest_ms, and only then the cells are compared and chosen for the next
 * second, so that no choice is made on a tap that its own bypass bends. The time on keeps the mean current of a cell at or below
 * balance_max_mA and the chip within balance_duty_percent. Nothing is balanced while a probe is at balance_hot_ddegC or none is known, and nothing on
 * a chip whose die is at balance_die_hot_ddegC, until it is 5 K below, or not known: its bypasses go off at once. Never two neighbours at once, also across chips: they share a tap, whose current would cancel out, and heat.
 * Known weakness: `cells` shows the choice of the cycle until its end, also of a chip that has become too hot under way.
 */
#ifndef FIRMWARE_BALANCE_H
#define FIRMWARE_BALANCE_H

#include <stdbool.h>
#include <stdint.h>

#include "firmware/core/measure/measure.h"

enum { BALANCE_PERIOD_MS = 1000, BALANCE_BACK_ddegC = 50 };

struct balance {
    uint32_t since_ms;                   /* since the cells were chosen */
    uint16_t cells[PACK_CELLS_MAX / 16]; /* chosen for this cycle; bit i of element k: cell 16 k + i + 1, as in the sample */
    uint16_t chosen[AFE_DEVICES_MAX];    /* the same by chip */
    uint16_t chip[AFE_DEVICES_MAX];      /* on now, for afe_balance() */
    uint16_t hot;                        /* bit k: chip k + 1 rests, its die is too hot or not known */
};

struct balance_in {
    uint32_t dt_ms;
    bool permitted;        /* parked or charging, no alarm, every cell has a value */
    int32_t start_mV;      /* balance_start_mV */
    int32_t min_cell_mV;   /* balance_min_cell_mV */
    int32_t die_hot_ddegC; /* balance_die_hot_ddegC */
    uint32_t on_ms;        /* of a cycle: balance_on_ms() */
};

void balance_init(struct balance *b);

/* How long of a cycle a bypass may be on when the highest cell has this voltage; 0 = not at all. params[PARAMS]: the running copy. */
uint32_t balance_on_ms(const int32_t *params, int32_t cell_mV);

/* Not too hot for the resistors: a probe is known, or none is fitted, and none is at the limit. */
bool balance_is_cool(const struct measure *m, const int32_t *params);

/* Choose. Without permission all end at once. */
void balance_step(struct balance *b, const struct measure *m, const struct balance_in *in);

#endif
