/* SPDX-License-Identifier: Apache-2.0 */
#include "sim/probe.h"

#include <math.h>

#include "proto/afe.h"

uint16_t probe_code(const struct probe *probe, double temp_C)
{
    double ohm = probe->r25_ohm * exp(probe->beta_K * (1 / (temp_C + 273.15) - 1 / 298.15));
    double code = 65536 * ohm / (ohm + AFE_NTC_PULLUP_OHM) + 0.5;

    return code < PROBE_OPEN ? (uint16_t)code : PROBE_OPEN;
}
