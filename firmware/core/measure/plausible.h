/* SPDX-License-Identifier: Apache-2.0 */
/* plausible.h -- readings of cells that cannot be true although their frame is right: stuck, or jumping (ME-12). Called for each answer of a chip.
 *
 * Stuck: the code of a cell stays the same to the last bit while the common voltage of its chip moves by cell_stuck_mV. The common voltage is the
 * sum of the median steps of all cells of the chip, so that one cell alone moves nothing. Ends when the code changes; does not count at an end of the range, where nothing moves.
 * Jump: a cell moves by more than cell_jump_mV from one scan to the next. The first such reading is not believed; the next one is.
 */
#ifndef FIRMWARE_PLAUSIBLE_H
#define FIRMWARE_PLAUSIBLE_H

#include <stdbool.h>
#include <stdint.h>

#include "common/units.h"

enum { PLAUSIBLE_CELLS_MIN = 3 }; /* on a chip, for a median that means something */

struct plausible { /* of one chip; all zero: nothing seen yet */
    bool seen;
    uint16_t raw[AFE_CELLS_MAX];        /* of the scan before */
    int32_t common;                     /* since the start, raw */
    int32_t common_then[AFE_CELLS_MAX]; /* when the cell's code last changed */
    uint16_t stuck, jumped;             /* bit k: cell k + 1 is not believed in this scan */
};

/* One answer: raw[cells]. Sets p->stuck and p->jumped. params[PARAMS]: the running copy. */
void plausible_step(struct plausible *p, const uint16_t *raw, unsigned cells, const int32_t *params);

#endif
