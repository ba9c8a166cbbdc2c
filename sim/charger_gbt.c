/* SPDX-License-Identifier: Apache-2.0 */
#include "sim/charger_gbt.h"

#include <string.h>

enum { WAIT_MS = 5000, BRO_MS = 60000, BCL_MS = 1000, BSD_MS = 10000, RETRY_MS = 3000, RETRIES = 3, STEP_MS = 10 };
enum { RAMP_mA = 1000, TRIM_mA = 100, CONSTANT_VOLTAGE_SLACK_mV = 50, BSM_STATES = 6, MINUTE_MS = 60000, REGULATE_mV = 1 };
enum { UNUSED = 0xFF };
#define CST_UNUSED 0xF0F00000u

static const char *const phase_texts[CHARGER_PHASES] = { "off",      "handshake", "recognise", "recognised", "parameters", "ready",
                                                         "charging", "stopping",  "summary",   "done",       "error" };

const char *charger_gbt_phase_text(enum charger_gbt_phase phase)
{
    return phase < CHARGER_PHASES ? phase_texts[phase] : "unknown";
}

void charger_gbt_init(struct charger_gbt *c, const struct charger_gbt_config *cfg)
{
    *c = (struct charger_gbt) { .cfg = *cfg, .cem = GBT_CEM_NONE };
    j1939_tp_init(&c->tp,
                  &(struct j1939_tp_config) { .own = GBT_CHARGER, .peer = GBT_BMS, .rx_buf = c->tp_rx, .rx_size = sizeof(c->tp_rx) });
}

static void enter(struct charger_gbt *c, enum charger_gbt_phase phase)
{
    c->phase = phase;
    c->entered_ms = c->bcl_ms = c->bcs_ms = c->now_ms;
    c->ever_sent = c->seen = 0;
    if (phase == CHARGER_RECOGNISE) {
        c->cem = GBT_CEM_NONE;
        c->bst = 0;
        c->bro_ready = c->stopped_by_bms = false;
    }
    if (phase != CHARGER_CHARGING && phase != CHARGER_STOPPING && phase != CHARGER_SUMMARY)
        c->output_mA = 0;
}

static void fail(struct charger_gbt *c, uint32_t bits)
{
    c->cem |= bits;
    enter(c, CHARGER_ERROR);
}

static bool saw(const struct charger_gbt *c, enum gbt_msg msg)
{
    return c->seen & 1u << msg;
}

/* --- what the BMS says --- */

static int32_t value_of(enum gbt_field field, const uint8_t *data, size_t n)
{
    int32_t v;

    gbt_get(field, data, n, &v);
    return v;
}

static void on_brm(struct charger_gbt *c, const uint8_t *data, size_t n)
{
    size_t size;
    const uint8_t *vin = gbt_text(GBT_BRM_vin, data, n, &size);

    c->brm_len = n;
    memcpy(c->vin, vin, size);
}

static bool is_abnormal(const uint8_t *data, size_t n)
{
    static const enum gbt_field states[BSM_STATES] = { GBT_BSM_cell_voltage_state, GBT_BSM_soc_state,        GBT_BSM_current_state,
                                                       GBT_BSM_temperature_state,  GBT_BSM_insulation_state, GBT_BSM_connector_state };

    for (int i = 0; i < BSM_STATES; i++)
        if (value_of(states[i], data, n) != 0)
            return true;
    return false;
}

static void on_message(struct charger_gbt *c, int msg, const uint8_t *data, size_t n)
{
    if (msg < 0 || !gbt_is_length((enum gbt_msg)msg, n)) {
        c->malformed++;
        return;
    }
    c->seen |= 1u << msg;
    switch (msg) {
    case GBT_BRM:
        on_brm(c, data, n);
        break;
    case GBT_BRO:
        c->bro_ready = value_of(GBT_BRO_ready, data, n) == GBT_YES;
        break;
    case GBT_BCL:
        c->bcl_ms = c->now_ms;
        c->demand_mV = value_of(GBT_BCL_demand_mV, data, n);
        c->demand_mA = value_of(GBT_BCL_demand_mA, data, n);
        break;
    case GBT_BCS:
        c->bcs_ms = c->now_ms;
        break;
    case GBT_BSM:
        c->stopped_by_bms = is_abnormal(data, n);
        break;
    case GBT_BST:
        c->bst = (uint32_t)value_of(GBT_BST_reasons, data, n);
        break;
    case GBT_BEM:
        c->bem = (uint32_t)value_of(GBT_BEM_errors, data, n);
        break;
    default:
        break;
    }
}

static void take_frames(struct charger_gbt *c, const struct charger_gbt_in *in)
{
    for (size_t i = 0; i < in->rx_count; i++) {
        const uint8_t *data;
        uint32_t pgn;

        if (!j1939_tp_receive(&c->tp, &in->rx[i], in->now_ms)) {
            on_message(c, gbt_of_frame(&in->rx[i]), in->rx[i].data, in->rx[i].len);
            continue;
        }
        size_t n = j1939_tp_take(&c->tp, &pgn, &data);

        if (n)
            on_message(c, gbt_by_pgn(pgn, GBT_BMS), data, n);
    }
}

