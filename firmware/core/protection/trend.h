/* SPDX-License-Identifier: Apache-2.0 */
/* trend.h -- what changes over a minute: a temperature that creeps up, a SOC that jumps without a current (AC-6). Called every 10 ms.
 *
 * A value is kept every 10 s and compared with the oldest of the last minute, so that the first minute is judged as far as it is known. A jump
 * of the SOC is what is left of its change when the charge that has flowed is taken off: a correction, a calibration, other cells.
 */
#ifndef FIRMWARE_TREND_H
#define FIRMWARE_TREND_H

#include <stdint.h>

#include "firmware/core/measure/measure.h"

enum { TREND_TICK_MS = 10000, TREND_KEPT = 6 };

struct trend {
    uint32_t tick_ms;
    unsigned kept, newest;                         /* entries in use; the one written last */
    int16_t was_ddegC[TREND_KEPT][PACK_TEMPS_MAX]; /* NEVER = not kept */
    int32_t was_permyriad[TREND_KEPT];             /* sample scalar */
    int64_t was_mAms[TREND_KEPT];                  /* counted then */
    int64_t counted_mAms;                          /* since the start, discharge counts up */
    struct measure_extreme rate;                   /* 0.1 degC in the last minute or less; number = probe */
    struct measure_extreme jump;                   /* 0.01 % in the last minute or less, without a sign */
};

void trend_init(struct trend *t);

/* soc_permyriad and current_mA: sample scalars. full_mAms: capacity, above 0. */
void trend_step(struct trend *t, const struct measure *m, int32_t soc_permyriad, int32_t current_mA, int64_t full_mAms, uint32_t dt_ms);

#endif
