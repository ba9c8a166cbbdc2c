/* SPDX-License-Identifier: Apache-2.0 */
#include "firmware/core/charge/charge.h"

#include "common/span.h"

typedef enum charge_state step_fn(struct charge *c, const struct charge_in *in);
static step_fn on_idle, on_plugged, on_handshake, on_heating, on_closing, on_current, on_voltage, on_over;

enum {
    MAINS_V = 220,
    EFFICIENCY_permille = 950,
    CV_NEAR_mV = 5,
    TAPER_MS = 500,
    TAPER_permille = 970,
    REGAIN_permille = 1010,
    REGAIN_LEAST_dA = 1
};

/* clang-format off */
static const struct {
    const char *text;
    bool close, heat, deliver; /* outputs belong to states, so they cannot disagree */
    step_fn *step;
} states[CHARGE_STATES] = {
    [CHARGE_IDLE]             = { "idle",             false, false, false, on_idle },
    [CHARGE_PLUGGED]          = { "plugged",          false, false, false, on_plugged },
    [CHARGE_HANDSHAKE]        = { "handshake",        false, false, false, on_handshake },
    [CHARGE_HEATING]          = { "heating",          false, true,  true,  on_heating },
    [CHARGE_CLOSING]          = { "closing",          true,  false, false, on_closing },
    [CHARGE_CONSTANT_CURRENT] = { "constant current", true,  false, true,  on_current },
    [CHARGE_CONSTANT_VOLTAGE] = { "constant voltage", true,  false, true,  on_voltage },
    [CHARGE_FULL]             = { "full",             false, false, false, on_over },
    [CHARGE_ENDED]            = { "ended",            false, false, false, on_over },
    [CHARGE_FAULT]            = { "fault",            false, false, false, on_over },
};
/* clang-format on */

static uint32_t seconds(const struct charge_in *in, enum param p)
{
    return (uint32_t)in->params[p] * 1000;
}

static bool is_known(int32_t scalar)
{
    return scalar_validity(scalar) == VALIDITY_OK;
}

static enum charge_state end(struct charge *c, enum charge_end why)
{
    c->end = why;
    return why == CHARGE_END_FULL ? CHARGE_FULL : why >= CHARGE_END_SILENT ? CHARGE_FAULT : CHARGE_ENDED;
}

/* --- what the charger shall give --- */

static int64_t least(int64_t a, int64_t b)
{
    return a < b ? a : b;
}

/* What cable and mains carry, on the pack's side of the charger. */
static int64_t slow_dA(const struct charge_in *in)
{
    if (!is_known(in->slow.limit_dA) || in->pack_mV <= 0) /* a voltage that is not valid is below 0 */
        return INT32_MAX;
    return (int64_t)in->slow.limit_dA * MAINS_V * EFFICIENCY_permille / in->pack_mV;
}

static int32_t allowed_dA(const struct charge *c, const struct charge_in *in)
{
    int32_t dA = in->limit_dA > 0 ? in->limit_dA : 0;

    if (c->fast)
        return is_known(in->fast.max_dA) ? (int32_t)least(dA, in->fast.max_dA) : dA;
    return (int32_t)least(dA, slow_dA(in));
}

/* Hold the highest cell: less while it is above, slowly more while it is below, from nothing too. */
static void taper(struct charge *c, const struct charge_in *in)
{
    int32_t most_dA = allowed_dA(c, in), over_mV = in->cell_max.value - in->params[PARAM_charge_cell_mV];
    int64_t dA = c->taper_dA;

    c->taper_ms = span_add(c->taper_ms, in->dt_ms);
    if (c->taper_ms >= TAPER_MS) {
        c->taper_ms = 0;
        if (over_mV > 0)
            dA = dA * TAPER_permille / 1000;
        else if (over_mV < 0)
            dA = dA * REGAIN_permille / 1000 + REGAIN_LEAST_dA;
    }
    c->taper_dA = (int32_t)least(most_dA, dA);
}

