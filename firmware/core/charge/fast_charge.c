/* SPDX-License-Identifier: Apache-2.0 */
#include "firmware/core/charge/fast_charge.h"

#include "firmware/core/estimation/soc.h"

enum {
    mA_PER_dA = 100,
    DDEGC_PER_DEGC = 10,
    PERMYRIAD_PER_PERMILLE = 10,
    UNKNOWN_MIN = 600,
    HALF_permyriad = 5000,
    YEAR = 10000,
    MONTH = 100
};
enum { TROUBLE_OTHER = 99, TROUBLE_CHARGER = 41, TROUBLE_OWN = 1, BITS = 32, PAIR = 2 };

static const uint8_t battery_of[CHEMISTRIES] = { GBT_BATTERY_TERNARY, GBT_BATTERY_LFP, GBT_BATTERY_NIMH, GBT_BATTERY_OTHER };

/* Why the charge stopped, as BST says it. */
static const uint32_t stop_of[] = {
    [CHARGE_END_NONE] = 0,
    [CHARGE_END_FULL] = 1u << GBT_BST_CELL_VOLTAGE,
    [CHARGE_END_UNPLUGGED] = 1u << GBT_BST_CC2,
    [CHARGE_END_CHARGER] = 1u << GBT_BST_CHARGER,
    [CHARGE_END_ALARM] = 1u << GBT_BST_OTHER,
    [CHARGE_END_LIMIT] = 1u << GBT_BST_OTHER,
    [CHARGE_END_COLD] = 1u << GBT_BST_OTHER,
    [CHARGE_END_TOO_LONG] = 1u << GBT_BST_OTHER,
    [CHARGE_END_SILENT] = 1u << GBT_BST_OTHER,
    [CHARGE_END_BROKEN] = 1u << GBT_BST_OTHER,
    [CHARGE_END_BEYOND] = 1u << GBT_BST_CURRENT,
};

void fast_charge_init(struct fast_charge *f)
{
    *f = (struct fast_charge) { .facts = { .maker = "CWBM", .vin = "" } };
    gbt_bms_init(&f->bms, &f->facts);
}

static bool is_known(int32_t scalar)
{
    return scalar_validity(scalar) == VALIDITY_OK;
}

/* While nothing is plugged in: a parameter that changes counts from the next plug on. */
static void write_facts(struct fast_charge *f, const struct fast_charge_in *in)
{
    const int32_t *p = in->params;
    int32_t made = p[PARAM_pack_made_yyyymmdd], mV = soc_ocv_mV((enum chemistry)p[PARAM_chemistry], HALF_permyriad) * in->cells;

    f->facts = (struct gbt_pack_facts) { .type = battery_of[p[PARAM_chemistry]],
                                         .capacity_mAh = p[PARAM_capacity_mAh],
                                         .rated_mV = mV,
                                         .energy_Wh = (int32_t)((int64_t)p[PARAM_capacity_mAh] * mV / 1000000),
                                         .cell_max_mV = p[PARAM_charge_cell_none_mV],
                                         .max_mV = p[PARAM_charge_cell_none_mV] * in->cells,
                                         .max_mA = -p[PARAM_charge_max_dA] * mA_PER_dA,
                                         .max_degC = p[PARAM_charge_hot_none_ddegC] / DDEGC_PER_DEGC,
                                         .maker = "CWBM",
                                         .vin = "",
                                         .software = p[PARAM_gbt_brm_long] ? "" : NULL,
                                         .pack_no = (uint32_t)p[PARAM_pack_serial],
                                         .charges = in->charges,
                                         .made_year = (uint16_t)(made / YEAR),
                                         .made_month = (uint8_t)(made % YEAR / MONTH),
                                         .made_day = (uint8_t)(made % MONTH) };
}

/* The session may go on while RL3 is closed, or is not wanted closed: for the heater alone, or while it closes anew in mid-charge. */
static bool is_ready(const struct fast_charge *f, const struct fast_charge_in *in)
{
    const struct charge *c = in->charge;

    return c->fast && (c->state == CHARGE_HEATING || (c->close && (in->closed || f->bms.phase == GBT_CHARGING)));
}

static int32_t or_zero(const struct measure_extreme *x)
{
    return x->known ? x->value : 0;
}

static uint8_t number_of(const struct measure_extreme *x)
{
    return x->known ? (uint8_t)x->number : 1;
}

