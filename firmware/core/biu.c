/* SPDX-License-Identifier: Apache-2.0 */
#include "firmware/core/biu.h"

#include <string.h>

#include "common/err.h"
#include "firmware/core/ntc.h"
#include "firmware/core/quantities.h"
#include "proto/can0.h"

enum { COUNT_MAX = 65000, MAMS_PER_MAH = 3600000, MS_PER_S = 1000, RL3_INDEX = 2, MAINS = BIU_RELAY_DISCHARGE | BIU_RELAY_CHARGE };

static void restore(struct biu *biu, const struct key_data *key)
{
    biu->key = *key;
    soc_restore(&biu->soc, &key->soc);
    for (int i = 0; i < CONTACTOR_RELAYS; i++)
        biu->contactor.wear[i] = key->wear[i];
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
    outputs_init(&biu->outputs);
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
    soc_init(&biu->soc, p);
    if (cfg->key)
        restore(biu, cfg->key);
    balance_init(&biu->balance);
    sampler_init(&biu->sampler, cfg->ring, cfg->ring_size);
    stream_init(&biu->stream);
    vehicle_bus_init(&biu->vehicle);
    dtc_init(&biu->dtc);
    uds_init(&biu->uds, &biu->params, &biu->sampler, &biu->stream, &biu->dtc);
    biu->uds.entropy = cfg->boot;
    biu->uds.soc = &biu->soc;
    biu->uds.contactor = &biu->contactor;
    biu->uds.alarms = &biu->alarms;
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
    freeze_wake(&biu->dtc.freeze);
    vehicle_bus_init(&biu->vehicle); /* orders from before the sleep are none */
    power_mode_wake(&biu->power_mode);
    start_charging(biu);
    balance_init(&biu->balance);
    biu->sampler.elapsed_ms = 0;
}

/* --- in --- */

static void take_clock(struct biu *biu, const struct can_frame *f)
{
    uint64_t lo = (uint32_t)can0_get(f, CAN0_SIG_dtu_utc_lo), hi = (uint16_t)can0_get(f, CAN0_SIG_dtu_utc_hi);

    if (lo | hi)
        biu->dtu_utc_ms = hi << 32 | lo;
}

/* A request to everybody is a single frame (ISO 15765-2 table 22). */
static void take_functional(struct biu *biu, const struct can_frame *f)
{
    uint8_t n = f->len ? f->data[0] : 0;

    if (n == 0 || n >= sizeof(biu->to_all) || f->len <= n)
        return;
    memcpy(biu->to_all, f->data + 1, n);
    biu->to_all_n = n;
}

static void take_frame(struct biu *biu, const struct can_frame *f, uint32_t now_ms)
{
    unsigned number;
    uint8_t address;

    if (isotp_receive(&biu->isotp, f, now_ms))
        return;
    if (f->ext && f->id == CAN0_ISOTP_TO_ALL)
        take_functional(biu, f);
    if (!f->ext || (f->id & 0xFFFF0000u) != CAN0_ID_FROM(0, 0)) /* somebody else's */
        return;
    if (can0_check(f, &number, &address) != BMS_ERR_OK)
        biu->can_errors++;
    else if (number == CAN0_CSU_Current && address == CAN0_ADDR_CSU)
        current_frame(&biu->current, f, biu->params.running);
    else if (number == CAN0_DTU_Clock && address == CAN0_ADDR_DTU)
        take_clock(biu, f);
    else if (number == CAN0_SYNC)
        biu->sync = true;
}

static void take_sense(struct biu *biu, const struct biu_in *in, uint32_t dt_ms, struct biu_out *out)
{
    const int32_t *p = biu->params.running;
    const struct sense *s = &in->sense;
    struct insulation_in rails = { .dt_ms = dt_ms,
                                   .rail_pos_mV = s->rail_pos_mV,
                                   .rail_neg_mV = s->rail_neg_mV,
                                   .pack_mV = in->pack_voltage_mV,
                                   .off = biu->fast.handshaken,
                                   .params = p };

    plug_step(&biu->plug, s, dt_ms);
    out->bridge = insulation_step(&biu->insulation, &rails);
    for (int i = 0; i < SENSE_INLETS; i++)
        biu->inlet_ddegC[i] = ntc_of_ohm(s->inlet_ohm[i], p[PARAM_inlet_ntc_r25_ohm], p[PARAM_inlet_ntc_beta_K]);
}

