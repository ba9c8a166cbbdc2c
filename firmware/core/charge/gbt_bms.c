/* SPDX-License-Identifier: Apache-2.0 */
#include "firmware/core/charge/gbt_bms.h"

#include <string.h>

#include "common/err.h"

enum { CONSTANT_VOLTAGE = 1, CONSTANT_CURRENT = 2, SMALL_mA = 5000, PERMILLE_PER_PERCENT = 10, LEFT_MAX_MIN = 600, PROTOCOL_VERSION = 1 };
enum { PGN_SHIFT = 8, CHARGES_MAX = 0xFFFFFF };

static const char *const phase_texts[GBT_PHASES] = { "off",      "handshake", "identify", "configure", "ready", "charging",
                                                     "stopping", "summary",   "done",     "error",     "failed" };

const char *gbt_phase_text(enum gbt_phase phase)
{
    return phase < GBT_PHASES ? phase_texts[phase] : "unknown";
}

static void start_afresh(struct gbt_bms *b)
{
    j1939_tp_reset(&b->tp);
    b->phase = GBT_OFF;
    b->charger = (struct gbt_charger_seen) { 0 };
    b->bem = GBT_BEM_NONE;
    b->reasons = 0;
    b->reconnects = 0;
}

void gbt_bms_init(struct gbt_bms *b, const struct gbt_pack_facts *facts)
{
    *b = (struct gbt_bms) { .facts = facts };
    j1939_tp_init(&b->tp, &(struct j1939_tp_config) { .own = GBT_BMS,
                                                      .peer = GBT_CHARGER,
                                                      .tx_buf = b->tp_tx,
                                                      .tx_size = sizeof(b->tp_tx),
                                                      .rx_buf = b->tp_rx,
                                                      .rx_size = sizeof(b->tp_rx) });
    start_afresh(b);
}

static void enter(struct gbt_bms *b, enum gbt_phase phase, uint32_t now_ms)
{
    b->phase = phase;
    b->entered_ms = b->heard_ms = now_ms;
    b->ever_sent = 0;
    b->heard = b->is_ready = b->pausing = b->lying = b->answered = false;
}

static void fail(struct gbt_bms *b, uint32_t bits, uint32_t now_ms)
{
    b->bem |= bits;
    b->counts.timeouts += bits != 0;
    j1939_tp_reset(&b->tp);
    enter(b, GBT_ERROR, now_ms);
}

static void stop(struct gbt_bms *b, uint32_t reasons, uint32_t now_ms)
{
    b->reasons |= reasons;
    enter(b, GBT_STOPPING, now_ms);
}

/* The charger begins again, after a good end or in the middle. */
static void begin_again(struct gbt_bms *b, enum gbt_phase phase, uint32_t now_ms)
{
    bool is_new = b->phase == GBT_DONE;
    unsigned times = is_new ? 0 : b->reconnects + 1u;

    start_afresh(b);
    b->reconnects = (uint8_t)times;
    b->counts.reconnects += !is_new;
    enter(b, times > GBT_RECONNECTS ? GBT_FAILED : phase, now_ms);
}

/* --- what the charger says --- */

static int32_t value_of(enum gbt_field field, const uint8_t *data, size_t n)
{
    int32_t v;

    gbt_get(field, data, n, &v);
    return v;
}