static void want(struct charge *c, const struct charge_in *in)
{
    int32_t most_mV = in->params[PARAM_charge_cell_mV] * in->cells;

    c->want_mV = c->want_dA = 0;
    if (!c->deliver)
        return;
    c->want_mV = c->fast && is_known(in->fast.max_mV) ? (int32_t)least(most_mV, in->fast.max_mV) : most_mV;
    if (c->state == CHARGE_HEATING)
        c->want_dA = in->params[PARAM_heat_current_dA];
    else
        c->want_dA = c->state == CHARGE_CONSTANT_VOLTAGE ? c->taper_dA : allowed_dA(c, in);
}

/* --- what ends a charge --- */

static bool is_beyond(const struct charge *c, const struct charge_in *in)
{
    int64_t want_mA = (int64_t)c->want_dA * 100;
    bool current = is_known(in->current_mA) && -(int64_t)in->current_mA > want_mA + want_mA / 10 + CHARGE_SLACK_dA * 100;
    bool voltage = in->pack_mV > c->want_mV + CHARGE_SLACK_mV_PER_CELL * in->cells;

    return current || voltage; /* a voltage that is not valid is below 0 */
}

static bool flows(const struct charge_in *in)
{
    return is_known(in->current_mA) && -(int64_t)in->current_mA >= (int64_t)in->params[PARAM_charge_end_dA] * 100;
}

static bool is_paused(const struct charge *c, const struct charge_in *in)
{
    return c->fast && in->fast.paused;
}

/* What ends every state in which the charger delivers or is about to; CHARGE_END_NONE = nothing. */
static enum charge_end against(struct charge *c, const struct charge_in *in)
{
    bool beyond = c->state != CHARGE_HEATING && c->deliver && is_beyond(c, in);

    c->in_all_ms = span_add(c->in_all_ms, in->dt_ms);
    c->beyond_ms = beyond ? span_add(c->beyond_ms, in->dt_ms) : 0;
    if (in->blocked || (in->has_probes && !in->cold.known))
        return CHARGE_END_ALARM;
    if (c->fast && in->fast.fault)
        return CHARGE_END_BROKEN;
    if (c->fast && in->fast.ended)
        return CHARGE_END_CHARGER;
    if (c->beyond_ms >= CHARGE_BEYOND_MS)
        return CHARGE_END_BEYOND;
    if (c->in_all_ms / 60000 >= (uint32_t)in->params[PARAM_charge_max_min])
        return CHARGE_END_TOO_LONG;
    return CHARGE_END_NONE;
}

/* --- the states --- */

static enum charge_state on_idle(struct charge *c, const struct charge_in *in)
{
    c->fast = in->fast.connected;
    c->end = CHARGE_END_NONE;
    c->in_all_ms = c->idle_ms = 0; /* the rest begins with its state */
    return CHARGE_PLUGGED;
}

static enum charge_state on_plugged(struct charge *c, const struct charge_in *in)
{
    (void)c;
    return in->blocked || (in->has_probes && !in->cold.known) ? CHARGE_PLUGGED : CHARGE_HANDSHAKE;
}

static bool is_cold(const struct charge_in *in, enum param limit)
{
    return in->cold.known && in->cold.value < in->params[limit];
}

static enum charge_state on_handshake(struct charge *c, const struct charge_in *in)
{
    bool met = c->fast ? in->fast.handshaken : in->slow.ready;
    enum charge_end why = against(c, in);

    if (why != CHARGE_END_NONE)
        return end(c, why);
    if (!met)
        return !c->fast && c->in_state_ms >= seconds(in, PARAM_charge_wait_s) ? end(c, CHARGE_END_SILENT) : CHARGE_HANDSHAKE;
    if (!is_cold(in, PARAM_heat_on_ddegC))
        return CHARGE_CLOSING;
    return in->params[PARAM_heater_fitted] ? CHARGE_HEATING : end(c, CHARGE_END_COLD);
}

static enum charge_state on_heating(struct charge *c, const struct charge_in *in)
{
    enum charge_end why = against(c, in);

    if (why != CHARGE_END_NONE)
        return end(c, why);
    if (!is_cold(in, PARAM_heat_off_ddegC))
        return CHARGE_CLOSING;
    return c->in_state_ms / 60000 >= (uint32_t)in->params[PARAM_heat_max_min] ? end(c, CHARGE_END_COLD) : CHARGE_HEATING;
}

static enum charge_state on_closing(struct charge *c, const struct charge_in *in)
{
    enum charge_end why = against(c, in);