static void take_in(struct biu *biu, const struct biu_in *in, uint32_t dt_ms, struct biu_out *out)
{
    static const uint8_t nothing[1];
    const int32_t *p = biu->params.running;
    struct writer tx = writer_of(out->afe_tx, sizeof(out->afe_tx));
    struct afe_in afe = { .dt_ms = dt_ms,
                          .scan_ms = (uint32_t)p[PARAM_afe_scan_ms],
                          .rx = reader_of(in->afe_rx_len ? in->afe_rx : nothing, in->afe_rx_len),
                          .fault = in->afe_fault };

    afe_step(&biu->afe, &afe, &tx);
    out->afe_tx_len = writer_used(&tx);
    measure_step(&biu->measure, &biu->afe, p);
    take_sense(biu, in, dt_ms, out);

    biu->sync = false;
    if (biu->dtu_utc_ms)
        biu->dtu_utc_ms += dt_ms;
    current_age(&biu->current, dt_ms, p[PARAM_value_stale_ms]);
    current_analog(&biu->current, &in->sense, p);
    for (size_t i = 0; i < in->can_rx_count; i++)
        take_frame(biu, &in->can_rx[i], in->now_ms);
    vehicle_bus_take(&biu->vehicle, in->can1_rx, in->can1_rx_count, dt_ms);
}

/* Without a wired charging interface the charger's wake-up stands for a plug, a pilot and no bound. */
static void look_at_plug(struct biu *biu, const struct biu_in *in)
{
    const struct plug *plug = &biu->plug;

    biu->fast.connected = plug->fast == PLUG_IN && !plug_is_double(plug);
    biu->slow.connected = biu->slow.ready = in->inputs & BIU_INPUT_CHARGER;
    biu->slow.limit_dA = scalar_invalid(VALIDITY_NOT_FITTED);
    if (!biu->params.running[PARAM_charge_needs_plug])
        return;
    biu->slow.connected = plug->slow == PLUG_IN && !plug_is_double(plug);
    biu->slow.ready = plug->limit_mA > 0;
    biu->slow.limit_dA = plug->limit_mA / 100;
}

/* --- judge and act --- */

static bool is_missing(int32_t scalar)
{
    enum validity why = scalar_validity(scalar);

    return why != VALIDITY_OK && why != VALIDITY_NOT_FITTED;
}

static uint8_t relay_bit(unsigned number)
{
    return number ? (uint8_t)(1u << (number - 1)) : 0;
}

static void look_at_self(struct biu *biu, const struct biu_in *in, uint32_t dt_ms)
{
    const int32_t *p = biu->params.running;
    const struct measure_extreme *age = &biu->measure.afe_age;
    struct self_in self = { .dt_ms = dt_ms,
                            .facts = &in->self,
                            .afe_silent = age->known && age->value >= p[PARAM_afe_silent_limit],
                            .current_silent = (int64_t)biu->current.age_ms >= p[PARAM_current_sensor_silent_limit],
                            .voltages_missing = is_missing(in->pack_voltage_mV) || is_missing(in->link_voltage_mV),
                            .insulation_implausible = scalar_validity(biu->insulation.system_kohm) == VALIDITY_IMPLAUSIBLE,
                            .relays_wrong = relay_bit(biu->contactor.welded) | relay_bit(biu->contactor.stuck) };

    self_check_step(&biu->self, &self);
}

static bool judge(struct biu *biu, const struct biu_in *in, uint32_t dt_ms)
{
    struct alarm_in q;

    measure_rise(&biu->measure, dt_ms);
    trend_step(&biu->trend, &biu->measure, soc_permyriad(&biu->soc), biu->current.mA,
               (int64_t)biu->params.running[PARAM_capacity_mAh] * MAMS_PER_MAH, dt_ms);
    runaway_step(&biu->runaway, &biu->measure, biu->params.running, dt_ms);
    look_at_self(biu, in, dt_ms);
    quantities_of(biu, in, dt_ms, &q);
    return alarm_judge(&biu->alarms, &q, biu->params.running);
}

