/* SPDX-License-Identifier: Apache-2.0 */
/* biu_tell.c -- what the board says of itself: the sample, the seconds before a trouble code, limits, the vehicle bus. */
#include "firmware/core/biu/biu_parts.h"

#include <string.h>

enum { COUNT_MAX = 65000 };

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

const struct sample *biu_take_sample(struct biu *biu, const struct biu_in *in)
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

void biu_note_seconds(struct biu *biu, const struct biu_in *in, uint32_t dt_ms)
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

void biu_note_codes(struct biu *biu, const struct biu_in *in)
{
    struct sample_alarm active[SAMPLE_ALARMS_MAX];
    size_t n = alarm_list(&biu->alarms, active);
    struct dtc_snapshot now = { .pack_mV = in->pack_voltage_mV,
                                .pack_mA = biu->current.mA,
                                .soc_permyriad = soc_permyriad(&biu->soc),
                                .utc_ms = in->utc_ms ? in->utc_ms : biu->dtu_utc_ms };

    dtc_step(&biu->dtc, active, n, biu_is_measured(biu), &now);
}

void biu_tell_limits(const struct biu *biu, struct biu_out *out)
{
    bool ending = contactor_is_ending(&biu->contactor);

    out->discharge_limit_dA = ending ? 0 : biu->limits.discharge_dA;
    out->charge_limit_dA = ending ? 0 : biu->limits.charge_dA;
    out->charger_on = biu->charge.deliver;
    out->charger_mV = biu->charge.want_mV;
    out->charger_dA = biu->charge.want_dA;
    out->charge_state = (uint8_t)biu->charge.state;
}

/* What the vehicle is told in this step. */
void biu_tell_vehicle(struct biu *biu, const struct biu_in *in, struct biu_out *out)
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
