/* SPDX-License-Identifier: Apache-2.0 */
#include "firmware/core/biu/biu.h"

#include <string.h>

#include "common/err.h"
#include "firmware/core/biu/biu_parts.h"
#include "firmware/core/diagnosis/dtc_image.h"
#include "proto/can0.h"

enum { MS_PER_S = 1000 };

static void restore(struct biu *biu, const struct key_data *key)
{
    biu->key = *key;
    soc_restore(&biu->soc, &key->soc);
    for (int i = 0; i < CONTACTOR_RELAYS; i++)
        biu->contactor.wear[i] = key->wear[i];
    for (int i = 0; i < OUTPUTS_WATCHED; i++)
        biu->outputs.wear[i] = key->wear[OUTPUTS_FIRST + i];
    for (int i = 0; i < ALARMS; i++)
        biu->alarms.row[i].count = key->alarms[alarm_rows[i].id];
}

static void start_charging(struct biu *biu)
{
    charge_init(&biu->charge);
    fast_charge_init(&biu->session);
    limits_init(&biu->limits);
    trend_init(&biu->trend);
    runaway_init(&biu->runaway);
    thermal_init(&biu->thermal);
    biu->slow = (struct charge_slow) { .limit_dA = scalar_invalid(VALIDITY_NOT_FITTED) };
    biu->fast = (struct charge_fast) { .max_mV = scalar_invalid(VALIDITY_NEVER),
                                       .max_dA = scalar_invalid(VALIDITY_NEVER),
                                       .output_mV = scalar_invalid(VALIDITY_NEVER),
                                       .output_dA = scalar_invalid(VALIDITY_NEVER) };
    sop_init(&biu->sop);
}

static void forget_sense(struct biu *biu)
{
    plug_init(&biu->plug);
    insulation_init(&biu->insulation);
    for (int i = 0; i < SENSE_INLETS; i++)
        biu->inlet_ddegC[i] = scalar_invalid(VALIDITY_NEVER);
}

int biu_init(struct biu *biu, const struct biu_config *cfg, uint32_t now_ms)
{
    if (cfg->ring_size < 2)
        return BMS_ERR_RANGE;
    *biu = (struct biu) { .boot = cfg->boot, .last_ms = now_ms, .mode = PACK_MODE_INIT };
    params_init(&biu->params, cfg->params);
    const int32_t *p = biu->params.running;

    biu->topology_error = topology_read(p, &biu->topology);
    afe_init(&biu->afe, &biu->topology);
    measure_init(&biu->measure, &biu->topology);
    current_init(&biu->current);
    forget_sense(biu);
    self_check_init(&biu->self);
    alarm_init(&biu->alarms);
    contactor_init(&biu->contactor);
    power_mode_init(&biu->power_mode);
    start_charging(biu);
    outputs_init(&biu->outputs);
    soc_init(&biu->soc, p);
    if (cfg->key)
        restore(biu, cfg->key);
    balance_init(&biu->balance);
    sampler_init(&biu->sampler, cfg->ring, cfg->ring_size);
    stream_init(&biu->stream);
    vehicle_bus_init(&biu->vehicle);
    dtc_init(&biu->dtc);
    if (cfg->codes)
        (void)dtc_unpack(&biu->dtc, cfg->codes, cfg->codes_n); /* bytes of no known version: as a new board */
    dtc_begin_cycle(&biu->dtc, p[PARAM_dtc_ageing_cycles]);
    uds_init(&biu->uds, &biu->params, &biu->sampler, &biu->stream, &biu->dtc);
    biu->uds.entropy = cfg->boot;
    biu->uds.soc = &biu->soc;
    biu->uds.contactor = &biu->contactor;
    biu->uds.alarms = &biu->alarms;
    biu->uds.wear = biu->key.wear;
    rs485_init(&biu->rs485);
    isotp_init(&biu->isotp, &(struct isotp_config) { .tx_id = CAN0_ISOTP_FROM_BIU,
                                                     .rx_id = CAN0_ISOTP_TO_BIU,
                                                     .tx_buf = biu->answer,
                                                     .tx_size = sizeof(biu->answer),
                                                     .rx_buf = biu->request,
                                                     .rx_size = sizeof(biu->request) });
    return biu->topology_error == TOPOLOGY_OK ? BMS_ERR_OK : BMS_ERR_RANGE;
}

void biu_wake(struct biu *biu, uint32_t now_ms)
{
    soc_wake(&biu->soc, now_ms - biu->last_ms, biu->params.running);
    biu->last_ms = now_ms;
    biu->dtu_utc_ms = 0;
    biu->idle_ms = 0;
    biu->mode = PACK_MODE_INIT;
    afe_restart(&biu->afe);
    measure_init(&biu->measure, &biu->topology);
    current_init(&biu->current);
    forget_sense(biu);
    alarm_hold(&biu->alarms);
    contactor_wake(&biu->contactor);
    outputs_wake(&biu->outputs, biu->params.running);
    freeze_wake(&biu->dtc.freeze);
    vehicle_bus_init(&biu->vehicle); /* orders from before the sleep are none */
    power_mode_wake(&biu->power_mode);
    start_charging(biu);
    balance_init(&biu->balance);
    biu->sampler.elapsed_ms = 0;
}