static bool is_measured(const struct biu *biu)
{
    return measure_is_complete(&biu->measure) && scalar_validity(biu->current.mA) == VALIDITY_OK;
}

/* Before a close: the limits of charging, without the delay of their alarms. */
static bool may_charge(const struct biu *biu)
{
    const struct measure_worst *t = &biu->measure.temp;
    const int32_t *p = biu->params.running;

    return biu->topology.probes == 0 || (t->min.known && t->min.value > p[PARAM_charge_under_temperature_limit] &&
                                         t->max.value < p[PARAM_charge_over_temperature_limit]);
}

static bool orders_allow(const struct biu *biu, uint8_t input)
{
    return vehicle_bus_allows(&biu->vehicle, biu->params.running) & input;
}

static bool wants_drive(const struct biu *biu, const struct biu_in *in)
{
    return (in->inputs & BIU_INPUT_KEYON) && orders_allow(biu, BIU_INPUT_KEYON);
}

static bool is_plugged(const struct biu *biu)
{
    return biu->slow.connected || biu->fast.connected;
}

static void allow(struct biu *biu, const struct biu_in *in, uint32_t dt_ms)
{
    limits_step(&biu->limits, &(struct limits_in) { .dt_ms = dt_ms,
                                                    .measure = &biu->measure,
                                                    .alarms = &biu->alarms,
                                                    .soc_permyriad = soc_permyriad(&biu->soc),
                                                    .pack_mV = in->pack_voltage_mV,
                                                    .predicted_discharge_mA = biu->sop.discharge_mA[SOP_10_S],
                                                    .predicted_charge_mA = biu->sop.charge_mA[SOP_10_S],
                                                    .params = biu->params.running });
}

/* Against a charge and its heater. Locked: an alarm has opened, and what was asked for then still is. */
static bool is_blocked(const struct biu *biu)
{
    return biu->alarms.level == ALARM_MAJOR || !is_measured(biu) || biu->contactor.locked || uds_holds_contactors(&biu->uds) ||
           !orders_allow(biu, BIU_INPUT_CHARGER);
}

static void talk_to_charger(struct biu *biu, const struct biu_in *in, struct biu_out *out)
{
    const struct gbt_out *said = &biu->session.out;

    fast_charge_step(&biu->session,
                     &(struct fast_charge_in) { .now_ms = in->now_ms,
                                                .rx = in->can2_rx,
                                                .rx_count = in->can2_rx_count,
                                                .room = in->can2_room < BIU_CAN2_TX_MAX ? in->can2_room : BIU_CAN2_TX_MAX,
                                                .charge = &biu->charge,
                                                .measure = &biu->measure,
                                                .cells = biu->topology.cells,
                                                .probes = biu->topology.probes,
                                                .closed = (biu->relays & in->contactors_feedback & BIU_RELAY_CHARGE) != 0,
                                                .pack_mV = in->pack_voltage_mV,
                                                .current_mA = biu->current.mA,
                                                .soc_permyriad = soc_permyriad(&biu->soc),
                                                .full_min = soc_time_to_full_min(&biu->soc),
                                                .charges = biu->contactor.wear[RL3_INDEX].closed,
                                                .params = biu->params.running },
                     &biu->fast);
    memcpy(out->can2_tx, said->tx, said->tx_count * sizeof(said->tx[0]));
    out->can2_tx_count = said->tx_count;
}

