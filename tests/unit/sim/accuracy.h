/* SPDX-License-Identifier: Apache-2.0 */
/* accuracy.h -- how far what the firmware says can be from what is true, on boards that are as wrong as their data sheets allow (ME-1, 2, 4, 5, 6).
 *
 * Boards are drawn from error sheets (sim/board_error.h), set to temperatures from -40 to 85 degC, and shown the whole range of each quantity; the
 * readings go through the simulated chips, the ports and the very firmware. The current sensors are calibrated at 25 degC first, as at the end of a
 * production line, by the parameters current_offset_mA and current_gain_ppm.
 */
#ifndef TESTS_ACCURACY_H
#define TESTS_ACCURACY_H

#include "sim/board_error.h"

enum accuracy_row { ACCURACY_CELL, ACCURACY_TEMP, ACCURACY_TOTAL, ACCURACY_CURRENT, ACCURACY_INSULATION, ACCURACY_ROWS };

struct accuracy {
    const char *id, *what, *unit;
    double budget; /* of the requirement */
    double worst;
    double rms;
    unsigned long readings, violations; /* violations: beyond the budget, or no value */
};

/* All rows, over this many boards, every second of them in a corner of the sheets. Returns the violations in all. */
unsigned long accuracy_measure(const struct error_sheet *sheets, int boards, struct accuracy rows[ACCURACY_ROWS]);

#endif
