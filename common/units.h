/* SPDX-License-Identifier: Apache-2.0 */
/* units.h -- the sizes of the largest pack, and the one sign convention.
 *
 * Current is POSITIVE ON DISCHARGE, everywhere: in code, on CAN, in records, in the database and on the console (as GB/T 32960 has it).
 * Every name ends in its unit: _mV, _mA, _ddegC (0.1 degree Celsius), _permyriad (0.01 %), _ms, _mAh, _kohm.
 */
#ifndef COMMON_UNITS_H
#define COMMON_UNITS_H

enum {
    PACK_CELLS_MAX = 160, /* PK-2 */
    PACK_CELLS_MIN = 4,   /* PK-2 */
    AFE_DEVICES_MAX = 16, /* chips on one daisy chain */
    AFE_CELLS_MAX = 16,   /* PK-3 */
    AFE_TEMPS = 4,        /* ME-2: NTC channels of one chip */
    PACK_TEMPS_MAX = AFE_DEVICES_MAX * AFE_TEMPS,
    BMU_COUNT_MAX = 10,     /* PK-2 */
    SAMPLE_ALARMS_MAX = 16, /* alarms that one sample can name */
};

#endif
