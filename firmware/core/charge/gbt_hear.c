/* SPDX-License-Identifier: Apache-2.0 */
#include "firmware/core/charge/gbt_private.h"

static int32_t value_of(enum gbt_field field, const uint8_t *data, size_t n)
{
    int32_t v;

    gbt_get(field, data, n, &v);
    return v;
}

static void on_chm(struct gbt_bms *b, uint32_t now_ms)
{
    if (b->phase != GBT_HANDSHAKE) {
        gbt_begin_again(b, GBT_HANDSHAKE, now_ms);
    } else if (!b->heard) {
        b->heard = true;
        b->heard_ms = now_ms;
    }
}

static void on_crm(struct gbt_bms *b, const uint8_t *data, size_t n, uint32_t now_ms)
{
    int32_t recognised = value_of(GBT_CRM_recognised, data, n);

    b->charger.charger_no = (uint32_t)value_of(GBT_CRM_charger_no, data, n);
    if (recognised == GBT_NO && b->phase == GBT_HANDSHAKE)
        gbt_enter(b, GBT_IDENTIFY, now_ms);
    else if (recognised == GBT_NO && b->phase != GBT_IDENTIFY)
        gbt_begin_again(b, GBT_IDENTIFY, now_ms);
    else if (recognised == GBT_YES && b->phase == GBT_IDENTIFY)
        gbt_enter(b, GBT_CONFIGURE, now_ms);
}

static void on_cml(struct gbt_bms *b, const uint8_t *data, size_t n, const struct gbt_in *in)
{
    struct gbt_charger_seen *c = &b->charger;

    if (b->phase != GBT_CONFIGURE && b->phase != GBT_READY)
        return;
    c->max_mV = value_of(GBT_CML_max_mV, data, n);
    c->min_mV = value_of(GBT_CML_min_mV, data, n);
    c->max_mA = value_of(GBT_CML_max_mA, data, n);
    c->min_mA = value_of(GBT_CML_min_mA, data, n);
    c->fits = c->min_mV <= c->max_mV && c->max_mV >= in->pack_mV && c->min_mV <= b->facts->max_mV;
    if (b->phase == GBT_CONFIGURE)
        gbt_enter(b, GBT_READY, in->now_ms);
    else if (!b->is_ready)
        b->heard_ms = in->now_ms;
}

/* CRO(AA) counts only as an answer to our BRO(AA). */
static void on_cro(struct gbt_bms *b, const uint8_t *data, size_t n, uint32_t now_ms)
{
    if (b->phase != GBT_READY || !b->is_ready)
        return;
    b->heard_ms = now_ms;
    if (value_of(GBT_CRO_ready, data, n) == GBT_YES)
        gbt_enter(b, GBT_CHARGING, now_ms);
}

static void on_ccs(struct gbt_bms *b, const uint8_t *data, size_t n, uint32_t now_ms)
{
    if (b->phase != GBT_CHARGING && b->phase != GBT_STOPPING)
        return;
    b->charger.output_mV = value_of(GBT_CCS_output_mV, data, n);
    b->charger.output_mA = value_of(GBT_CCS_output_mA, data, n);
    b->charger.for_min = value_of(GBT_CCS_for_min, data, n);
    b->charger.permitted = value_of(GBT_CCS_permitted, data, n) == 1;
    if (b->phase == GBT_CHARGING)
        b->heard_ms = now_ms;
    b->heard = true;
}

static void on_cst(struct gbt_bms *b, const uint8_t *data, size_t n, uint32_t now_ms)
{
    if (b->phase != GBT_CHARGING && b->phase != GBT_STOPPING)
        return;
    b->charger.reasons = (uint32_t)value_of(GBT_CST_reasons, data, n);
    if (b->phase == GBT_CHARGING)
        gbt_stop(b, 1u << GBT_BST_CHARGER, now_ms);
    if (!b->answered)
        b->answer_ms = now_ms;
    b->answered = true;
}

static void on_csd(struct gbt_bms *b, const uint8_t *data, size_t n, uint32_t now_ms)
{
    if (b->phase != GBT_SUMMARY)
        return;
    b->charger.for_min = value_of(GBT_CSD_for_min, data, n);
    b->charger.energy_Wh = value_of(GBT_CSD_energy_Wh, data, n);
    if (!b->answered)
        b->answer_ms = now_ms;
    b->answered = true;
}

static void on_cem(struct gbt_bms *b, const uint8_t *data, size_t n, uint32_t now_ms)
{
    b->charger.errors = (uint32_t)value_of(GBT_CEM_errors, data, n);
    if (b->phase != GBT_ERROR && b->phase != GBT_DONE)
        gbt_fail(b, 0, now_ms);
}

static void on_message(struct gbt_bms *b, int msg, const uint8_t *data, size_t n, const struct gbt_in *in)
{
    if (msg < 0) {
        b->counts.unknown++;
        return;
    }
    if (!gbt_is_length((enum gbt_msg)msg, n)) {
        b->counts.bad_length++;
        return;
    }
    b->counts.received++;
    if (b->phase == GBT_FAILED)
        return;
    switch (msg) {
    case GBT_CHM:
        on_chm(b, in->now_ms);
        break;
    case GBT_CRM:
        on_crm(b, data, n, in->now_ms);
        break;
    case GBT_CML:
        on_cml(b, data, n, in);
        break;
    case GBT_CRO:
        on_cro(b, data, n, in->now_ms);
        break;
    case GBT_CCS:
        on_ccs(b, data, n, in->now_ms);
        break;
    case GBT_CST:
        on_cst(b, data, n, in->now_ms);
        break;
    case GBT_CSD:
        on_csd(b, data, n, in->now_ms);
        break;
    case GBT_CEM:
        on_cem(b, data, n, in->now_ms);
        break;
    default: /* CTS sets no clock of ours */
        break;
    }
}

void gbt_hear(struct gbt_bms *b, const struct gbt_in *in)
{
    for (size_t i = 0; i < in->rx_count; i++) {
        const struct can_frame *f = &in->rx[i];
        const uint8_t *data;
        uint32_t pgn;

        if (!f->ext || (uint8_t)f->id != GBT_CHARGER || f->len > sizeof(f->data)) /* somebody else's */
            continue;
        if (!j1939_tp_receive(&b->tp, f, in->now_ms)) {
            on_message(b, gbt_of_frame(f), f->data, f->len, in);
            continue;
        }
        size_t n = j1939_tp_take(&b->tp, &pgn, &data);

        if (n)
            on_message(b, gbt_by_pgn(pgn, GBT_CHARGER), data, n, in);
    }
}
