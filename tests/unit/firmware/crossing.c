/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/firmware/crossing.h"

#include "firmware/core/measure/ntc.h"

enum {
    CELLS = 48,
    CHIP_CELLS = 16,
    PROBE_CHIP = 1,
    RISE_ddegC_PER_S = 40,
    ROOM_ddegC = 250,
    LOAD_mA = 100000,
    SMALL_LOAD_mA = 20000,
    LONG_MS = 10000
};

static bool until(struct rig *r, enum contactor_state state, uint32_t max_ms)
{
    for (uint32_t t = 0; t < max_ms && r->biu.contactor.state != state; t += BIU_STEP_MS)
        rig_step(r);
    return r->biu.contactor.state == state;
}

static bool end_under_load(struct rig *r, enum contactor_state closed, enum contactor_state ending, int32_t load_mA)
{
    if (!until(r, closed, 3000))
        return false;
    r->current_mA = load_mA;
    rig_run(r, 100);
    r->in.inputs = 0;
    return until(r, ending, 100);
}

static void set_reactions(enum crossing_set set, int32_t *params)
{
    for (int i = 0; set != CROSSING_SHIPPED && i < ALARMS; i++) {
        const struct param_row *row = &param_rows[alarm_rows[i].reaction];

        params[alarm_rows[i].reaction] = set == CROSSING_MILDEST ? row->min : row->max;
    }
}

void crossing_params(enum crossing_set set, int32_t *params)
{
    params_defaults(CHEMISTRY_NMC, params);
    set_reactions(set, params);
}

bool crossing_reach(struct rig *r, enum contactor_state state, unsigned phase, enum crossing_set set)
{
    bool charging = state == CONTACTOR_CHARGE || state == CONTACTOR_CHARGE_END;

    rig_init(r, CELLS, 0);
    set_reactions(set, r->params);
    r->params[PARAM_precharge_tries] = state == CONTACTOR_REST ? 3 : 1;
    rig_start(r);
    rig_run(r, 1000 + phase * BIU_STEP_MS);
    r->in.inputs = state == CONTACTOR_OPEN || state == CONTACTOR_TEST ? 0 : charging ? BIU_INPUT_CHARGER : BIU_INPUT_KEYON;
    r->hold_link = state == CONTACTOR_CHECK;
    r->short_link = state == CONTACTOR_REST || state == CONTACTOR_FAILED;
    if (state == CONTACTOR_TEST)
        (void)contactor_test(&r->biu.contactor, BIU_RELAY_PRECHARGE);
    if (state == CONTACTOR_DRIVE_END)
        return end_under_load(r, CONTACTOR_DRIVE, state, LOAD_mA);
    if (state == CONTACTOR_CHARGE_END)
        return end_under_load(r, CONTACTOR_CHARGE, state, -LOAD_mA);
    return until(r, state, 5000);
}

static bool closes_nothing(const struct rig *r)
{
    return r->out.contactors == 0;
}

bool crossing_applies(const struct rig *r, enum alarm alarm)
{
    enum contactor_state s = r->biu.contactor.state;

    switch (alarm_rows[alarm].quantity) {
    case ALARM_Q_CHARGE_TEMPERATURE:
    case ALARM_Q_INLET_TEMPERATURE:
    case ALARM_Q_PROBES_LOST_CHARGING:
    case ALARM_Q_CHARGE_FAULT:
        return s == CONTACTOR_CHARGE;
    case ALARM_Q_STUCK: /* a relay that is commanded closed for long enough */
        return s == CONTACTOR_DRIVE || s == CONTACTOR_CHARGE || s == CONTACTOR_DRIVE_END || s == CONTACTOR_CHARGE_END;
    case ALARM_Q_PRECHARGE:
        return s == CONTACTOR_PRECHARGE;
    default:
        return true;
    }
}

/* The probe's reading at this temperature or, between two codes, on the far side of it. */
static uint16_t probe_raw(const struct rig *r, int32_t ddegC)
{
    for (uint32_t raw = 1; raw < 65536; raw++)
        if (ntc_ddegC((uint16_t)raw, r->params[PARAM_ntc_r25_ohm], r->params[PARAM_ntc_beta_K]) == ddegC)
            return (uint16_t)raw;
    return 0;
}

static int32_t inlet_ohm(const struct rig *r, int32_t ddegC)
{
    for (int32_t ohm = 100; ohm < 100000; ohm++)
        if (ntc_of_ohm(ohm, r->params[PARAM_inlet_ntc_r25_ohm], r->params[PARAM_inlet_ntc_beta_K]) == ddegC)
            return ohm;
    return 0;
}

