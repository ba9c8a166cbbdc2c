/* SPDX-License-Identifier: Apache-2.0 */
/* probe.h -- what an AFE's AUX input reads for a probe at a temperature (proto/afe.h: NTC to ground, pull-up, ratiometric 16 bit). */
#ifndef SIM_PROBE_H
#define SIM_PROBE_H

#include <stdint.h>

enum { PROBE_OPEN = 0xFFFF };

struct probe { /* an NTC */
    double r25_ohm;
    double beta_K;
};

/* temp_C in degC, above -273. */
uint16_t probe_code(const struct probe *probe, double temp_C);

#endif
