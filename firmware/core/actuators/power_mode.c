/* SPDX-License-Identifier: Apache-2.0 */
#include "firmware/core/actuators/power_mode.h"

#include "proto/tables.h"

void power_mode_init(struct power_mode *p)
{
    *p = (struct power_mode) { 0 };
}

void power_mode_wake(struct power_mode *p)
{
    *p = (struct power_mode) { .looking = true };
}

bool power_mode_step(struct power_mode *p, const struct power_mode_in *in)
{
    const int32_t *params = in->params;
    bool slept = p->sleep;

    p->looking = p->looking && !in->asked;
    p->still_ms = in->asked ? 0 : in->dt_ms >= UINT32_MAX - p->still_ms ? UINT32_MAX : p->still_ms + in->dt_ms;
    int32_t after_s = p->looking && in->well ? params[PARAM_look_s] : params[PARAM_sleep_after_s];

    bool due = params[PARAM_sleep_after_s] > 0 && p->still_ms / 1000 >= (uint32_t)after_s;

    p->sleep = !in->asked && (slept || (due && !in->busy));
    return p->sleep && !slept;
}
