/* SPDX-License-Identifier: Apache-2.0 */
#include "firmware/core/protection/quantities.h"

#include "firmware/core/biu/biu.h"

enum { RAIL_THERE_mV = 5000 };

static const struct measure_extreme unknown = { 0 };

static struct measure_extreme whole(int32_t value) /* of the pack, or of nothing that has a number */
{
    return (struct measure_extreme) { true, value, 0 };
}

static void both(struct alarm_in *q, enum alarm_quantity quantity, struct measure_extreme x)
{
    q->high[quantity] = q->low[quantity] = x;
}

static bool is_known(int32_t scalar)
{
    return scalar_validity(scalar) == VALIDITY_OK;
}

static void pack(const struct biu *biu, const struct biu_in *in, struct alarm_in *q)
{
    int32_t cells = biu->topology.cells, pack_mV = in->pack_voltage_mV;

    if (!is_known(pack_mV) || cells == 0)
        return;
    both(q, ALARM_Q_PACK_VOLTAGE, whole(pack_mV / cells));
    if (measure_is_complete(&biu->measure)) {
        int32_t apart_mV = pack_mV / cells - biu->measure.cell.mean;

        q->high[ALARM_Q_SUM_APART] = whole(apart_mV < 0 ? -apart_mV : apart_mV);
    }
}

/* The interface of a plug that is not in use may be as hot as the sun makes it. */
static void inlet(const struct biu *biu, bool charging, struct alarm_in *q)
{
    struct measure_extreme *hot = &q->high[ALARM_Q_INLET_TEMPERATURE];

    for (int i = 0; i < SENSE_INLETS; i++) {
        int32_t ddegC = biu->inlet_ddegC[i];

        if (is_known(ddegC) && (!hot->known || ddegC > hot->value))
            *hot = (struct measure_extreme) { true, ddegC, (uint16_t)(i + 1) };
    }
    if (!charging)
        *hot = whole(biu->params.running[PARAM_inlet_over_temperature_warning_clear]);
}

static void safety(const struct biu *biu, const struct biu_in *in, struct alarm_in *q)
{
    if (is_known(in->sense.hvil))
        q->high[ALARM_Q_HVIL] = whole(in->sense.hvil == 0);
    if (is_known(biu->insulation.ohm_per_V))
        q->low[ALARM_Q_INSULATION] = whole(biu->insulation.ohm_per_V);
    unsigned degraded = self_check_first(&biu->self, SELF_DEGRADED), failed = self_check_first(&biu->self, SELF_FAILED);

    q->high[ALARM_Q_UNIT_DEGRADED] = (struct measure_extreme) { true, (int32_t)degraded, (uint16_t)degraded };
    q->high[ALARM_Q_UNIT_FAILED] = (struct measure_extreme) { true, (int32_t)failed, (uint16_t)failed };
    q->high[ALARM_Q_CHIP_APART] = biu->measure.chip_apart;
}

/* The charge will heat the cells before RL3 closes, or does: cold is no alarm then, for an alarm would stop the heater. */
static bool heats_first(const struct biu *biu)
{
    const struct measure_extreme *coldest = &biu->measure.temp.min;
    const int32_t *p = biu->params.running;
    bool ahead = biu->charge.state < CHARGE_HEATING && coldest->known && coldest->value < p[PARAM_heat_on_ddegC];

    return p[PARAM_heater_fitted] && !(biu->relays & BIU_RELAY_CHARGE) && (ahead || biu->charge.state == CHARGE_HEATING);
}

/* While nothing charges, the temperature counts as just good enough, so that an alarm of charging does not outlive it. */
static void temperatures(const struct biu *biu, bool charging, struct alarm_in *q)
{
    const struct measure *m = &biu->measure;
    const int32_t *p = biu->params.running;

    q->high[ALARM_Q_TEMPERATURE] = m->temp.max;
    q->low[ALARM_Q_TEMPERATURE] = m->temp.min;
    q->high[ALARM_Q_TEMPERATURE_SPREAD] = m->temp.apart;
    q->high[ALARM_Q_TEMPERATURE_RISE] = m->rise;
    q->high[ALARM_Q_CHARGE_TEMPERATURE] = charging ? m->temp.max : whole(p[PARAM_charge_over_temperature_warning_clear]);
    inlet(biu, charging, q);
    q->low[ALARM_Q_CHARGE_TEMPERATURE] =
        charging && !heats_first(biu) ? m->temp.min : whole(p[PARAM_charge_under_temperature_warning_clear]);
}

static void probes(const struct biu *biu, bool charging, struct alarm_in *q)
{
    const struct measure *m = &biu->measure;
    int32_t fitted = 0;

    for (unsigned k = 0; k < m->topology->devices; k++)
        fitted += m->chip[k] == VALIDITY_OK ? m->topology->chip[k].probe_count : 0;
    if (fitted == 0)
        return;
    int32_t lost = fitted - (int32_t)m->temp.valid;

    q->high[ALARM_Q_PROBES_LOST] = (struct measure_extreme) { true, lost * 100 / fitted, m->temp.invalid.number };
    q->high[ALARM_Q_PROBES_LOST_CHARGING] = charging ? q->high[ALARM_Q_PROBES_LOST] : whole(0);
}