static void set_probe(struct rig *r, uint16_t raw)
{
    r->chain.chip[PROBE_CHIP].aux_raw[0] = raw;
}

static void cross_pack(struct rig *r, enum alarm_quantity quantity, int32_t limit)
{
    int32_t *pack_mV = &r->in.pack_voltage_mV;

    if (quantity == ALARM_Q_PACK_VOLTAGE)
        *pack_mV = limit * CELLS;
    else if (quantity == ALARM_Q_SUM_APART)
        *pack_mV += limit * CELLS;
    else /* a little beyond: the bridge has a resolution */
        r->neg_kohm = 0.98 * limit * *pack_mV / 1e6;
}

static void cross_contactors(struct rig *r, enum alarm_quantity quantity)
{
    if (quantity == ALARM_Q_WELD)
        r->welded = r->in.inputs & BIU_INPUT_CHARGER || (r->out.contactors & BIU_RELAY_CHARGE) ? BIU_RELAY_DISCHARGE : BIU_RELAY_CHARGE;
    else if (quantity == ALARM_Q_STUCK)
        r->jammed = r->out.contactors;
    else
        r->short_link = true;
}

static void cross_chip(struct rig *r, int32_t limit)
{
    for (unsigned cell = 1; cell <= CHIP_CELLS; cell++)
        rig_set_cell(r, cell, 3700 + limit);
}

static void lose_probes(struct rig *r)
{
    for (int k = 0; k < r->chain.chips; k++)
        for (int i = 0; i < AFE_AUX_INPUTS; i++)
            r->chain.chip[k].aux_raw[i] = 0xFFFF;
}

/* The heating relay is closed, or another output is. */
static void cross_outputs(struct rig *r, enum alarm_quantity quantity)
{
    bool heating = quantity == ALARM_Q_HEATING_WELD;

    r->biu.params.running[PARAM_output_readback] = heating ? 1 : 2;
    r->welded = heating ? BIU_RELAY_HEATING : BIU_RELAY_HEATING << 1;
}

static void cross_soc(struct rig *r, const struct alarm_row *row, int32_t limit)
{
    int32_t permyriad = limit - 100;

    if (row->quantity == ALARM_Q_SOC_JUMP)
        permyriad = soc_permyriad(&r->biu.soc) - limit - 300; /* the voltage pulls it back a little */
    else if (row->compare == ALARM_ABOVE)                     /* below 100 %, where the estimate ends */
        permyriad = (r->biu.params.running[row->limit] = limit - 300) + 100;
    if (row->compare == ALARM_ABOVE && row->quantity == ALARM_Q_SOC)
        r->current_mA = -50000;
    soc_filter_set(&r->biu.soc.mean, (float)permyriad / 10000.0f, 1e-4f); /* surely so, whatever the voltage says */
}

static void cross_supply(struct rig *r, enum alarm_quantity quantity, int32_t limit)
{
    if (quantity == ALARM_Q_SUPPLY)
        r->in.supply_mV = limit;
    else
        r->in.keyon_mV = r->in.supply_mV - limit;
}

