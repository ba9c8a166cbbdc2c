/* SPDX-License-Identifier: Apache-2.0 */
#include "firmware/core/actuators/thermal.h"

void thermal_init(struct thermal *t)
{
    *t = (struct thermal) { 0 };
}

/* On at `on` or above, off at `off` or below; `off` wins where a parameter set crosses them. */
static bool with_hysteresis(bool was, int32_t value, int32_t on, int32_t off)
{
    if (value <= off)
        return false;
    return was || value >= on;
}

void thermal_step(struct thermal *t, const struct thermal_in *in)
{
    const struct measure_worst *temp = &in->measure->temp;
    const int32_t *p = in->params;
    bool all = temp->valid > 0 && temp->valid == in->measure->topology->probes;

    if (temp->max.known) {
        t->fan = with_hysteresis(t->fan, temp->max.value, p[PARAM_fan_on_ddegC], p[PARAM_fan_off_ddegC]);
        t->hot = with_hysteresis(t->hot, temp->max.value, p[PARAM_heat_hot_ddegC], p[PARAM_heat_hot_ddegC] - THERMAL_BACK_ddegC);
    }
    t->heat = in->heat && !in->blocked && all && !t->hot && p[PARAM_heater_fitted];
}
