/* SPDX-License-Identifier: Apache-2.0 */
#include "firmware/core/talk/vehicle_bus.h"

#include "firmware/core/biu/biu_io.h"

enum { mV_PER_dV = 100, mA_PER_dA = 100, ALARMS_PER_SIGNAL = 24, BIT_1_24 = 1, BIT_25_48 = 25, BIT_49_63 = 49, LAST_BITS = 15 };

void vehicle_bus_init(struct vehicle_bus *v)
{
    *v = (struct vehicle_bus) { 0 };
}

/* --- in --- */

/* 0 or 1, or `otherwise` for a value that is not valid, which is counted. */
static bool order(struct vehicle_bus *v, const struct can_frame *f, enum vehicle_signal sig, bool otherwise)
{
    int32_t value = vehicle_get(f, sig);

    if (scalar_validity(value) == VALIDITY_OK)
        return value == 1;
    v->bad_value++;
    return otherwise;
}

static void take_orders(struct vehicle_bus *v, const struct can_frame *f)
{
    uint8_t counter;

    if (!vehicle_check(f, &counter)) {
        v->bad_crc++;
        return;
    }
    unsigned ahead = ((unsigned)counter + VEHICLE_COUNTERS - v->last_counter) % VEHICLE_COUNTERS;
    bool follows = v->heard && ahead >= 1 && ahead <= VEHICLE_BUS_LOST_MAX + 1;

    v->heard = true;
    v->last_counter = counter;
    if (!follows) {
        v->bad_counter++;
        return;
    }
    v->good++;
    v->age_ms = 0;
    v->orders.drive = order(v, f, VEHICLE_SIG_drive_request, false);
    v->orders.charge = order(v, f, VEHICLE_SIG_charge_permission, false);
    v->orders.hv_off = order(v, f, VEHICLE_SIG_hv_off, true);
}

void vehicle_bus_take(struct vehicle_bus *v, const struct can_frame *rx, size_t n, uint32_t dt_ms)
{
    v->age_ms = dt_ms >= INT32_MAX - v->age_ms ? INT32_MAX : v->age_ms + dt_ms;
    for (size_t i = 0; i < n; i++)
        if (!rx[i].ext && rx[i].id == vehicle_messages[VEHICLE_VCU_Orders].id)
            take_orders(v, &rx[i]);
}

bool vehicle_bus_is_lost(const struct vehicle_bus *v, const int32_t *params)
{
    return params[PARAM_vcu_orders] && v->age_ms >= (uint32_t)params[PARAM_vcu_silent_limit];
}

uint8_t vehicle_bus_allows(const struct vehicle_bus *v, const int32_t *params)
{
    uint8_t allowed = 0;

    if (!params[PARAM_vcu_orders])
        return BIU_INPUT_KEYON | BIU_INPUT_CHARGER;
    if (v->good == 0 || v->orders.hv_off || vehicle_bus_is_lost(v, params))
        return 0;
    if (v->orders.drive)
        allowed |= BIU_INPUT_KEYON;
    if (v->orders.charge)
        allowed |= BIU_INPUT_CHARGER;
    return allowed;
}

/* --- out --- */

static int32_t scaled(int32_t scalar, int32_t by)
{
    return scalar_validity(scalar) != VALIDITY_OK ? scalar : (scalar + (scalar < 0 ? -by : by) / 2) / by;
}

static int32_t extreme(const struct measure_extreme *x)
{
    return x->known ? x->value : scalar_invalid(VALIDITY_NEVER);
}

static int32_t number_of(const struct measure_extreme *x)
{
    return x->known ? x->number : 0;
}

/* The alarms with ids from `first` on, one bit each. */
static int32_t alarm_bits(const struct alarms *a, unsigned first, unsigned count)
{
    uint32_t bits = 0;

    for (int i = 0; i < ALARMS; i++)
        if (a->row[i].active && alarm_rows[i].id >= first && alarm_rows[i].id < first + count)
            bits |= 1u << (alarm_rows[i].id - first);
    return (int32_t)bits;
}

static struct sample_alarm worst_alarm(const struct alarms *a)
{
    for (int i = 0; i < ALARMS; i++)
        if (a->row[i].active && alarm_rows[i].level == a->level)
            return a->row[i].raised;
    return (struct sample_alarm) { 0 };
}

static int32_t safety_value(enum vehicle_signal sig, const struct vehicle_view *w)
{
    switch (sig) {
    case VEHICLE_SIG_safe_voltage_dV:
        return scaled(w->scalar[SAMPLE_pack_voltage_mV], mV_PER_dV);
    case VEHICLE_SIG_safe_current_dA:
        return scaled(w->scalar[SAMPLE_pack_current_mA], mA_PER_dA);
    case VEHICLE_SIG_safe_mode:
        return w->scalar[SAMPLE_mode];
    case VEHICLE_SIG_safe_alarm_level:
        return w->scalar[SAMPLE_alarm_level];
    case VEHICLE_SIG_safe_relays:
        return w->closed;
    case VEHICLE_SIG_safe_less_power:
        return w->less_power;
    case VEHICLE_SIG_safe_no_power:
        return w->no_power;
    case VEHICLE_SIG_safe_may_drive:
        return !w->no_power && (w->closed & BIU_RELAY_DISCHARGE) != 0;
    case VEHICLE_SIG_safe_may_charge:
        return !w->no_power && (w->closed & BIU_RELAY_CHARGE) != 0;
    default: /* safe_orders_lost */
        return w->orders_lost;
    }
}

