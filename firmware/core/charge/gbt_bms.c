/* SPDX-License-Identifier: Apache-2.0 */
#include "firmware/core/charge/gbt_bms.h"

#include <string.h>

#include "common/err.h"
#include "firmware/core/charge/gbt_private.h"
#include "firmware/core/charge/gbt_say.h"

enum { SMALL_mA = 5000, PGN_SHIFT = 8 };

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

void gbt_enter(struct gbt_bms *b, enum gbt_phase phase, uint32_t now_ms)
{
    b->phase = phase;
    b->entered_ms = b->heard_ms = now_ms;
    b->ever_sent = 0;
    b->heard = b->is_ready = b->pausing = b->lying = b->answered = false;
}

void gbt_fail(struct gbt_bms *b, uint32_t bits, uint32_t now_ms)
{
    b->bem |= bits;
    b->counts.timeouts += bits != 0;
    j1939_tp_reset(&b->tp);
    gbt_enter(b, GBT_ERROR, now_ms);
}

void gbt_stop(struct gbt_bms *b, uint32_t reasons, uint32_t now_ms)
{
    b->reasons |= reasons;
    b->stopped_ms = now_ms;
    gbt_enter(b, GBT_STOPPING, now_ms);
}

void gbt_begin_again(struct gbt_bms *b, enum gbt_phase phase, uint32_t now_ms)
{
    bool is_new = b->phase == GBT_DONE;
    unsigned times = is_new ? 0 : b->reconnects + 1u;

    start_afresh(b);
    b->reconnects = (uint8_t)times;
    b->counts.reconnects += !is_new;
    gbt_enter(b, times > GBT_RECONNECTS ? GBT_FAILED : phase, now_ms);
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
        gbt_fail(b, 0, in->now_ms); /* there is no bit for our own fault */
    } else if (quiet_ms > GBT_TIMEOUT_MS) {
        gbt_fail(b, 1u << (b->is_ready ? GBT_BEM_CRO : GBT_BEM_CML), in->now_ms);
    } else if (b->is_ready && in->now_ms - b->ready_ms > GBT_READY_MS) {
        gbt_fail(b, 1u << GBT_BEM_CRO, in->now_ms);
    }
}

static void watch_charging(struct gbt_bms *b, const struct gbt_in *in)
{
    bool too_much = in->pack_mA<in->demand_mA - GBT_SLACK_mA, too_high = in->pack_mV> b->facts->max_mV;
    bool waits = in->pause || (b->heard && !b->charger.permitted);

    if (in->now_ms - b->heard_ms > GBT_CCS_MS)
        gbt_fail(b, 1u << GBT_BEM_CCS, in->now_ms);
    else if (in->stop)
        gbt_stop(b, in->stop, in->now_ms);
    else if (!in->ready)
        gbt_stop(b, 1u << GBT_BST_RELAY, in->now_ms);
    else if (held(too_much || too_high, &b->lying, &b->lie_ms, GBT_LIE_MS, in->now_ms))
        gbt_stop(b, 1u << (too_much ? GBT_BST_CURRENT : GBT_BST_VOLTAGE), in->now_ms);
    else if (held(waits, &b->pausing, &b->paused_ms, GBT_PAUSE_MS, in->now_ms))
        gbt_stop(b, 1u << GBT_BST_OTHER, in->now_ms);
}

static void watch(struct gbt_bms *b, const struct gbt_in *in)
{
    uint32_t here_ms = in->now_ms - b->entered_ms;

    switch (b->phase) {
    case GBT_HANDSHAKE: /* until the first CHM the plug alone may be in for hours */
        if (b->heard && in->now_ms - b->heard_ms > GBT_CRM_MS)
            gbt_fail(b, 1u << GBT_BEM_CRM_NO, in->now_ms);
        break;
    case GBT_IDENTIFY:
        if (here_ms > GBT_CRM_MS)
            gbt_fail(b, 1u << GBT_BEM_CRM_YES, in->now_ms);
        break;
    case GBT_CONFIGURE:
        if (here_ms > GBT_TIMEOUT_MS)
            gbt_fail(b, 1u << GBT_BEM_CML, in->now_ms);
        break;
    case GBT_READY:
        watch_ready(b, in);
        break;
    case GBT_CHARGING:
        watch_charging(b, in);
        break;
    case GBT_STOPPING:
        if (b->answered && in->now_ms - b->answer_ms >= GBT_BST_MS)
            gbt_enter(b, GBT_SUMMARY, in->now_ms);
        else if (!b->answered && here_ms > GBT_TIMEOUT_MS)
            gbt_fail(b, 1u << GBT_BEM_CST, in->now_ms);
        break;
    case GBT_SUMMARY:
        if (b->answered && in->now_ms - b->answer_ms >= GBT_LINGER_MS)
            gbt_enter(b, GBT_DONE, in->now_ms);
        else if (!b->answered && here_ms > GBT_CSD_MS)
            gbt_fail(b, 1u << GBT_BEM_CSD, in->now_ms);
        break;
    case GBT_ERROR:
        if (here_ms > GBT_GIVE_UP_MS)
            gbt_enter(b, GBT_FAILED, in->now_ms);
        break;
    default:
        break;
    }
}