/* --- phases --- */

static void go_on(struct charger_gbt *c, bool when, enum charger_gbt_phase next, uint32_t limit_ms, unsigned bit)
{
    if (when)
        enter(c, next);
    else if (c->now_ms - c->entered_ms > limit_ms)
        fail(c, 1u << bit);
}

/* The current follows the demand by a ramp, and is trimmed down while the voltage is above what was asked for. */
static void drive(struct charger_gbt *c, const struct charger_gbt_in *in)
{
    int32_t want = c->demand_mA < c->cfg.max_mA ? c->cfg.max_mA : c->demand_mA;

    if (in->paused)
        want = 0;
    else if (want < 0)
        want -= c->cfg.too_much_mA;
    if (in->pack_mV > c->demand_mV)
        c->output_mA += c->output_mA < -TRIM_mA ? TRIM_mA : -c->output_mA;
    else if (c->output_mA > want + RAMP_mA)
        c->output_mA -= in->pack_mV > c->demand_mV - CONSTANT_VOLTAGE_SLACK_mV ? REGULATE_mV : RAMP_mA;
    else
        c->output_mA = want;
    c->charged_ms += STEP_MS;
    c->energy_uWh += -(int64_t)c->output_mA * in->pack_mV / (3600 * (1000 / STEP_MS));
}

/* 100 A/s, whatever the contactors do. */
static void ramp_down(struct charger_gbt *c)
{
    c->output_mA = c->output_mA < -RAMP_mA ? c->output_mA + RAMP_mA : 0;
}

static void charge(struct charger_gbt *c, const struct charger_gbt_in *in)
{
    if (c->now_ms - c->bcl_ms > BCL_MS)
        fail(c, 1u << GBT_CEM_BCL);
    else if (c->now_ms - c->bcs_ms > WAIT_MS)
        fail(c, 1u << GBT_CEM_BCS);
    else if (in->stop || saw(c, GBT_BST) || c->stopped_by_bms)
        enter(c, CHARGER_STOPPING);
    else
        drive(c, in);
}

static void step_phase(struct charger_gbt *c, const struct charger_gbt_in *in)
{
    switch (c->phase) {
    case CHARGER_OFF:
        enter(c, CHARGER_HANDSHAKE);
        break;
    case CHARGER_HANDSHAKE:
        if (saw(c, GBT_BHM) && c->now_ms - c->entered_ms >= c->cfg.insulation_ms)
            enter(c, CHARGER_RECOGNISE);
        break;
    case CHARGER_RECOGNISE:
        go_on(c, saw(c, GBT_BRM), CHARGER_RECOGNISED, WAIT_MS, GBT_CEM_BRM);
        break;
    case CHARGER_RECOGNISED:
        go_on(c, saw(c, GBT_BCP), CHARGER_PARAMETERS, WAIT_MS, GBT_CEM_BCP);
        break;
    case CHARGER_PARAMETERS:
        go_on(c, c->bro_ready && saw(c, GBT_BRO), CHARGER_READY, saw(c, GBT_BRO) ? BRO_MS : WAIT_MS, GBT_CEM_BRO);
        break;
    case CHARGER_READY:
        if (c->now_ms - c->entered_ms < c->cfg.getting_ready_ms || c->cfg.never_ready)
            break;
        go_on(c, saw(c, GBT_BCL) && saw(c, GBT_BCS), CHARGER_CHARGING, c->cfg.getting_ready_ms + WAIT_MS,
              saw(c, GBT_BCL) ? GBT_CEM_BCS : GBT_CEM_BCL);
        break;
    case CHARGER_CHARGING:
        charge(c, in);
        break;
    case CHARGER_STOPPING:
        ramp_down(c);
        go_on(c, saw(c, GBT_BST) || saw(c, GBT_BSD), CHARGER_SUMMARY, WAIT_MS, GBT_CEM_BST);
        break;
    case CHARGER_SUMMARY:
        ramp_down(c);
        go_on(c, saw(c, GBT_BSD) && c->output_mA == 0, CHARGER_DONE, BSD_MS, GBT_CEM_BSD);
        break;
    case CHARGER_ERROR:
        if (c->now_ms - c->entered_ms > RETRY_MS && c->retries < RETRIES) {
            c->retries++;
            enter(c, CHARGER_RECOGNISE);
        }
        break;
    default:
        break;
    }
}

/* --- what the charger says --- */

