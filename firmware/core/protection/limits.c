/* SPDX-License-Identifier: Apache-2.0 */
#include "firmware/core/protection/limits.h"

enum { WHOLE = 1000000, PERCENT = WHOLE / 100 };

enum side { DISCHARGE = 1, CHARGE = 2, BOTH = DISCHARGE | CHARGE };
enum quantity { COLDEST, HOTTEST, SOC, CELL_MIN, CELL_MAX };

/* clang-format off */
static const struct ramp {
    enum side side;
    enum quantity quantity;
    enum param none, full;
} ramps[] = {
    { DISCHARGE, COLDEST,  PARAM_discharge_cold_none_ddegC, PARAM_discharge_cold_full_ddegC },
    { DISCHARGE, HOTTEST,  PARAM_discharge_hot_none_ddegC,  PARAM_discharge_hot_full_ddegC },
    { DISCHARGE, SOC,      PARAM_discharge_soc_none,        PARAM_discharge_soc_full },
    { DISCHARGE, CELL_MIN, PARAM_discharge_cell_none_mV,    PARAM_discharge_cell_full_mV },
    { CHARGE,    COLDEST,  PARAM_charge_cold_none_ddegC,    PARAM_charge_cold_full_ddegC },
    { CHARGE,    HOTTEST,  PARAM_charge_hot_none_ddegC,     PARAM_charge_hot_full_ddegC },
    { CHARGE,    SOC,      PARAM_charge_soc_none,           PARAM_charge_soc_full },
    { CHARGE,    CELL_MAX, PARAM_charge_cell_none_mV,       PARAM_charge_cell_full_mV },
};
/* clang-format on */

static bool is_known(int32_t scalar)
{
    return scalar_validity(scalar) == VALIDITY_OK;
}

static struct measure_extreme look(const struct limits_in *in, enum quantity quantity)
{
    const struct measure *m = in->measure;

    switch (quantity) {
    case COLDEST:
        return m->temp.min;
    case HOTTEST:
        return m->temp.max;
    case CELL_MIN:
        return m->cell.min;
    case CELL_MAX:
        return m->cell.max;
    default:
        return (struct measure_extreme) { is_known(in->soc_permyriad), in->soc_permyriad, 0 };
    }
}

static int64_t least(int64_t a, int64_t b)
{
    return a < b ? a : b;
}

static int64_t larger(int64_t a, int64_t b)
{
    return a > b ? a : b;
}

/* Between `none` and `full`, whichever is the larger. `none` wins where both are the same. */
static int32_t along(int32_t value, int32_t none, int32_t full)
{
    if (full == none)
        return value >= none ? 0 : WHOLE;
    return (int32_t)least(larger(((int64_t)value - none) * WHOLE / (full - none), 0), WHOLE);
}

/* When the quantity is not known. */
static int32_t blind(const struct limits_in *in, const struct ramp *r)
{
    bool of_temperature = r->quantity == COLDEST || r->quantity == HOTTEST;

    if (r->quantity == SOC || (of_temperature && in->measure->topology->probes == 0))
        return WHOLE;
    return of_temperature && r->side == DISCHARGE ? in->params[PARAM_derate_left_percent] * PERCENT : 0;
}

static int32_t by_ramps(const struct limits_in *in, enum side side)
{
    int32_t left = WHOLE;

    for (unsigned i = 0; i < sizeof(ramps) / sizeof(ramps[0]); i++) {
        const struct ramp *r = &ramps[i];

        if (r->side != side)
            continue;
        struct measure_extreme x = look(in, r->quantity);
        int32_t share = x.known ? along(x.value, in->params[r->none], in->params[r->full]) : blind(in, r);

        left = share < left ? share : left;
    }
    return left;
}

/* Too much in the cells is no reason to take less out, and the other way round. */
static unsigned sides_of(const struct alarm_row *row)
{
    switch (row->quantity) {
    case ALARM_Q_CELL_VOLTAGE:
    case ALARM_Q_PACK_VOLTAGE:
    case ALARM_Q_SOC:
        return row->compare == ALARM_ABOVE ? CHARGE : DISCHARGE;
    case ALARM_Q_CURRENT:
        return row->compare == ALARM_ABOVE ? DISCHARGE : CHARGE;
    case ALARM_Q_CHARGE_TEMPERATURE:
        return CHARGE;
    default:
        return BOTH;
    }
}

static int32_t by_alarms(const struct limits_in *in, enum side side)
{
    int32_t left = WHOLE;

    if (in->alarms->open || in->alarms->end)
        return 0;
    for (int i = 0; in->alarms->derate && i < ALARMS; i++)
        if (alarm_asks(in->alarms, (enum alarm)i, in->params) == ALARM_REACT_DERATE && (sides_of(&alarm_rows[i]) & side))
            left = in->params[PARAM_derate_left_percent] * PERCENT;
    return left;
}

/* Down at once, up slowly. */
static int32_t follow(int32_t was, int32_t wanted, const struct limits_in *in)
{
    int64_t up = (int64_t)in->params[PARAM_limit_recover_percent_per_s] * PERCENT * in->dt_ms / 1000;

    return (int32_t)least(wanted, was + up);
}

/* The alarms scale what is left of both. */
static int32_t current_dA(int32_t share, int32_t left, int32_t most_dA, int32_t predicted_mA, int32_t least_percent)
{
    int64_t dA = (int64_t)most_dA * share / WHOLE, least_dA = most_dA * least_percent / 100;

    if (is_known(predicted_mA))
        dA = least(dA, larger(predicted_mA / 100, least_dA));
    return (int32_t)(dA * left / WHOLE);
}

void limits_init(struct limits *l)
{
    *l = (struct limits) { .alarm_percent = 100 };
}

void limits_step(struct limits *l, const struct limits_in *in)
{
    const int32_t *p = in->params;
    int32_t alarms_d = by_alarms(in, DISCHARGE), alarms_c = by_alarms(in, CHARGE);
    int64_t pack_mV = is_known(in->pack_mV) ? in->pack_mV : (int64_t)in->measure->cell.mean * in->measure->topology->cells;

    l->alarm_percent = (uint8_t)((alarms_d < alarms_c ? alarms_d : alarms_c) / PERCENT);
    l->discharge_alarms = follow(l->discharge_alarms, alarms_d, in);
    l->charge_alarms = follow(l->charge_alarms, alarms_c, in);
    l->discharge_ramps = follow(l->discharge_ramps, by_ramps(in, DISCHARGE), in);
    l->charge_ramps = follow(l->charge_ramps, by_ramps(in, CHARGE), in);
    l->discharge_dA = current_dA(l->discharge_ramps, l->discharge_alarms, p[PARAM_discharge_max_dA], in->predicted_discharge_mA, 0);
    l->charge_dA = current_dA(l->charge_ramps, l->charge_alarms, p[PARAM_charge_max_dA], in->predicted_charge_mA,
                              p[PARAM_predicted_charge_least_percent]);
    l->discharge_W = (int32_t)(l->discharge_dA * pack_mV / 10000);
    l->charge_W = (int32_t)(l->charge_dA * pack_mV / 10000);
}