/* --- what we say --- */

#define SAYS(msg) (1u << GBT_##msg)
static const uint32_t says[GBT_PHASES] = {
    [GBT_HANDSHAKE] = SAYS(BHM),
    [GBT_IDENTIFY] = SAYS(BRM),
    [GBT_CONFIGURE] = SAYS(BCP),
    [GBT_READY] = SAYS(BRO),
    [GBT_CHARGING] = SAYS(BCL) | SAYS(BCS) | SAYS(BSM) | SAYS(BMV) | SAYS(BMT) | SAYS(BSP),
    [GBT_STOPPING] = SAYS(BST),
    [GBT_SUMMARY] = SAYS(BSD),
    [GBT_ERROR] = SAYS(BEM),
};

static bool is_optional(int msg)
{
    return msg == GBT_BMV || msg == GBT_BMT || msg == GBT_BSP;
}

static bool is_due(const struct gbt_bms *b, enum gbt_msg msg, uint32_t now_ms)
{
    return !(b->ever_sent & 1u << msg) || now_ms - b->sent_ms[msg] >= gbt_msgs[msg].period_ms;
}

/* False: it has to wait, for room on the bus or for the message that the transport carries. */
static bool hand_out(struct gbt_bms *b, const struct gbt_in *in, enum gbt_msg msg, const struct gbt_message *m, struct gbt_out *out)
{
    if (m->n > sizeof(out->tx[0].data))
        return j1939_tp_send(&b->tp, (uint32_t)gbt_msgs[msg].pf << PGN_SHIFT, m->data, m->n, in->now_ms) == BMS_ERR_OK;
    if (out->tx_count == in->room)
        return false;
    out->tx[out->tx_count++] = gbt_frame(msg, m->data, m->n);
    return true;
}

static void say(struct gbt_bms *b, const struct gbt_in *in, enum gbt_msg msg, struct gbt_out *out)
{
    struct gbt_message m;

    if (!is_due(b, msg, in->now_ms) || (is_optional(msg) && !in->details))
        return;
    gbt_say(b, in, msg, &m);
    if (m.n && !hand_out(b, in, msg, &m, out))
        return;
    b->sent_ms[msg] = in->now_ms;
    b->ever_sent |= 1u << msg;
}

/* The short and urgent ones first; what goes by transport takes the room that is left. */
static void speak(struct gbt_bms *b, const struct gbt_in *in, struct gbt_out *out)
{
    if (b->phase == GBT_HANDSHAKE && !b->heard) /* BHM answers CHM */
        return;
    for (int msg = 0; msg < GBT_MSGS; msg++)
        if (says[b->phase] & 1u << msg)
            say(b, in, (enum gbt_msg)msg, out);
    while (out->tx_count < in->room && j1939_tp_poll(&b->tp, in->now_ms, &out->tx[out->tx_count]) == 1)
        out->tx_count++;
}

/* Not parted under load, while the charger can still ramp down. */
static bool ramps_down(const struct gbt_bms *b, const struct gbt_in *in)
{
    bool stopped = b->phase == GBT_STOPPING || b->phase == GBT_SUMMARY;

    return stopped && in->pack_mA < -SMALL_mA && in->now_ms - b->stopped_ms <= GBT_RAMP_MS;
}

static bool wants_contactor(const struct gbt_bms *b, const struct gbt_in *in)
{
    return (b->phase == GBT_READY && b->charger.fits) || b->phase == GBT_CHARGING || ramps_down(b, in);
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
        gbt_enter(b, GBT_HANDSHAKE, in->now_ms);
    gbt_hear(b, in);
    watch(b, in);
    speak(b, in, out);
    out->close = wants_contactor(b, in);
}
