/* SPDX-License-Identifier: Apache-2.0 */
/* thermal.h -- when RL4 heats and when the fan runs (AC-5). Pure; called every 10 ms.
 *
 * The heater runs only for a charge that asks for it, only while every probe has a value, nothing is against it and nothing is hot: a heater that
 * nobody watches does not run. The fan has its own two temperatures; while none is known it stays as it was.
 */
#ifndef FIRMWARE_THERMAL_H
#define FIRMWARE_THERMAL_H

#include <stdbool.h>
#include <stdint.h>

#include "firmware/core/measure/measure.h"

enum { THERMAL_BACK_ddegC = 50 }; /* the heater comes back when the hottest probe is so far below heat_hot_ddegC */

struct thermal_in {
    const struct measure *measure;
    bool heat;             /* the charge wants it */
    bool blocked;          /* an alarm that opens is active, or a value that protects is missing */
    const int32_t *params; /* [PARAMS], the running copy */
};

struct thermal {
    bool heat, fan, hot;
};

void thermal_init(struct thermal *t);
void thermal_step(struct thermal *t, const struct thermal_in *in);

#endif
