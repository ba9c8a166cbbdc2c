/* SPDX-License-Identifier: Apache-2.0 */
/* ntc.h -- the temperature of an NTC from the AFE's AUX reading, in integers, so that a replay gives the same bits on every machine.
 *
 * beta equation: 1/T = 1/298.15 K + ln(R / R25) / beta. Error against it <= 0.1 degC plus half an LSB, from -40 to 125 degC.
 */
#ifndef FIRMWARE_NTC_H
#define FIRMWARE_NTC_H

#include <stdint.h>

/* raw: the NTC's share of the AUX supply, 65536 = all of it (proto/afe.h). r25_ohm 1,000 to 1,000,000; beta_K 2,000 to 6,000.
 * Returns 0.1 degC; or temp_invalid(OPEN) colder than -50 degC, or temp_invalid(IMPLAUSIBLE) hotter than 150 degC, that is shorted.
 * Between those and the range -40.0 to 125.0 degC the end of the range is given, so that a limit is still judged. */
int16_t ntc_ddegC(uint16_t raw, int32_t r25_ohm, int32_t beta_K);

/* The same for an NTC whose resistance has been measured, as a sample scalar: 0.1 degC, or why there is none. A reading that is not valid keeps
 * its reason. */
int32_t ntc_of_ohm(int32_t ohm, int32_t r25_ohm, int32_t beta_K);

#endif
