/* SPDX-License-Identifier: Apache-2.0 */
/* wiring.h -- how a number of cells is wired to boards and chips, and the parameters that tell the firmware so (PK-1 to PK-3).
 *
 * The BIU takes the first three chips, each BMU three more. Cells are shared out evenly, so that no chip has fewer than 6 of its 16.
 */
#ifndef SIM_WIRING_H
#define SIM_WIRING_H

#include <stdbool.h>
#include <stdint.h>

#include "common/units.h"
#include "proto/tables.h"

struct wiring {
    int cells, chips;
    uint8_t chip_cells[AFE_DEVICES_MAX];
    uint8_t chip_probes[AFE_DEVICES_MAX]; /* bit mask of the 4 channels */
};

/* Returns 0, or BMS_ERR_RANGE: fewer than PACK_CELLS_MIN or more than PACK_CELLS_MAX cells, or more probes than so many cells can have chips
 * for. With more than four probes to 16 cells there are more chips, each with fewer cells. All four probes of each chip are fitted. */
int wiring_init(struct wiring *t, int cells, int probes);

/* Only these probes are there: fitted[n] in the order of the chips, four a chip. */
void wiring_fit_probes(struct wiring *t, const bool *fitted, int n);

/* Default parameters of a chemistry with this wiring. values[PARAMS]. */
void wiring_params(const struct wiring *t, enum chemistry chemistry, int32_t *values);

#endif