static void cross(struct rig *r, const struct alarm_row *row)
{
    int32_t limit = r->biu.params.running[row->limit];

    switch (row->quantity) {
    case ALARM_Q_CELL_VOLTAGE:
        rig_set_cell(r, 20, limit);
        return;
    case ALARM_Q_CELL_SPREAD:
        rig_set_cell(r, 20, 3700 + limit);
        return;
    case ALARM_Q_CELL_INVALID:
        rig_set_cell(r, 20, 0);
        return;
    case ALARM_Q_TEMPERATURE:
    case ALARM_Q_CHARGE_TEMPERATURE:
        set_probe(r, probe_raw(r, limit));
        return;
    case ALARM_Q_TEMPERATURE_SPREAD:
        set_probe(r, probe_raw(r, ROOM_ddegC + limit));
        return;
    case ALARM_Q_PROBE_INVALID:
        set_probe(r, 0xFFFF);
        return;
    case ALARM_Q_DIE_TEMPERATURE: /* or, between two codes, on the far side */
        r->chain.chip[1].die_raw = (uint16_t)(fake_die(limit) + 1);
        return;
    case ALARM_Q_AFE_AGE:
        r->chain.chip[1].dead = true;
        return;
    case ALARM_Q_CURRENT_AGE:
        r->csu_silent = true;
        return;
    case ALARM_Q_CURRENT:
        r->current_mA = limit * 100;
        return;
    case ALARM_Q_SOC:
    case ALARM_Q_SOC_JUMP:
        cross_soc(r, row, limit);
        return;
    case ALARM_Q_TEMPERATURE_RATE:
        set_probe(r, probe_raw(r, ROOM_ddegC + limit));
        return;
    case ALARM_Q_RUNAWAY: /* a cell gives in while a probe beside it heats up */
        rig_set_cell(r, 20, 2600);
        return;
    case ALARM_Q_PROBES_LOST:
    case ALARM_Q_PROBES_LOST_CHARGING:
        lose_probes(r);
        return;
    case ALARM_Q_HEATING_WELD:
    case ALARM_Q_OUTPUT_WRONG:
        cross_outputs(r, row->quantity);
        return;
    case ALARM_Q_CHARGE_FAULT:
        r->current_mA = -r->params[PARAM_charge_max_dA] * 125;
        return;
    case ALARM_Q_HVIL:
        r->in.sense.hvil = 0;
        return;
    case ALARM_Q_INLET_TEMPERATURE:
        r->in.sense.inlet_ohm[1] = inlet_ohm(r, limit);
        return;
    case ALARM_Q_UNIT_DEGRADED:
        r->in.self.nvm_bad = true;
        return;
    case ALARM_Q_UNIT_FAILED:
        r->in.self.ram_bad = true;
        return;
    case ALARM_Q_CHIP_APART:
        cross_chip(r, limit);
        return;
    case ALARM_Q_SUPPLY:
    case ALARM_Q_SUPPLY_APART:
        cross_supply(r, row->quantity, limit);
        return;
    case ALARM_Q_PACK_VOLTAGE:
    case ALARM_Q_SUM_APART:
    case ALARM_Q_INSULATION:
        cross_pack(r, row->quantity, limit);
        return;
    case ALARM_Q_CHARGER_ERROR:
        r->biu.session.bms.phase = GBT_ERROR;
        return;
    case ALARM_Q_VCU_AGE: /* the last order was just now */
        r->biu.params.running[PARAM_vcu_orders] = 1;
        r->biu.vehicle.age_ms = 0;
        return;
    default:
        cross_contactors(r, row->quantity);
        return;
    }
}

/* More than the contactors open without wear. */
static void put_load(struct rig *r)
{
    if (r->current_mA == 0 && r->biu.contactor.state == CONTACTOR_DRIVE)
        r->current_mA = SMALL_LOAD_mA;
    if (r->current_mA == 0 && r->biu.contactor.state == CONTACTOR_CHARGE)
        r->current_mA = -SMALL_LOAD_mA;
}

uint32_t crossing_reaction_ms(struct rig *r, enum alarm alarm)
{
    const struct alarm_row *row = &alarm_rows[alarm];
    bool suspects = row->quantity == ALARM_Q_RUNAWAY; /* of its signs each opens by itself: its own alarm counts */
    int32_t reaction = r->biu.params.running[row->reaction];
    bool opens = reaction >= ALARM_REACT_END && !closes_nothing(r) && !suspects;
    bool rises = row->quantity == ALARM_Q_TEMPERATURE_RISE;

    int32_t *set_ms = &r->biu.params.running[row->set_ms];
    uint32_t cut_ms = *set_ms > LONG_MS ? (uint32_t)(*set_ms - LONG_MS) : 0;

    *set_ms -= (int32_t)cut_ms;
    if (reaction == ALARM_REACT_END)
        put_load(r);
    if (!rises)
        cross(r, row);
    rises = rises || suspects;
    for (uint32_t t = BIU_STEP_MS; t < CROSSING_WAIT_MS; t += BIU_STEP_MS) {
        if (rises && t % 100 == BIU_STEP_MS)
            set_probe(r, probe_raw(r, ROOM_ddegC + RISE_ddegC_PER_S * (int32_t)(t + 100) / 1000));
        rig_step(r);
        if (opens ? closes_nothing(r) : rig_has_alarm(r, alarm))
            return t + cut_ms;
    }
    return CROSSING_NEVER;
}

uint32_t crossing_worst_ms(struct rig *r, enum alarm alarm, enum crossing_set set, unsigned *cases)
{
    uint32_t worst_ms = 0;

    for (int s = CONTACTOR_OPEN; s < CONTACTOR_STATES; s++)
        for (unsigned phase = 0; phase < CROSSING_PHASES; phase++) {
            if (!crossing_reach(r, (enum contactor_state)s, phase, set))
                return CROSSING_NEVER;
            if (!crossing_applies(r, alarm))
                continue;
            uint32_t ms = crossing_reaction_ms(r, alarm);

            worst_ms = ms > worst_ms ? ms : worst_ms;
            ++*cases;
        }
    return worst_ms;
}
