/* SPDX-License-Identifier: Apache-2.0 */
#include "firmware/core/charge/plug.h"

#include <stddef.h>

#include "common/span.h"
#include "proto/validity.h"

static bool is_known(int32_t scalar)
{
    return scalar_validity(scalar) == VALIDITY_OK;
}

/* --- CC --- */

static const struct cc_row { /* the first row whose resistance lies below */
    int32_t below_ohm;
    enum plug_state state;
    int32_t cable_mA;
} cc_rows[] = {
    { 25, PLUG_FAULT, 0 },   { 140, PLUG_IN, 63000 }, { 360, PLUG_IN, 32000 },  { 940, PLUG_IN, 16000 },    { 1651, PLUG_IN, 10000 },
    { 2500, PLUG_FAULT, 0 }, { 4501, PLUG_HALF, 0 },  { 10001, PLUG_FAULT, 0 }, { INT32_MAX, PLUG_OUT, 0 },
};

static const struct cc_row *cc_row(int32_t cc_ohm)
{
    size_t i = 0;

    while (i < sizeof(cc_rows) / sizeof(cc_rows[0]) - 1 && cc_ohm >= cc_rows[i].below_ohm)
        i++;
    return &cc_rows[i];
}

enum plug_state plug_cc_state(int32_t cc_ohm)
{
    if (scalar_validity(cc_ohm) == VALIDITY_OPEN)
        return PLUG_OUT;
    return is_known(cc_ohm) ? cc_row(cc_ohm)->state : PLUG_UNKNOWN;
}

int32_t plug_cable_mA(int32_t cc_ohm)
{
    return is_known(cc_ohm) ? cc_row(cc_ohm)->cable_mA : 0;
}

/* --- CP --- */

enum plug_pilot plug_pilot_of(int32_t cp_mV)
{
    if (!is_known(cp_mV) || cp_mV < 1000)
        return PLUG_PILOT_OFF;
    if (cp_mV >= 5200 && cp_mV <= 6800)
        return PLUG_PILOT_CHARGING;
    if (cp_mV >= 8200 && cp_mV <= 9800)
        return PLUG_PILOT_CONNECTED;
    return cp_mV >= 11200 && cp_mV <= 12800 ? PLUG_PILOT_IDLE : PLUG_PILOT_FAULT;
}

int32_t plug_duty_mA(int32_t permille)
{
    if (permille < 80 || permille > 900) /* what is not known is far below */
        return 0;
    if (permille <= 850)
        return (permille < 100 ? 100 : permille) * 60;
    int32_t mA = (permille - 640) * 250;

    return mA < PLUG_CABLE_MAX_mA ? mA : PLUG_CABLE_MAX_mA;
}

static bool is_digital(int32_t permille)
{
    return permille >= 30 && permille <= 70;
}

/* --- CC2 --- */

enum plug_state plug_cc2_state(int32_t cc2_mV)
{
    if (!is_known(cc2_mV))
        return PLUG_UNKNOWN;
    if (cc2_mV >= 4500 && cc2_mV <= 6800)
        return PLUG_IN;
    return cc2_mV >= 10000 ? PLUG_OUT : PLUG_FAULT;
}

/* --- in time --- */

static void settle(enum plug_state *state, enum plug_state *seen, uint32_t *for_ms, enum plug_state now, uint32_t dt_ms)
{
    if (now == *seen)
        *for_ms = span_to(*for_ms, dt_ms, PLUG_SETTLE_MS);
    else
        *for_ms = 0;
    *seen = now;
    if (*for_ms >= PLUG_SETTLE_MS)
        *state = now;
}

void plug_init(struct plug *p)
{
    *p = (struct plug) { .slow = PLUG_UNKNOWN, .fast = PLUG_UNKNOWN };
}

void plug_step(struct plug *p, const struct sense *s, uint32_t dt_ms)
{
    enum plug_state slow = plug_cc_state(s->cc_ohm);

    settle(&p->slow, &p->slow_seen, &p->slow_ms, slow, dt_ms);
    settle(&p->fast, &p->fast_seen, &p->fast_ms, plug_cc2_state(s->cc2_mV), dt_ms);
    p->pilot = plug_pilot_of(s->cp_mV);
    p->digital = is_digital(s->cp_permille);
    bool in = p->slow == PLUG_IN && slow == PLUG_IN, offers = p->pilot == PLUG_PILOT_CONNECTED || p->pilot == PLUG_PILOT_CHARGING;

    p->cable_mA = in ? plug_cable_mA(s->cc_ohm) : 0;
    p->pilot_mA = in && offers ? plug_duty_mA(s->cp_permille) : 0;
    p->limit_mA = p->cable_mA < p->pilot_mA ? p->cable_mA : p->pilot_mA;
}

static bool is_in_use(enum plug_state s)
{
    return s == PLUG_IN || s == PLUG_HALF;
}

bool plug_is_double(const struct plug *p)
{
    return is_in_use(p->slow) && is_in_use(p->fast);
}

uint8_t plug_bits(const struct plug *p)
{
    unsigned bits = (unsigned)p->slow | (unsigned)p->fast << 3;

    bits |= p->pilot_mA > 0 ? 1u << 6 : 0;
    bits |= p->pilot == PLUG_PILOT_CHARGING ? 1u << 7 : 0;
    return (uint8_t)bits;
}