static void on_chm(struct gbt_bms *b, uint32_t now_ms)
{
    if (b->phase != GBT_HANDSHAKE) {
        begin_again(b, GBT_HANDSHAKE, now_ms);
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
        enter(b, GBT_IDENTIFY, now_ms);
    else if (recognised == GBT_NO && b->phase != GBT_IDENTIFY)
        begin_again(b, GBT_IDENTIFY, now_ms);
    else if (recognised == GBT_YES && b->phase == GBT_IDENTIFY)
        enter(b, GBT_CONFIGURE, now_ms);
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
        enter(b, GBT_READY, in->now_ms);
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
        enter(b, GBT_CHARGING, now_ms);
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
        stop(b, 1u << GBT_BST_CHARGER, now_ms);
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
        fail(b, 0, now_ms);
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

static void take_frames(struct gbt_bms *b, const struct gbt_in *in)
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

/* --- time --- */

static bool held(bool now, bool *is, uint32_t *since_ms, uint32_t limit_ms, uint32_t now_ms)
{
    if (now && !*is)
        *since_ms = now_ms;
    *is = now;
    return now && now_ms - *since_ms > limit_ms;
}

/* Every wait is in time at exactly its limit. */
static void watch_ready(struct gbt_bms *b, const struct gbt_in *in)
{
    uint32_t quiet_ms = in->now_ms - b->heard_ms;

    if (!b->is_ready && in->ready && b->charger.fits) {
        b->is_ready = true;
        b->ready_ms = b->heard_ms = in->now_ms;
        b->ever_sent = 0; /* BRO(AA) at once */
    } else if (!b->is_ready && in->now_ms - b->entered_ms > GBT_READY_MS) {
        fail(b, 0, in->now_ms); /* there is no bit for our own fault */
    } else if (quiet_ms > GBT_TIMEOUT_MS) {
        fail(b, 1u << (b->is_ready ? GBT_BEM_CRO : GBT_BEM_CML), in->now_ms);
    } else if (b->is_ready && in->now_ms - b->ready_ms > GBT_READY_MS) {
        fail(b, 1u << GBT_BEM_CRO, in->now_ms);
    }
}

static void watch_charging(struct gbt_bms *b, const struct gbt_in *in)
{
    bool too_much = in->pack_mA<in->demand_mA - GBT_SLACK_mA, too_high = in->pack_mV> b->facts->max_mV;
    bool waits = in->pause || (b->heard && !b->charger.permitted);

    if (in->now_ms - b->heard_ms > GBT_CCS_MS)
        fail(b, 1u << GBT_BEM_CCS, in->now_ms);
    else if (in->stop)
        stop(b, in->stop, in->now_ms);
    else if (!in->ready)
        stop(b, 1u << GBT_BST_RELAY, in->now_ms);
    else if (held(too_much || too_high, &b->lying, &b->lie_ms, GBT_LIE_MS, in->now_ms))
        stop(b, 1u << (too_much ? GBT_BST_CURRENT : GBT_BST_VOLTAGE), in->now_ms);
    else if (held(waits, &b->pausing, &b->paused_ms, GBT_PAUSE_MS, in->now_ms))
        stop(b, 1u << GBT_BST_OTHER, in->now_ms);
}

static void watch(struct gbt_bms *b, const struct gbt_in *in)
{
    uint32_t here_ms = in->now_ms - b->entered_ms;

    switch (b->phase) {
    case GBT_HANDSHAKE: /* until the first CHM the plug alone may be in for hours */
        if (b->heard && in->now_ms - b->heard_ms > GBT_CRM_MS)
            fail(b, 1u << GBT_BEM_CRM_NO, in->now_ms);
        break;
    case GBT_IDENTIFY:
        if (here_ms > GBT_CRM_MS)
            fail(b, 1u << GBT_BEM_CRM_YES, in->now_ms);
        break;
    case GBT_CONFIGURE:
        if (here_ms > GBT_TIMEOUT_MS)
            fail(b, 1u << GBT_BEM_CML, in->now_ms);
        break;
    case GBT_READY:
        watch_ready(b, in);
        break;
    case GBT_CHARGING:
        watch_charging(b, in);
        break;
    case GBT_STOPPING:
        if (b->answered && in->now_ms - b->answer_ms >= GBT_BST_MS)
            enter(b, GBT_SUMMARY, in->now_ms);
        else if (!b->answered && here_ms > GBT_TIMEOUT_MS)
            fail(b, 1u << GBT_BEM_CST, in->now_ms);
        break;
    case GBT_SUMMARY:
        if (b->answered && in->now_ms - b->answer_ms >= GBT_LINGER_MS)
            enter(b, GBT_DONE, in->now_ms);
        else if (!b->answered && here_ms > GBT_CSD_MS)
            fail(b, 1u << GBT_BEM_CSD, in->now_ms);
        break;
    case GBT_ERROR:
        if (here_ms > GBT_GIVE_UP_MS)
            enter(b, GBT_FAILED, in->now_ms);
        break;
    default:
        break;
    }
}

/* --- what we say --- */

struct message {
    uint8_t data[GBT_BRM_LONG];
    size_t n;
};

static void put(struct message *m, enum gbt_field field, int32_t value)
{
    gbt_put(field, m->data, m->n, value);
}

static void write_brm(const struct gbt_pack_facts *p, struct message *m)
{
    m->n = p->software ? GBT_BRM_LONG : GBT_BRM_LEN;
    put(m, GBT_BRM_version_minor, PROTOCOL_VERSION);
    put(m, GBT_BRM_version_major, PROTOCOL_VERSION);
    put(m, GBT_BRM_type, p->type);
    put(m, GBT_BRM_capacity_mAh, p->capacity_mAh);
    put(m, GBT_BRM_rated_mV, p->rated_mV);
    gbt_put_text(GBT_BRM_maker, m->data, m->n, p->maker);
    put(m, GBT_BRM_pack_no, (int32_t)p->pack_no);
    put(m, GBT_BRM_year, p->made_year);
    put(m, GBT_BRM_month, p->made_month);
    put(m, GBT_BRM_day, p->made_day);
    put(m, GBT_BRM_charges, p->charges > CHARGES_MAX ? CHARGES_MAX : (int32_t)p->charges);
    put(m, GBT_BRM_owned, 1);
    gbt_put_text(GBT_BRM_vin, m->data, m->n, p->vin);
    if (p->software)
        gbt_put_text(GBT_BRM_software, m->data, m->n, p->software);
}

static void write_bcp(const struct gbt_pack_facts *p, const struct gbt_in *in, struct message *m)
{
    put(m, GBT_BCP_cell_max_mV, p->cell_max_mV);
    put(m, GBT_BCP_max_mA, p->max_mA);
    put(m, GBT_BCP_energy_Wh, p->energy_Wh);
    put(m, GBT_BCP_max_mV, p->max_mV);
    put(m, GBT_BCP_max_degC, p->max_degC);
    put(m, GBT_BCP_soc_permille, in->soc_permille);
    put(m, GBT_BCP_pack_mV, in->pack_mV);
}

static void write_bcl(const struct gbt_in *in, struct message *m)
{
    put(m, GBT_BCL_demand_mV, in->demand_mV);
    put(m, GBT_BCL_demand_mA, in->pause ? 0 : in->demand_mA);
    put(m, GBT_BCL_mode, in->constant_voltage ? CONSTANT_VOLTAGE : CONSTANT_CURRENT);
}

static void write_bcs(const struct gbt_in *in, struct message *m)
{
    put(m, GBT_BCS_pack_mV, in->pack_mV);
    put(m, GBT_BCS_pack_mA, in->pack_mA);
    put(m, GBT_BCS_cell_max_mV, in->cell_max_mV);
    put(m, GBT_BCS_cell_max_group, 0);
    put(m, GBT_BCS_soc_percent, in->soc_permille / PERMILLE_PER_PERCENT);
    put(m, GBT_BCS_left_min, in->left_min > LEFT_MAX_MIN ? LEFT_MAX_MIN : in->left_min);
}

static void write_bsm(const struct gbt_in *in, struct message *m)
{
    put(m, GBT_BSM_cell_max_no, in->cell_max_no);
    put(m, GBT_BSM_temp_max_degC, in->temp_max_degC);
    put(m, GBT_BSM_temp_max_no, in->temp_max_no);
    put(m, GBT_BSM_temp_min_degC, in->temp_min_degC);
    put(m, GBT_BSM_temp_min_no, in->temp_min_no);
    m->data[5] = 0; /* all normal: what is not ends the charge by BST */
    put(m, GBT_BSM_insulation_state, 0);
    put(m, GBT_BSM_connector_state, 0);
    put(m, GBT_BSM_permitted, !in->pause);
}

static void write_bsd(const struct gbt_in *in, struct message *m)
{
    put(m, GBT_BSD_soc_percent, in->soc_permille / PERMILLE_PER_PERCENT);
    put(m, GBT_BSD_cell_min_mV, in->cell_min_mV);
    put(m, GBT_BSD_cell_max_mV, in->cell_max_mV);
    put(m, GBT_BSD_temp_min_degC, in->temp_min_degC);
    put(m, GBT_BSD_temp_max_degC, in->temp_max_degC);
}

static void write_message(const struct gbt_bms *b, const struct gbt_in *in, enum gbt_msg msg, struct message *m)
{
    memset(m->data, 0xFF, sizeof(m->data));
    m->n = gbt_msgs[msg].longest;
    switch (msg) {
    case GBT_BHM:
        put(m, GBT_BHM_max_mV, b->facts->max_mV);
        break;
    case GBT_BRM:
        write_brm(b->facts, m);
        break;
    case GBT_BCP:
        write_bcp(b->facts, in, m);
        break;
    case GBT_BRO:
        put(m, GBT_BRO_ready, b->is_ready ? GBT_YES : GBT_NO);
        break;
    case GBT_BCL:
        write_bcl(in, m);
        break;
    case GBT_BCS:
        write_bcs(in, m);
        break;
    case GBT_BSM:
        write_bsm(in, m);
        break;
    case GBT_BST:
        put(m, GBT_BST_reasons, (int32_t)b->reasons);
        break;
    case GBT_BSD:
        write_bsd(in, m);
        break;
    default:
        put(m, GBT_BEM_errors, (int32_t)b->bem);
        break;
    }
}

#define SAYS(msg) (1u << GBT_##msg)
static const uint32_t says[GBT_PHASES] = {
    [GBT_HANDSHAKE] = SAYS(BHM),
    [GBT_IDENTIFY] = SAYS(BRM),
    [GBT_CONFIGURE] = SAYS(BCP),
    [GBT_READY] = SAYS(BRO),
    [GBT_CHARGING] = SAYS(BCL) | SAYS(BCS) | SAYS(BSM),
    [GBT_STOPPING] = SAYS(BST),
    [GBT_SUMMARY] = SAYS(BSD),
    [GBT_ERROR] = SAYS(BEM),
};

static void say(struct gbt_bms *b, const struct gbt_in *in, enum gbt_msg msg, struct gbt_out *out)
{
    struct message m;

    if (b->ever_sent & 1u << msg && in->now_ms - b->sent_ms[msg] < gbt_msgs[msg].period_ms)
        return;
    write_message(b, in, msg, &m);
    if (m.n > sizeof(out->tx[0].data)) {
        if (j1939_tp_send(&b->tp, (uint32_t)gbt_msgs[msg].pf << PGN_SHIFT, m.data, m.n, in->now_ms) != BMS_ERR_OK)
            return; /* the last one is not through yet */
    } else {
        out->tx[out->tx_count++] = gbt_frame(msg, m.data, m.n);
    }
    b->sent_ms[msg] = in->now_ms;
    b->ever_sent |= 1u << msg;
}

static void speak(struct gbt_bms *b, const struct gbt_in *in, struct gbt_out *out)
{
    if (b->phase == GBT_HANDSHAKE && !b->heard) /* BHM answers CHM */
        return;
    for (int msg = 0; msg < GBT_MSGS; msg++)
        if (says[b->phase] & 1u << msg)
            say(b, in, (enum gbt_msg)msg, out);
    while (out->tx_count < GBT_TX_MAX && j1939_tp_poll(&b->tp, in->now_ms, &out->tx[out->tx_count]) == 1)
        out->tx_count++;
}

static bool wants_contactor(const struct gbt_bms *b, const struct gbt_in *in)
{
    if (b->phase == GBT_STOPPING)
        return in->pack_mA < -SMALL_mA; /* not under load, while the charger can still ramp down */
    return (b->phase == GBT_READY && b->charger.fits) || b->phase == GBT_CHARGING;
}

void gbt_bms_step(struct gbt_bms *b, const struct gbt_in *in, struct gbt_out *out)
{
    out->tx_count = 0;
    out->close = false;
    if (!in->plugged) {
        start_afresh(b);
        return;
    }
    if (b->phase == GBT_OFF)
        enter(b, GBT_HANDSHAKE, in->now_ms);
    take_frames(b, in);
    watch(b, in);
    speak(b, in, out);
    out->close = wants_contactor(b, in);
}