static void charge(struct biu *biu, const struct biu_in *in, uint32_t dt_ms)
{
    const struct measure_worst *t = &biu->measure.temp;

    charge_step(&biu->charge, &(struct charge_in) { .dt_ms = dt_ms,
                                                    .slow = biu->slow,
                                                    .fast = biu->fast,
                                                    .blocked = is_blocked(biu),
                                                    .closed = (biu->relays & in->contactors_feedback & BIU_RELAY_CHARGE) != 0,
                                                    .pack_mV = in->pack_voltage_mV,
                                                    .current_mA = biu->current.mA,
                                                    .cell_max = biu->measure.cell.max,
                                                    .cold = t->valid > 0 ? t->min : (struct measure_extreme) { 0 },
                                                    .has_probes = biu->topology.probes > 0,
                                                    .limit_dA = biu->limits.charge_dA,
                                                    .cells = biu->topology.cells,
                                                    .params = biu->params.running });
}

static void switch_contactors(struct biu *biu, const struct biu_in *in, uint32_t dt_ms)
{
    struct contactor_in c = { .dt_ms = dt_ms,
                              .must_open = biu->alarms.open,
                              .may_close = is_measured(biu) && biu->alarms.level != ALARM_MAJOR && !uds_holds_contactors(&biu->uds),
                              .may_charge = biu->charge.close && may_charge(biu),
                              .end_charge = !biu->charge.close && !(biu->charge.fast && biu->session.out.close),
                              .drive = wants_drive(biu, in),
                              .charge = is_plugged(biu),
                              .feedback = in->contactors_feedback,
                              .pack_mV = in->pack_voltage_mV,
                              .link_mV = in->link_voltage_mV,
                              .current_mA = biu->current.mA,
                              .params = biu->params.running };

    biu->relays = (uint8_t)(contactor_step(&biu->contactor, &c) | (biu->thermal.heat ? BIU_RELAY_HEATING : 0u));
}

static void heat_and_cool(struct biu *biu, const struct biu_in *in, uint32_t dt_ms)
{
    bool others = (biu->relays | in->contactors_feedback) & (MAINS | BIU_RELAY_PRECHARGE);
    struct thermal_in t = {
        .measure = &biu->measure, .heat = biu->charge.heat && !others, .blocked = is_blocked(biu), .params = biu->params.running
    };

    thermal_step(&biu->thermal, &t);
    outputs_step(&biu->outputs, &(struct outputs_in) { .dt_ms = dt_ms,
                                                       .heat = biu->thermal.heat,
                                                       .on = { [OUTPUT_FAN] = biu->thermal.fan,
                                                               [OUTPUT_AUX] = (biu->relays & MAINS) != 0,
                                                               [OUTPUT_CHARGING] = biu->charge.deliver,
                                                               [OUTPUT_MAJOR] = biu->alarms.level == ALARM_MAJOR,
                                                               [OUTPUT_AWAKE] = !biu->power_mode.sleep },
                                                       .feedback = in->contactors_feedback,
                                                       .params = biu->params.running });
}

static void choose_mode(struct biu *biu, const struct biu_in *in, uint32_t dt_ms)
{
    bool asked = wants_drive(biu, in) || is_plugged(biu);
    bool started = biu->mode != PACK_MODE_INIT || is_measured(biu);
    bool was_at_work = biu->mode == PACK_MODE_DRIVING || biu->mode == PACK_MODE_CHARGING;

    biu->idle_ms = asked ? 0 : dt_ms >= INT32_MAX - biu->idle_ms ? INT32_MAX : biu->idle_ms + dt_ms;
    if (biu->alarms.level == ALARM_MAJOR || biu->topology_error != TOPOLOGY_OK)
        biu->mode = PACK_MODE_FAULT;
    else if (!started)
        biu->mode = PACK_MODE_INIT;
    else if (is_plugged(biu))
        biu->mode = PACK_MODE_CHARGING;
    else if (wants_drive(biu, in))
        biu->mode = PACK_MODE_DRIVING;
    else if (!was_at_work || biu->idle_ms >= (uint32_t)biu->params.running[PARAM_parked_after_ms])
        biu->mode = PACK_MODE_PARKED;
}

