/* SPDX-License-Identifier: Apache-2.0 */
/* cells.h -- the cells of one pack in series: spread between them, and heat between neighbours and to the ambient air.
 *
 * A heater under the cells warms those in the middle of the pack more than those at its ends. Call cells_step() every 10 ms with the pack current (positive on discharge) and the balancing bits.
 */
#ifndef SIM_CELLS_H
#define SIM_CELLS_H

#include <stdint.h>

#include "common/units.h"
#include "sim/cell.h"
#include "sim/noise.h"

struct cells {
    struct cell_type type;
    struct cell cell[PACK_CELLS_MAX];
    int count;
    double ambient_C;
    double bypass_ohm;
    double heater_W; /* into all cells together, now */
    uint32_t steps;
};

/* count cells of a chemistry at soc (0 to 1); capacity, resistance and start differ from cell to cell as `noise` has it. */
void cells_init(struct cells *cells, enum chemistry chemistry, double capacity_mAh, int count, double soc, struct noise *noise);

/* bypass: bit i of element k = the resistor of cell 16 k + i + 1 is on. */
void cells_step(struct cells *cells, double current_A, const uint16_t bypass[PACK_CELLS_MAX / 16]);

/* Pack and air have been at this temperature for long. */
void cells_soak(struct cells *cells, double ambient_C);

double cells_voltage_V(const struct cells *cells); /* sum of the terminals */
double cells_highest_V(const struct cells *cells);
double cells_lowest_V(const struct cells *cells);
double cells_soc(const struct cells *cells); /* mean */
double cells_coldest_C(const struct cells *cells);

#endif