#define SAYS(msg) (1u << GBT_##msg)
static const uint32_t says[CHARGER_PHASES] = {
    [CHARGER_HANDSHAKE] = SAYS(CHM),  [CHARGER_RECOGNISE] = SAYS(CRM),
    [CHARGER_RECOGNISED] = SAYS(CRM), [CHARGER_PARAMETERS] = SAYS(CTS) | SAYS(CML),
    [CHARGER_READY] = SAYS(CRO),      [CHARGER_CHARGING] = SAYS(CCS),
    [CHARGER_STOPPING] = SAYS(CST),   [CHARGER_SUMMARY] = SAYS(CST) | SAYS(CSD),
    [CHARGER_DONE] = SAYS(CSD),       [CHARGER_ERROR] = SAYS(CEM),
};

static uint32_t why(const struct charger_gbt *c, const struct charger_gbt_in *in)
{
    return CST_UNUSED | (1u << (in->stop ? GBT_CST_MANUAL : c->bst || c->stopped_by_bms ? GBT_CST_BMS : GBT_CST_DONE));
}

static void write_ccs(const struct charger_gbt *c, const struct charger_gbt_in *in, uint8_t *data, size_t n)
{
    gbt_put(GBT_CCS_output_mV, data, n, in->pack_mV);
    gbt_put(GBT_CCS_output_mA, data, n, c->output_mA);
    gbt_put(GBT_CCS_for_min, data, n, (int32_t)(c->charged_ms / MINUTE_MS));
    gbt_put(GBT_CCS_permitted, data, n, !in->paused);
}

static void write_csd(const struct charger_gbt *c, uint8_t *data, size_t n)
{
    gbt_put(GBT_CSD_for_min, data, n, (int32_t)(c->charged_ms / MINUTE_MS));
    gbt_put(GBT_CSD_energy_Wh, data, n, (int32_t)(c->energy_uWh / 1000000));
    gbt_put(GBT_CSD_charger_no, data, n, (int32_t)c->cfg.number);
}

static void write_cml(const struct charger_gbt *c, uint8_t *data, size_t n)
{
    gbt_put(GBT_CML_max_mV, data, n, c->cfg.max_mV);
    gbt_put(GBT_CML_min_mV, data, n, c->cfg.min_mV);
    gbt_put(GBT_CML_max_mA, data, n, c->cfg.max_mA);
    gbt_put(GBT_CML_min_mA, data, n, c->cfg.min_mA);
}

static struct can_frame message(const struct charger_gbt *c, const struct charger_gbt_in *in, enum gbt_msg msg)
{
    size_t n = msg == GBT_CCS && c->cfg.short_ccs ? gbt_msgs[msg].shortest : gbt_msgs[msg].longest;
    uint8_t data[8];

    memset(data, UNUSED, sizeof(data));
    switch (msg) {
    case GBT_CHM:
        gbt_put(GBT_CHM_version_minor, data, n, 1);
        gbt_put(GBT_CHM_version_major, data, n, 1);
        break;
    case GBT_CRM:
        gbt_put(GBT_CRM_recognised, data, n, c->phase == CHARGER_RECOGNISED ? GBT_YES : GBT_NO);
        gbt_put(GBT_CRM_charger_no, data, n, (int32_t)c->cfg.number);
        break;
    case GBT_CML:
        write_cml(c, data, n);
        break;
    case GBT_CRO:
        gbt_put(GBT_CRO_ready, data, n, c->now_ms - c->entered_ms >= c->cfg.getting_ready_ms && !c->cfg.never_ready ? GBT_YES : GBT_NO);
        break;
    case GBT_CCS:
        write_ccs(c, in, data, n);
        break;
    case GBT_CST:
        gbt_put(GBT_CST_reasons, data, n, (int32_t)why(c, in));
        break;
    case GBT_CSD:
        write_csd(c, data, n);
        break;
    case GBT_CEM:
        gbt_put(GBT_CEM_errors, data, n, (int32_t)c->cem);
        break;
    default: /* CTS: this charger has no clock */
        break;
    }
    return gbt_frame(msg, data, n);
}

size_t charger_gbt_step(struct charger_gbt *c, const struct charger_gbt_in *in, struct can_frame *out)
{
    size_t n = 0;

    c->now_ms = in->now_ms;
    if (!in->start) {
        struct charger_gbt_config cfg = c->cfg;

        charger_gbt_init(c, &cfg);
        return 0;
    }
    take_frames(c, in);
    step_phase(c, in);
    while (n < CHARGER_TX_MAX && j1939_tp_poll(&c->tp, in->now_ms, &out[n]) == 1)
        n++;
    if (c->cfg.mute[c->phase])
        return 0;
    for (int msg = 0; msg < GBT_MSGS && n < CHARGER_TX_MAX; msg++) {
        if (!(says[c->phase] & 1u << msg))
            continue;
        if (c->ever_sent & 1u << msg && in->now_ms - c->sent_ms[msg] < gbt_msgs[msg].period_ms)
            continue;
        out[n++] = message(c, in, (enum gbt_msg)msg);
        c->sent_ms[msg] = in->now_ms;
        c->ever_sent |= 1u << msg;
    }
    return n;
}