static struct gbt_in session_in(const struct fast_charge *f, const struct fast_charge_in *in, bool plugged)
{
    const struct charge *c = in->charge;
    const struct measure *m = in->measure;
    bool over = c->fast && (c->state == CHARGE_FULL || c->state == CHARGE_ENDED || c->state == CHARGE_FAULT);
    bool measured = is_known(in->pack_mV) && is_known(in->current_mA);

    return (struct gbt_in) { .now_ms = in->now_ms,
                             .plugged = plugged,
                             .ready = measured && is_ready(f, in),
                             .pause = c->want_dA == 0,
                             .stop = over ? stop_of[c->end] : 0,
                             .pack_mV = is_known(in->pack_mV) ? in->pack_mV : 0,
                             .pack_mA = is_known(in->current_mA) ? in->current_mA : 0,
                             .demand_mV = c->want_mV,
                             .demand_mA = -c->want_dA * mA_PER_dA,
                             .constant_voltage = c->state == CHARGE_CONSTANT_VOLTAGE,
                             .cell_min_mV = or_zero(&m->cell.min),
                             .cell_max_mV = or_zero(&m->cell.max),
                             .soc_permille = is_known(in->soc_permyriad) ? in->soc_permyriad / PERMYRIAD_PER_PERMILLE : 0,
                             .left_min = is_known(in->full_min) ? in->full_min : UNKNOWN_MIN,
                             .cell_max_no = number_of(&m->cell.max),
                             .temp_max_no = number_of(&m->temp.max),
                             .temp_min_no = number_of(&m->temp.min),
                             .temp_max_degC = or_zero(&m->temp.max) / DDEGC_PER_DEGC,
                             .temp_min_degC = or_zero(&m->temp.min) / DDEGC_PER_DEGC,
                             .details = in->params[PARAM_gbt_details],
                             .cells = in->cells,
                             .probes = in->probes,
                             .cell_mV = m->cell_mV,
                             .temp_ddegC = m->temp_ddegC,
                             .room = in->room < GBT_TX_MAX ? in->room : GBT_TX_MAX,
                             .rx = in->rx,
                             .rx_count = in->rx_count };
}

/* What the charge wants to know of the session. */
static void tell(const struct gbt_bms *b, struct charge_fast *fast)
{
    bool met = b->phase == GBT_READY || b->phase == GBT_CHARGING, gives = b->phase == GBT_CHARGING && b->heard;
    int32_t never = scalar_invalid(VALIDITY_NEVER);
    uint32_t lies = 1u << GBT_BST_CURRENT | 1u << GBT_BST_VOLTAGE;

    fast->handshaken = met && b->charger.fits;
    fast->ready = b->phase == GBT_CHARGING;
    fast->ended = b->phase == GBT_STOPPING || b->phase == GBT_SUMMARY || b->phase == GBT_DONE;
    fast->again = (b->phase == GBT_HANDSHAKE && b->heard) || b->phase == GBT_IDENTIFY;
    fast->paused = gives && !b->charger.permitted;
    fast->fault = b->phase == GBT_FAILED || (fast->ended && (b->reasons & lies));
    fast->max_mV = met ? b->charger.max_mV : never;
    fast->max_dA = met ? -b->charger.max_mA / mA_PER_dA : never;
    fast->output_mV = gives ? b->charger.output_mV : never;
    fast->output_dA = gives ? -b->charger.output_mA / mA_PER_dA : never;
}

void fast_charge_step(struct fast_charge *f, const struct fast_charge_in *in, struct charge_fast *fast)
{
    if (f->bms.phase == GBT_OFF)
        write_facts(f, in);
    struct gbt_in session = session_in(f, in, fast->connected);

    gbt_bms_step(&f->bms, &session, &f->out);
    tell(&f->bms, fast);
}

static int32_t first_of(uint32_t errors, uint32_t none, int32_t base)
{
    for (int bit = 0; bit < BITS; bit += PAIR)
        if ((errors & ~none) >> bit & 3u)
            return base + bit;
    return 0;
}

int32_t fast_charge_trouble(const struct fast_charge *f)
{
    const struct gbt_bms *b = &f->bms;

    if (b->phase != GBT_ERROR && b->phase != GBT_FAILED)
        return 0;
    int32_t own = first_of(b->bem, GBT_BEM_NONE, TROUBLE_OWN);
    int32_t its = b->charger.errors ? first_of(b->charger.errors, GBT_CEM_NONE, TROUBLE_CHARGER) : 0;

    return own ? own : its ? its : TROUBLE_OTHER;
}
