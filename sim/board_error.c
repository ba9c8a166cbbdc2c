/* SPDX-License-Identifier: Apache-2.0 */
#include "sim/board_error.h"

#include <math.h>

/* clang-format off */
const struct error_sheet board_sheets[ERROR_KINDS] = {
    /*                  name                    unit    source                                               offset  gain     offset/K gain/K  noise   lsb */
    [ERROR_CELL]     = { "cell voltage",        "mV",   "AFE, 16 bit, trimmed at the end of the line",        0.5,   250e-6,  2e-3,    4e-6,   0.25,   0 },
    [ERROR_PROBE]    = { "NTC by its divider",  "1",    "pull-up 0.1 %, NTC 1 % and beta 0.5 %; AFE AUX",     6e-5,  1e-2,    2e-7,    25e-6,  2e-5,   0 },
    [ERROR_TOTAL]    = { "total voltage",       "V",    "divider 0.05 % after trim, 24 bit, chopped",         3e-3,  500e-6,  2e-5,    10e-6,  1e-3,   1e-3 },
    [ERROR_CSU]      = { "CSU",                 "A",    "closed loop sensor with its own calibration",        0.2,   1e-3,    5e-3,    20e-6,  0.05,   1e-3 },
    [ERROR_HALL]     = { "Hall sensor",         "V",    "open loop, 4 mV/A; 14 bit",                          2e-2,  1e-2,    3e-5,    30e-6,  2e-4,   5.0 / 16384 },
    [ERROR_SHUNT]    = { "shunt",               "V",    "100 uohm manganin, amplifier, 16 bit",               5e-6,  5e-3,    1e-8,    25e-6,  1e-6,   2e-6 },
    [ERROR_RAIL]     = { "rail to chassis",     "V",    "divider 0.1 %, 24 bit, chopped",                      2e-3,  1e-3,    1e-5,    25e-6,  2e-3,   1e-3 },
    [ERROR_RESISTOR] = { "bridge and divider",  "kohm", "thin film 0.5 %, 50 ppm/K",                          0,     5e-3,    0,       50e-6,  0,      0 },
};
/* clang-format on */

enum { ROOM_C = 25 };

static double draw(double limit, bool corner, struct noise *noise)
{
    if (corner)
        return noise_u64(noise) >> 63 ? limit : -limit;
    return noise_even(noise, -limit, limit);
}

struct error_channel error_draw(const struct error_sheet *sheet, bool corner, struct noise *noise)
{
    return (struct error_channel) { .offset = draw(sheet->offset, corner, noise),
                                    .gain = draw(sheet->gain, corner, noise),
                                    .offset_per_K = draw(sheet->offset_per_K, corner, noise),
                                    .gain_per_K = draw(sheet->gain_per_K, corner, noise),
                                    .noise = sheet->noise,
                                    .lsb = sheet->lsb };
}

double error_read(const struct error_channel *c, double truth, double temp_C, struct noise *noise)
{
    double off_K = temp_C - ROOM_C;
    double v = truth * (1 + c->gain + c->gain_per_K * off_K) + c->offset + c->offset_per_K * off_K;

    if (c->noise > 0)
        v += c->noise * noise_normal(noise);
    return c->lsb > 0 ? round(v / c->lsb) * c->lsb : v;
}