static void estimate(struct biu *biu, uint32_t dt_ms)
{
    const struct measure *m = &biu->measure;

    soc_step(&biu->soc, &(struct soc_in) { .dt_ms = dt_ms,
                                           .current_mA = biu->current.mA,
                                           .cell_mV = m->cell_mV,
                                           .cells = biu->topology.cells,
                                           .complete = measure_is_complete(m),
                                           .temp_ddegC = m->temp.valid ? m->temp.mean : scalar_invalid(VALIDITY_NEVER),
                                           .charging = biu->mode == PACK_MODE_CHARGING,
                                           .params = biu->params.running });
    sop_step(&biu->sop, &biu->soc, dt_ms, biu->params.running);
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
                             .min_cell_mV = p[PARAM_balance_min_cell_mV] };

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
    for (int i = 0; i < ALARMS; i++)
        biu->key.alarms[alarm_rows[i].id] = biu->alarms.row[i].count;
    return biu->soc.known && key_data_is_due(&biu->key_saving, in->supply_mV, dt_ms, biu->params.running);
}

/* --- the sample --- */

static int32_t saturated(uint32_t count)
{
    return count > COUNT_MAX ? COUNT_MAX : (int32_t)count;
}

static void fill_limits(const struct biu *biu, int32_t *v)
{
    const struct limits *l = &biu->limits;

    v[SAMPLE_discharge_limit_dA] = l->discharge_dA;
    v[SAMPLE_charge_limit_dA] = l->charge_dA;
    v[SAMPLE_derate_percent] = l->alarm_percent;
    v[SAMPLE_discharge_power_W] = l->discharge_W;
    v[SAMPLE_charge_power_W] = l->charge_W;
    v[SAMPLE_charge_state] = biu->charge.state;
    v[SAMPLE_charger_voltage_dV] = scalar_validity(biu->fast.output_mV) == VALIDITY_OK ? biu->fast.output_mV / 100 : biu->fast.output_mV;
    v[SAMPLE_charger_current_dA] = biu->fast.output_dA;
}

static void fill_scalars(const struct biu *biu, const struct biu_in *in, int32_t *v)
{
    for (int i = 0; i < SAMPLE_SCALARS; i++)
        v[i] = scalar_invalid(VALIDITY_NOT_FITTED);
    v[SAMPLE_pack_voltage_mV] = in->pack_voltage_mV;
    v[SAMPLE_pack_current_mA] = biu->current.mA;
    v[SAMPLE_soc_permyriad] = soc_permyriad(&biu->soc);
    v[SAMPLE_soc_band_permyriad] = soc_band_permyriad(&biu->soc);
    v[SAMPLE_soc_cell_min_permyriad] = soc_cell_min_permyriad(&biu->soc);
    v[SAMPLE_soc_cell_max_permyriad] = soc_cell_max_permyriad(&biu->soc);
    v[SAMPLE_soh_permyriad] = soc_soh_permyriad(&biu->soc);
    v[SAMPLE_soh_band_permyriad] = soc_soh_band_permyriad(&biu->soc);
    v[SAMPLE_soh_resistance_permyriad] = soc_resistance_permyriad(&biu->soc);
    v[SAMPLE_time_to_full_min] = soc_time_to_full_min(&biu->soc);
    v[SAMPLE_time_to_empty_min] = soc_time_to_empty_min(&biu->soc);
    v[SAMPLE_mode] = biu->mode;
    v[SAMPLE_alarm_level] = biu->alarms.level;
    v[SAMPLE_link_voltage_mV] = in->link_voltage_mV;
    v[SAMPLE_contactors_closed] = biu->relays | biu->outputs.driven << OUTPUTS_FREE;
    v[SAMPLE_outputs] = biu->outputs.driven;
    v[SAMPLE_contactors_feedback] = in->contactors_feedback;
    v[SAMPLE_inputs] = in->inputs;
    v[SAMPLE_capacity_left_mAh] = soc_left_mAh(&biu->soc);
    v[SAMPLE_energy_left_Wh] = soc_left_Wh(&biu->soc);
    v[SAMPLE_supply_mV] = in->supply_mV;
    v[SAMPLE_keyon_mV] = in->keyon_mV;
    v[SAMPLE_charger_wake_mV] = in->charger_wake_mV;
    v[SAMPLE_insulation_kohm] = biu->insulation.system_kohm;
    v[SAMPLE_insulation_pos_kohm] = biu->insulation.pos_kohm;
    v[SAMPLE_insulation_neg_kohm] = biu->insulation.neg_kohm;
    v[SAMPLE_insulation_ohm_per_V] = biu->insulation.ohm_per_V;
    v[SAMPLE_afe_errors] = saturated(afe_errors(&biu->afe));
    v[SAMPLE_can_errors] = saturated(biu->can_errors);
    v[SAMPLE_param_running_hash] = (int32_t)biu->params.running_hash;
    v[SAMPLE_inlet_1_ddegC] = biu->inlet_ddegC[0];
    v[SAMPLE_inlet_2_ddegC] = biu->inlet_ddegC[1];
    v[SAMPLE_self_check] = biu->self.failed;
    v[SAMPLE_slot_overruns] = in->self.fitted ? saturated(in->self.slot_overruns) : scalar_invalid(VALIDITY_NOT_FITTED);
    v[SAMPLE_plug] = plug_bits(&biu->plug);
    v[SAMPLE_hvil_closed] = in->sense.hvil;
    v[SAMPLE_analog_1_mV] = in->sense.analog_mV[0];
    v[SAMPLE_analog_2_mV] = in->sense.analog_mV[1];
    v[SAMPLE_analog_3_mV] = in->sense.analog_mV[2];
    v[SAMPLE_param_stored_hash] = (int32_t)biu->params.stored_hash;
    fill_limits(biu, v);
}