    if (why != CHARGE_END_NONE)
        return end(c, why);
    if (in->closed && (c->fast ? in->fast.ready : in->slow.ready))
        return CHARGE_CONSTANT_CURRENT;
    uint32_t wait_ms = seconds(in, PARAM_charge_wait_s);

    if (c->fast && in->closed)
        wait_ms *= 2; /* the talk's own time-out comes first: it may begin again */
    return c->in_state_ms >= wait_ms ? end(c, CHARGE_END_SILENT) : CHARGE_CLOSING;
}

static enum charge_state on_current(struct charge *c, const struct charge_in *in)
{
    enum charge_end why = against(c, in);

    if (why == CHARGE_END_NONE && !in->closed)
        return CHARGE_CLOSING; /* RL3 has fallen off, or was about to open when the plug came back */
    c->idle_ms = flows(in) || is_paused(c, in) ? 0 : span_add(c->idle_ms, in->dt_ms);
    if (why == CHARGE_END_NONE && c->idle_ms >= seconds(in, PARAM_charge_wait_s))
        why = CHARGE_END_LIMIT;
    if (why != CHARGE_END_NONE)
        return end(c, why);
    c->low_ms = c->taper_ms = 0;
    c->taper_dA = allowed_dA(c, in);
    return in->cell_max.known && in->cell_max.value >= in->params[PARAM_charge_cell_mV] - CV_NEAR_mV ? CHARGE_CONSTANT_VOLTAGE
                                                                                                     : CHARGE_CONSTANT_CURRENT;
}

static enum charge_state on_voltage(struct charge *c, const struct charge_in *in)
{
    enum charge_end why = against(c, in);

    if (why == CHARGE_END_NONE && !in->closed)
        return CHARGE_CLOSING;
    taper(c, in);
    c->low_ms = flows(in) || is_paused(c, in) ? 0 : span_add(c->low_ms, in->dt_ms);
    if (why == CHARGE_END_NONE && c->low_ms >= CHARGE_FULL_MS)
        why = CHARGE_END_FULL;
    return why != CHARGE_END_NONE ? end(c, why) : CHARGE_CONSTANT_VOLTAGE;
}

static enum charge_state on_over(struct charge *c, const struct charge_in *in)
{
    (void)in;
    return c->state;
}

/* --- */

bool charge_is_asked(const struct charge_in *in)
{
    return in->slow.connected || in->fast.connected;
}

/* A fast charger that breaks off the talk, or begins another charge. */
static bool breaks_off(const struct charge *c, const struct charge_in *in)
{
    bool under_way = c->state == CHARGE_HEATING || states[c->state].close;

    return c->fast && under_way && !in->fast.handshaken && !in->fast.ended && !in->fast.fault;
}

static bool begins_again(const struct charge *c, const struct charge_in *in)
{
    return c->fast && in->fast.again && (c->state == CHARGE_FULL || (c->state == CHARGE_ENDED && c->end == CHARGE_END_CHARGER));
}

static enum charge_state next(struct charge *c, const struct charge_in *in)
{
    bool changed = c->state != CHARGE_IDLE && c->fast != in->fast.connected; /* another plug: begin again */

    if (charge_is_asked(in) && !changed) {
        if (begins_again(c, in))
            return CHARGE_IDLE;
        return breaks_off(c, in) && !in->blocked ? CHARGE_HANDSHAKE : states[c->state].step(c, in);
    }
    if (c->state != CHARGE_IDLE && c->end == CHARGE_END_NONE)
        c->end = CHARGE_END_UNPLUGGED;
    return CHARGE_IDLE;
}

void charge_init(struct charge *c)
{
    *c = (struct charge) { .state = CHARGE_IDLE };
}

void charge_step(struct charge *c, const struct charge_in *in)
{
    c->in_state_ms = span_add(c->in_state_ms, in->dt_ms);
    enum charge_state to = next(c, in);

    if (to != c->state)
        c->in_state_ms = 0;
    c->state = to;
    c->close = states[to].close;
    c->heat = states[to].heat;
    c->deliver = states[to].deliver;
    want(c, in);
}

const char *charge_state_text(int state)
{
    return state >= 0 && state < CHARGE_STATES ? states[state].text : "unknown";
}