static void estimate(struct biu *biu, uint32_t dt_ms)
{
    const struct measure *m = &biu->measure;

    struct soc_in in = { .dt_ms = dt_ms,
                         .current_mA = biu->current.mA,
                         .cell_mV = m->cell_mV,
                         .cells = biu->topology.cells,
                         .complete = measure_is_complete(m),
                         .temp_ddegC = m->temp.valid ? m->temp.mean : scalar_invalid(VALIDITY_NEVER),
                         .charging = biu->mode == PACK_MODE_CHARGING,
                         .params = biu->params.running };

    soc_step(&biu->soc, &in);
    sop_step(&biu->sop, &biu->soc, &in);
}

static void even_out(struct biu *biu, uint32_t dt_ms)
{
    const int32_t *p = biu->params.running;
    bool calm = biu->mode == PACK_MODE_CHARGING || biu->mode == PACK_MODE_PARKED;
    struct balance_in in = { .dt_ms = dt_ms,
                             .permitted = calm && biu->alarms.level != ALARM_MAJOR && !biu->alarms.derate &&
                                          measure_is_complete(&biu->measure) && balance_is_cool(&biu->measure, p),
                             .on_ms = balance_on_ms(p, biu->measure.cell.max.value),
                             .start_mV = p[PARAM_balance_start_mV],
                             .min_cell_mV = p[PARAM_balance_min_cell_mV],
                             .die_hot_ddegC = p[PARAM_balance_die_hot_ddegC] };

    balance_step(&biu->balance, &biu->measure, &in);
    afe_balance(&biu->afe, biu->balance.chip);
}

static bool note_key_data(struct biu *biu, const struct biu_in *in, uint32_t dt_ms)
{
    key_data_note(&biu->key, &biu->measure, biu->current.mA, dt_ms);
    if (biu->soc.known)
        soc_save(&biu->soc, &biu->key.soc);
    biu->key.boot = biu->boot;
    for (int i = 0; i < CONTACTOR_RELAYS; i++)
        biu->key.wear[i] = biu->contactor.wear[i];
    for (int i = 0; i < OUTPUTS_WATCHED; i++)
        biu->key.wear[OUTPUTS_FIRST + i] = biu->outputs.wear[i];
    for (int i = 0; i < ALARMS; i++)
        biu->key.alarms[alarm_rows[i].id] = biu->alarms.row[i].count;
    return biu->soc.known && key_data_is_due(&biu->key_saving, in->supply_mV, dt_ms, biu->params.running);
}

/* True when a sleep begins now. */
static bool rest(struct biu *biu, const struct biu_in *in, uint32_t dt_ms)
{
    bool talks = biu->uds.session != UDS_SESSION_DEFAULT || uds_is_busy(&biu->uds) || isotp_is_sending(&biu->isotp);
    bool streams = biu->stream.no <= biu->sampler.last_no && biu->sampler.last_no > 0;

    return power_mode_step(&biu->power_mode, &(struct power_mode_in) { .dt_ms = dt_ms,
                                                                       .asked = biu_wants_drive(biu, in) || biu_is_plugged(biu),
                                                                       .busy = biu->relays || talks || streams,
                                                                       .well = biu_is_measured(biu) && biu->alarms.level != ALARM_MAJOR,
                                                                       .params = biu->params.running });
}

void biu_step(struct biu *biu, const struct biu_in *in, struct biu_out *out)
{
    uint32_t dt_ms = in->now_ms - biu->last_ms; /* unsigned: right across the wrap */

    biu->last_ms = in->now_ms;
    biu_take_in(biu, in, dt_ms, out);
    biu_look_at_plug(biu, in);
    bool alarms_changed = biu_judge(biu, in, dt_ms);

    biu_allow(biu, in, dt_ms);
    biu_talk_to_charger(biu, in, out);
    biu_charge(biu, in, dt_ms);
    biu_heat_and_cool(biu, in, dt_ms);
    biu_switch_contactors(biu, in, dt_ms);
    biu_choose_mode(biu, in, dt_ms);
    estimate(biu, dt_ms);
    even_out(biu, dt_ms);
    biu_note_codes(biu, in);
    biu_note_seconds(biu, in, dt_ms);

    bool save = note_key_data(biu, in, dt_ms), due = sampler_due(&biu->sampler, dt_ms, biu->params.running[PARAM_sample_period_ms]);

    out->contactors = biu->relays;
    out->outputs = biu->outputs.driven;
    out->less_power = biu->alarms.derate;
    out->no_power = contactor_is_ending(&biu->contactor);
    biu_tell_limits(biu, out);
    out->sample = due || alarms_changed || biu->sync ? biu_take_sample(biu, in) : NULL;
    biu_tell_vehicle(biu, in, out);
    biu_talk(biu, in, dt_ms, out);
    bool sleeps = rest(biu, in, dt_ms);

    out->sleep = biu->power_mode.sleep;
    out->wake_after_ms = (uint32_t)biu->params.running[PARAM_wake_period_s] * MS_PER_S;
    out->key_save = save || ((out->restart || sleeps) && biu->soc.known);
}