static const struct sample *take_sample(struct biu *biu, const struct biu_in *in)
{
    struct sample *x = sampler_add(&biu->sampler);

    x->utc_ms = in->utc_ms ? in->utc_ms : biu->dtu_utc_ms;
    x->boot = biu->boot;
    x->cells = biu->topology.cells;
    x->temps = biu->topology.probes;
    memcpy(x->cell_mV, biu->measure.cell_mV, sizeof(x->cell_mV));
    memcpy(x->temp_ddegC, biu->measure.temp_ddegC, sizeof(x->temp_ddegC));
    memcpy(x->balancing, biu->balance.cells, sizeof(x->balancing));
    x->alarms = alarm_list(&biu->alarms, x->alarm);
    fill_scalars(biu, in, x->scalar);
    return x;
}

static uint16_t small(int32_t scalar, int32_t divisor)
{
    int32_t v = scalar / divisor;

    return scalar_validity(scalar) == VALIDITY_OK && v >= 0 && v < UINT16_MAX ? (uint16_t)v : UINT16_MAX;
}

static int16_t small_signed(int32_t scalar, int32_t divisor)
{
    int32_t v = scalar / divisor;

    return scalar_validity(scalar) == VALIDITY_OK && v > INT16_MIN && v <= INT16_MAX ? (int16_t)v : INT16_MIN;
}

static int32_t scalar_of(const struct measure_extreme *x)
{
    return x->known ? x->value : scalar_invalid(VALIDITY_NEVER);
}

static void note_seconds(struct biu *biu, const struct biu_in *in, uint32_t dt_ms)
{
    const struct measure *m = &biu->measure;
    struct freeze_point now = { .pack_dV = small(in->pack_voltage_mV, 100),
                                .current_dA = small_signed(biu->current.mA, 100),
                                .cell_max_mV = small(scalar_of(&m->cell.max), 1),
                                .cell_min_mV = small(scalar_of(&m->cell.min), 1),
                                .temp_max_ddegC = small_signed(scalar_of(&m->temp.max), 1),
                                .temp_min_ddegC = small_signed(scalar_of(&m->temp.min), 1),
                                .soc_permyriad = small(soc_permyriad(&biu->soc), 1),
                                .relays = (uint8_t)(biu->relays | biu->outputs.driven << OUTPUTS_FREE),
                                .alarms = biu->alarms.active };

    freeze_step(&biu->dtc.freeze, &now, dt_ms);
}

