/* SPDX-License-Identifier: Apache-2.0 */
/* board_error.h -- how wrong the measuring channels of one built board are: offset, gain, both over temperature, noise and resolution.
 *
 * A sheet holds the limits that data sheets promise for a channel; a board is drawn from the sheets with a seed. docs/accuracy.md says where the
 * limits come from. What is wrong the same way in every reading is the channel; noise is drawn for each reading.
 */
#ifndef SIM_BOARD_ERROR_H
#define SIM_BOARD_ERROR_H

#include <stdbool.h>

#include "sim/noise.h"

enum error_kind { ERROR_CELL, ERROR_PROBE, ERROR_TOTAL, ERROR_CSU, ERROR_HALL, ERROR_SHUNT, ERROR_RAIL, ERROR_RESISTOR, ERROR_KINDS };

struct error_sheet { /* limits, in the unit of the kind; gains as shares; drift for each kelvin away from 25 degC */
    const char *name, *unit, *source;
    double offset, gain, offset_per_K, gain_per_K;
    double noise; /* deviation */
    double lsb;
};

/* The board as it is designed. */
extern const struct error_sheet board_sheets[ERROR_KINDS];

struct error_channel { /* as built */
    double offset, gain, offset_per_K, gain_per_K, noise, lsb;
};

/* One channel. corner: every term at one of its limits, else anywhere between. */
struct error_channel error_draw(const struct error_sheet *sheet, bool corner, struct noise *noise);

/* What the channel reads of `truth` while the board is at temp_C. */
double error_read(const struct error_channel *c, double truth, double temp_C, struct noise *noise);

#endif
