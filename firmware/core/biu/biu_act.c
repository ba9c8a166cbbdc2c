/* SPDX-License-Identifier: Apache-2.0 */
/* biu_act.c -- judge the alarms, then act: limits, charge, heating, contactors, mode. */
#include "firmware/core/biu/biu_parts.h"

#include <string.h>

#include "firmware/core/protection/quantities.h"

enum { MAMS_PER_MAH = 3600000, RL3_INDEX = 2, MAINS = BIU_RELAY_DISCHARGE | BIU_RELAY_CHARGE };

static bool is_missing(int32_t scalar)
{
    enum validity why = scalar_validity(scalar);

    return why != VALIDITY_OK && why != VALIDITY_NOT_FITTED;
}

static uint8_t relay_bit(unsigned number)
{
    return (uint8_t)(number ? 1u << (number - 1) : 0u);
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
                            .relays_wrong = (uint8_t)(relay_bit(biu->contactor.welded) | relay_bit(biu->contactor.stuck)) };

    self_check_step(&biu->self, &self);
}

bool biu_judge(struct biu *biu, const struct biu_in *in, uint32_t dt_ms)
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

bool biu_is_measured(const struct biu *biu)
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

bool biu_wants_drive(const struct biu *biu, const struct biu_in *in)
{
    return (in->inputs & BIU_INPUT_KEYON) && orders_allow(biu, BIU_INPUT_KEYON);
}

bool biu_is_plugged(const struct biu *biu)
{
    return biu->slow.connected || biu->fast.connected;
}

void biu_allow(struct biu *biu, const struct biu_in *in, uint32_t dt_ms)
{
    limits_step(&biu->limits,
                &(struct limits_in) { .dt_ms = dt_ms,
                                      .measure = &biu->measure,
                                      .alarms = &biu->alarms,
                                      .soc_permyriad = soc_permyriad(&biu->soc),
                                      .pack_mV = in->pack_voltage_mV,
                                      .predicted_discharge_mA = biu->sop.discharge_mA[SOP_10_S],
                                      .predicted_charge_mA = biu_is_plugged(biu) ? biu->sop.charger_mA : biu->sop.charge_mA[SOP_10_S],
                                      .params = biu->params.running });
}

/* Against a charge and its heater. Locked: an alarm has opened, and what was asked for then still is. */
static bool is_blocked(const struct biu *biu)
{
    return biu->alarms.level == ALARM_MAJOR || !biu_is_measured(biu) || biu->contactor.locked || uds_holds_contactors(&biu->uds) ||
           !orders_allow(biu, BIU_INPUT_CHARGER);
}

void biu_talk_to_charger(struct biu *biu, const struct biu_in *in, struct biu_out *out)
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

void biu_charge(struct biu *biu, const struct biu_in *in, uint32_t dt_ms)
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

void biu_switch_contactors(struct biu *biu, const struct biu_in *in, uint32_t dt_ms)
{
    struct contactor_in c = { .dt_ms = dt_ms,
                              .must_open = biu->alarms.open,
                              .must_end = biu->alarms.end,
                              .may_close = biu_is_measured(biu) && biu->alarms.level != ALARM_MAJOR && !uds_holds_contactors(&biu->uds),
                              .may_charge = biu->charge.close && may_charge(biu),
                              .end_charge = !biu->charge.close && !(biu->charge.fast && biu->session.out.close),
                              .drive = biu_wants_drive(biu, in),
                              .charge = biu_is_plugged(biu),
                              .feedback = in->contactors_feedback,
                              .pack_mV = in->pack_voltage_mV,
                              .link_mV = in->link_voltage_mV,
                              .current_mA = biu->current.mA,
                              .params = biu->params.running };

    biu->relays = (uint8_t)(contactor_step(&biu->contactor, &c) | (biu->thermal.heat ? BIU_RELAY_HEATING : 0u));
}

void biu_heat_and_cool(struct biu *biu, const struct biu_in *in, uint32_t dt_ms)
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

void biu_choose_mode(struct biu *biu, const struct biu_in *in, uint32_t dt_ms)
{
    bool asked = biu_wants_drive(biu, in) || biu_is_plugged(biu);
    bool started = biu->mode != PACK_MODE_INIT || biu_is_measured(biu);
    bool was_at_work = biu->mode == PACK_MODE_DRIVING || biu->mode == PACK_MODE_CHARGING;

    biu->idle_ms = asked ? 0 : dt_ms >= INT32_MAX - biu->idle_ms ? INT32_MAX : biu->idle_ms + dt_ms;
    if (biu->alarms.level == ALARM_MAJOR || biu->topology_error != TOPOLOGY_OK)
        biu->mode = PACK_MODE_FAULT;
    else if (!started)
        biu->mode = PACK_MODE_INIT;
    else if (biu_is_plugged(biu))
        biu->mode = PACK_MODE_CHARGING;
    else if (biu_wants_drive(biu, in))
        biu->mode = PACK_MODE_DRIVING;
    else if (!was_at_work || biu->idle_ms >= (uint32_t)biu->params.running[PARAM_parked_after_ms])
        biu->mode = PACK_MODE_PARKED;
}