static void note_codes(struct biu *biu, const struct biu_in *in)
{
    struct sample_alarm active[SAMPLE_ALARMS_MAX];
    size_t n = alarm_list(&biu->alarms, active);
    struct dtc_snapshot now = { .pack_mV = in->pack_voltage_mV,
                                .pack_mA = biu->current.mA,
                                .soc_permyriad = soc_permyriad(&biu->soc),
                                .utc_ms = in->utc_ms ? in->utc_ms : biu->dtu_utc_ms };

    dtc_step(&biu->dtc, active, n, is_measured(biu), &now);
}

static void tell_limits(const struct biu *biu, struct biu_out *out)
{
    bool ending = contactor_is_ending(&biu->contactor);

    out->discharge_limit_dA = ending ? 0 : biu->limits.discharge_dA;
    out->charge_limit_dA = ending ? 0 : biu->limits.charge_dA;
    out->charger_on = biu->charge.deliver;
    out->charger_mV = biu->charge.want_mV;
    out->charger_dA = biu->charge.want_dA;
    out->charge_state = (uint8_t)biu->charge.state;
}

/* --- requests --- */

/* What the conditions of services look at. */
static void show(struct biu *biu, const struct biu_in *in)
{
    biu->uds.program.slot_size = in->slot_size;
    const struct sample *s = sampler_get(&biu->sampler, biu->sampler.last_no);

    biu->uds.board = (struct uds_board) { .failed = s ? s->scalar[SAMPLE_self_check] : scalar_invalid(VALIDITY_NEVER),
                                          .relays = biu->relays,
                                          .feedback = in->contactors_feedback,
                                          .asked = in->inputs & (BIU_INPUT_KEYON | BIU_INPUT_CHARGER),
                                          .major = biu->alarms.level == ALARM_MAJOR,
                                          .current_mA = biu->current.mA,
                                          .pack_mV = in->pack_voltage_mV,
                                          .link_mV = in->link_voltage_mV };
}

/* The next request, of whoever came first in this order: everybody's, CAN0, RS485. Returns the answer's length, 0 when there is none (yet). */
static size_t take_request(struct biu *biu)
{
    const uint8_t *request;
    size_t n;

    biu->asked_by_rs485 = false;
    if (biu->to_all_n) {
        n = uds_request_functional(&biu->uds, biu->to_all, biu->to_all_n, biu->answer);
        biu->to_all_n = 0;
        return n;
    }
    if ((n = isotp_take(&biu->isotp, &request)) > 0)
        return uds_request(&biu->uds, request, n, biu->answer);
    if ((n = rs485_take(&biu->rs485, &request)) == 0)
        return 0;
    biu->asked_by_rs485 = true;
    return uds_request(&biu->uds, request, n, biu->answer);
}

static void answer(struct biu *biu, const struct biu_in *in, uint32_t dt_ms, struct biu_out *out)
{
    if (in->nvm != BIU_NVM_IDLE)
        biu->nvm = in->nvm;
    uds_slot_result(&biu->uds, in->slot);
    if (isotp_is_sending(&biu->isotp))
        return;
    size_t n = uds_poll(&biu->uds, dt_ms, biu->nvm, biu->answer);

    biu->nvm = BIU_NVM_IDLE;
    if (n == 0 && !uds_is_busy(&biu->uds) && !biu->uds.restart)
        n = take_request(biu);
    if (n && biu->asked_by_rs485)
        out->rs485_tx_len += rs485_frame(biu->answer, n, out->rs485_tx + out->rs485_tx_len);
    else if (n)
        isotp_send(&biu->isotp, biu->answer, n, in->now_ms);
}