static int32_t own_value(enum vehicle_signal sig, const struct vehicle_view *w)
{
    switch (sig) {
    case VEHICLE_SIG_x_cell_max_mV:
        return extreme(&w->measure->cell.max);
    case VEHICLE_SIG_x_cell_min_mV:
        return extreme(&w->measure->cell.min);
    case VEHICLE_SIG_x_cell_max_no:
        return number_of(&w->measure->cell.max);
    case VEHICLE_SIG_x_cell_min_no:
        return number_of(&w->measure->cell.min);
    case VEHICLE_SIG_x_temp_max_ddegC:
        return extreme(&w->measure->temp.max);
    case VEHICLE_SIG_x_temp_min_ddegC:
        return extreme(&w->measure->temp.min);
    case VEHICLE_SIG_x_temp_max_no:
        return number_of(&w->measure->temp.max);
    case VEHICLE_SIG_x_temp_min_no:
        return number_of(&w->measure->temp.min);
    case VEHICLE_SIG_al_1_24:
        return alarm_bits(w->alarms, BIT_1_24, ALARMS_PER_SIGNAL);
    case VEHICLE_SIG_al_25_48:
        return alarm_bits(w->alarms, BIT_25_48, ALARMS_PER_SIGNAL);
    case VEHICLE_SIG_al_49_63:
        return alarm_bits(w->alarms, BIT_49_63, LAST_BITS);
    case VEHICLE_SIG_al_count:
        return w->alarms->active;
    case VEHICLE_SIG_al_worst_id:
        return worst_alarm(w->alarms).alarm;
    case VEHICLE_SIG_al_worst_no:
        return worst_alarm(w->alarms).number;
    case VEHICLE_SIG_al_worst_value:
        return worst_alarm(w->alarms).value;
    case VEHICLE_SIG_fitted_cells:
        return w->cells;
    case VEHICLE_SIG_fitted_probes:
        return w->probes;
    default:
        return safety_value(sig, w);
    }
}

static struct can_frame row_frame(enum vehicle_message message, const struct vehicle_view *w)
{
    struct can_frame f = vehicle_begin(vehicle_messages[message].id);

    for (int i = 0; i < VEHICLE_SIGNALS; i++) {
        const struct vehicle_signal_row *r = &vehicle_signals[i];

        if (r->message == message)
            vehicle_put(&f, (enum vehicle_signal)i, r->source == VEHICLE_OWN ? own_value((enum vehicle_signal)i, w) : w->scalar[r->source]);
    }
    return f;
}

static int32_t element(enum vehicle_array array, unsigned at, const struct vehicle_view *w)
{
    enum validity why;

    switch (array) {
    case VEHICLE_ARR_BMS_CellVoltage:
        why = cell_validity(w->measure->cell_mV[at]);
        return why == VALIDITY_OK ? w->measure->cell_mV[at] : scalar_invalid(why);
    case VEHICLE_ARR_BMS_Temperature:
        why = temp_validity(w->measure->temp_ddegC[at]);
        return why == VALIDITY_OK ? w->measure->temp_ddegC[at] : scalar_invalid(why);
    default:
        return w->balancing[at];
    }
}

static unsigned fitted(enum vehicle_array array, const struct vehicle_view *w)
{
    return array == VEHICLE_ARR_BMS_CellVoltage ? w->cells : array == VEHICLE_ARR_BMS_Temperature ? w->probes : (w->cells + 15u) / 16u;
}

/* Message `due` of all array messages. False: it holds nothing that is fitted. */
static bool array_frame(unsigned due, const struct vehicle_view *w, struct can_frame *f)
{
    for (int a = 0; a < VEHICLE_ARRAYS; a++) {
        const struct vehicle_array_row *r = &vehicle_arrays[a];
        unsigned messages = (r->count_max + r->per_message - 1u) / r->per_message, first = due * r->per_message;
        unsigned there = fitted((enum vehicle_array)a, w);

        if (due >= messages) {
            due -= messages;
            continue;
        }
        *f = vehicle_begin((uint16_t)(r->first_id + due));
        for (unsigned k = 0; k < r->per_message && first + k < r->count_max; k++)
            vehicle_put_element(f, (enum vehicle_array)a, k,
                                first + k < there ? element((enum vehicle_array)a, first + k, w) : scalar_invalid(VALIDITY_NOT_FITTED));
        return first < there;
    }
    return false;
}

static size_t send(struct vehicle_bus *v, unsigned which, struct can_frame f, struct can_frame *out, size_t n, size_t room)
{
    if (n == room)
        return n;
    vehicle_protect(&f, v->counter[which]);
    v->counter[which] = (uint8_t)((v->counter[which] + 1) % VEHICLE_COUNTERS);
    out[n] = f;
    return n + 1;
}

size_t vehicle_bus_tell(struct vehicle_bus *v, const struct vehicle_view *view, struct can_frame *out, size_t room)
{
    int due = vehicle_array_due(v->slot);
    struct can_frame f;
    size_t n = 0;

    for (int m = 0; m < VEHICLE_MESSAGES; m++)
        if (vehicle_messages[m].from == VEHICLE_BMS && vehicle_is_due((enum vehicle_message)m, v->slot))
            n = send(v, (unsigned)m, row_frame((enum vehicle_message)m, view), out, n, room);
    if (due >= 0 && array_frame((unsigned)due, view, &f))
        n = send(v, VEHICLE_MESSAGES + (unsigned)due, f, out, n, room);
    v->slot = (uint8_t)((v->slot + 1) % VEHICLE_SLOTS);
    return n;
}
