/* SPDX-License-Identifier: Apache-2.0 */
#include "firmware/core/store/params.h"

#include <string.h>

#include "common/err.h"

void params_defaults(enum chemistry chemistry, int32_t *values)
{
    for (int i = 0; i < PARAMS; i++)
        values[i] = param_rows[i].dflt[chemistry];
    values[PARAM_chemistry] = (int32_t)chemistry;
}

int params_check(enum param param, int32_t value)
{
    return value >= param_rows[param].min && value <= param_rows[param].max ? BMS_ERR_OK : BMS_ERR_RANGE;
}

int params_init(struct params *p, const int32_t *stored)
{
    bool known = params_check(PARAM_chemistry, stored[PARAM_chemistry]) == BMS_ERR_OK;
    int32_t chemistry = known ? stored[PARAM_chemistry] : CHEMISTRY_NMC;
    int replaced = 0;

    for (int i = 0; i < PARAMS; i++) {
        bool good = params_check((enum param)i, stored[i]) == BMS_ERR_OK;

        p->running[i] = good ? stored[i] : param_rows[i].dflt[chemistry];
        replaced += !good;
    }
    p->running_hash = param_hash(p->running);
    params_release(p, true);
    return replaced;
}

int params_set(struct params *p, enum param param, int32_t value)
{
    if (params_check(param, value) != BMS_ERR_OK)
        return BMS_ERR_RANGE;
    if (p->held)
        return BMS_ERR_STATE;
    p->running[param] = value;
    p->running_hash = param_hash(p->running);
    return BMS_ERR_OK;
}

void params_hold(struct params *p)
{
    p->held = true;
}

void params_release(struct params *p, bool stored)
{
    p->held = false;
    if (!stored)
        return;
    memcpy(p->stored, p->running, sizeof(p->stored));
    p->stored_hash = p->running_hash;
}