static void talk(struct biu *biu, const struct biu_in *in, uint32_t dt_ms, struct biu_out *out)
{
    size_t room = in->can_room < BIU_CAN_TX_MAX ? in->can_room : BIU_CAN_TX_MAX;
    size_t n = 0;

    show(biu, in);
    out->rs485_tx_len = rs485_step(&biu->rs485, &biu->uds, in->rs485_rx, in->rs485_rx_len, dt_ms, out->rs485_tx);
    answer(biu, in, dt_ms, out);
    while (n < room && isotp_poll(&biu->isotp, in->now_ms, &out->can_tx[n]) == 1)
        n++;
    out->can_tx_count = n + stream_step(&biu->stream, &biu->sampler, out->can_tx + n, biu->uds.silent ? 0 : room - n);
    out->nvm_write = biu->uds.store ? biu->uds.storing : NULL;
    biu->uds.store = false;
    out->slot = biu->uds.order;
    biu->uds.order = (struct biu_slot_order) { .what = BIU_SLOT_NOTHING };
    out->restart = biu->uds.restart && !isotp_is_sending(&biu->isotp);
}

/* What the vehicle is told in this step. */
static void tell_vehicle(struct biu *biu, const struct biu_in *in, struct biu_out *out)
{
    int32_t scalar[SAMPLE_SCALARS];
    struct vehicle_view view = { .scalar = scalar,
                                 .measure = &biu->measure,
                                 .alarms = &biu->alarms,
                                 .balancing = biu->balance.cells,
                                 .cells = biu->topology.cells,
                                 .probes = biu->topology.probes,
                                 .closed = in->contactors_feedback,
                                 .less_power = out->less_power,
                                 .no_power = out->no_power,
                                 .orders_lost = vehicle_bus_is_lost(&biu->vehicle, biu->params.running) };

    fill_scalars(biu, in, scalar);
    out->can1_tx_count =
        vehicle_bus_tell(&biu->vehicle, &view, out->can1_tx, in->can1_room < BIU_CAN1_TX_MAX ? in->can1_room : BIU_CAN1_TX_MAX);
}

/* True when a sleep begins now. */
static bool rest(struct biu *biu, const struct biu_in *in, uint32_t dt_ms)
{
    bool talks = biu->uds.session != UDS_SESSION_DEFAULT || uds_is_busy(&biu->uds) || isotp_is_sending(&biu->isotp);
    bool streams = biu->stream.no <= biu->sampler.last_no && biu->sampler.last_no > 0;

    return power_mode_step(&biu->power_mode, &(struct power_mode_in) { .dt_ms = dt_ms,
                                                                       .asked = wants_drive(biu, in) || is_plugged(biu),
                                                                       .busy = biu->relays || talks || streams,
                                                                       .well = is_measured(biu) && biu->alarms.level != ALARM_MAJOR,
                                                                       .params = biu->params.running });
}

void biu_step(struct biu *biu, const struct biu_in *in, struct biu_out *out)
{
    uint32_t dt_ms = in->now_ms - biu->last_ms; /* unsigned: right across the wrap */

    biu->last_ms = in->now_ms;
    take_in(biu, in, dt_ms, out);
    look_at_plug(biu, in);
    bool alarms_changed = judge(biu, in, dt_ms);

    allow(biu, in, dt_ms);
    talk_to_charger(biu, in, out);
    charge(biu, in, dt_ms);
    heat_and_cool(biu, in, dt_ms);
    switch_contactors(biu, in, dt_ms);
    choose_mode(biu, in, dt_ms);
    estimate(biu, dt_ms);
    even_out(biu, dt_ms);
    note_codes(biu, in);
    note_seconds(biu, in, dt_ms);

    bool save = note_key_data(biu, in, dt_ms), due = sampler_due(&biu->sampler, dt_ms, biu->params.running[PARAM_sample_period_ms]);

    out->contactors = biu->relays;
    out->outputs = biu->outputs.driven;
    out->less_power = biu->alarms.derate;
    out->no_power = contactor_is_ending(&biu->contactor);
    tell_limits(biu, out);
    out->sample = due || alarms_changed || biu->sync ? take_sample(biu, in) : NULL;
    tell_vehicle(biu, in, out);
    talk(biu, in, dt_ms, out);
    bool sleeps = rest(biu, in, dt_ms);

    out->sleep = biu->power_mode.sleep;
    out->wake_after_ms = (uint32_t)biu->params.running[PARAM_wake_period_s] * MS_PER_S;
    out->key_save = save || ((out->restart || sleeps) && biu->soc.known);
}
