/* SPDX-License-Identifier: Apache-2.0 */
/* quantities.h -- what the alarms compare: each quantity of a BIU as a highest and a lowest value, or as not known. Looks, changes nothing. */
#ifndef FIRMWARE_QUANTITIES_H
#define FIRMWARE_QUANTITIES_H

#include "firmware/core/biu/biu_io.h"
#include "firmware/core/protection/alarm.h"

struct biu;

/* Fill *q for this step. The values of the step must have been taken in; contactors and SOC are those of the step before. */
void quantities_of(const struct biu *biu, const struct biu_in *in, uint32_t dt_ms, struct alarm_in *q);

#endif