static int64_t larger(int64_t a, int64_t b)
{
    return a > b ? a : b;
}

/* The larger of `apart_mV` and what this rail differs from the supply by, if the rail is there; one that is not valid is below 0. */
static int64_t further(int64_t apart_mV, int32_t rail_mV, int32_t supply_mV)
{
    int64_t over_mV = (int64_t)rail_mV - supply_mV;

    return rail_mV >= RAIL_THERE_mV ? larger(apart_mV, larger(over_mV, -over_mV)) : apart_mV;
}

static void supply(const struct biu_in *in, struct alarm_in *q)
{
    if (!is_known(in->supply_mV))
        return;
    both(q, ALARM_Q_SUPPLY, whole(in->supply_mV));
    int64_t apart_mV = further(further(0, in->keyon_mV, in->supply_mV), in->charger_wake_mV, in->supply_mV);

    q->high[ALARM_Q_SUPPLY_APART] = whole(apart_mV < INT32_MAX ? (int32_t)apart_mV : INT32_MAX);
}

static void contactors(const struct contactor *c, struct alarm_in *q)
{
    q->high[ALARM_Q_WELD] = (struct measure_extreme) { true, c->welded || c->held, c->welded };
    q->high[ALARM_Q_STUCK] = (struct measure_extreme) { true, c->stuck != 0, c->stuck };
    q->high[ALARM_Q_PRECHARGE] = whole((int32_t)c->why);
}

/* A full pack is no alarm; one that is full and still being charged is. */
static void charge_left(const struct biu *biu, int32_t soc, struct alarm_in *q)
{
    const int32_t *p = biu->params.running;
    bool flows = is_known(biu->current.mA) && -(int64_t)biu->current.mA >= (int64_t)p[PARAM_charge_end_dA] * 100;

    if (!is_known(soc))
        return;
    q->low[ALARM_Q_SOC] = whole(soc);
    q->high[ALARM_Q_SOC] = whole(flows || soc < p[PARAM_soc_high_warning_clear] ? soc : p[PARAM_soc_high_warning_clear]);
}

static void outputs(const struct biu *biu, struct alarm_in *q)
{
    const struct outputs *o = &biu->outputs;

    q->high[ALARM_Q_HEATING_WELD] = (struct measure_extreme) { true, o->welded, OUTPUTS_FIRST + 1 };
    q->high[ALARM_Q_OUTPUT_WRONG] = (struct measure_extreme) { true, o->wrong != 0, o->wrong };
    q->high[ALARM_Q_CHARGE_FAULT] = whole(biu->charge.state == CHARGE_FAULT ? (int32_t)biu->charge.end : 0);
}

void quantities_of(const struct biu *biu, const struct biu_in *in, uint32_t dt_ms, struct alarm_in *q)
{
    const struct measure *m = &biu->measure;
    int32_t soc = soc_permyriad(&biu->soc);

    bool plugged = biu->slow.connected || biu->fast.connected, charging = plugged || (biu->relays & BIU_RELAY_CHARGE);

    *q = (struct alarm_in) { .dt_ms = dt_ms, .released = !(in->inputs & BIU_INPUT_KEYON) && !plugged };
    q->high[ALARM_Q_CELL_VOLTAGE] = m->cell.max;
    q->low[ALARM_Q_CELL_VOLTAGE] = m->cell.min;
    q->high[ALARM_Q_CELL_SPREAD] = m->cell.apart;
    q->high[ALARM_Q_CELL_INVALID] = m->cell.invalid;
    q->high[ALARM_Q_PROBE_INVALID] = m->temp.invalid;
    q->high[ALARM_Q_AFE_AGE] = m->afe_age;
    q->high[ALARM_Q_DIE_TEMPERATURE] = m->die;
    q->high[ALARM_Q_CURRENT_AGE] = whole((int32_t)biu->current.age_ms);
    both(q, ALARM_Q_CURRENT, is_known(biu->current.mA) ? whole(biu->current.mA / 100) : unknown);
    charge_left(biu, soc, q);
    pack(biu, in, q);
    temperatures(biu, charging, q);
    probes(biu, charging, q);
    q->high[ALARM_Q_SOC_JUMP] = biu->trend.jump;
    q->high[ALARM_Q_TEMPERATURE_RATE] = biu->trend.rate;
    q->high[ALARM_Q_RUNAWAY] = biu->runaway.suspected;
    supply(in, q);
    safety(biu, in, q);
    contactors(&biu->contactor, q);
    q->high[ALARM_Q_CHARGER_ERROR] = whole(fast_charge_trouble(&biu->session));
    q->high[ALARM_Q_VCU_AGE] = whole(biu->params.running[PARAM_vcu_orders] ? (int32_t)biu->vehicle.age_ms : 0);
    outputs(biu, q);
}
