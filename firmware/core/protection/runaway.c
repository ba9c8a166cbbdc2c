/* SPDX-License-Identifier: Apache-2.0 */
#include "firmware/core/protection/runaway.h"

#include "common/span.h"

enum { WHOLE = 10000, SLOW = 32 }; /* a change of a cell against the others is forgotten in about half a minute */

void runaway_init(struct runaway *r)
{
    *r = (struct runaway) { 0 };
    for (unsigned i = 0; i < PACK_TEMPS_MAX; i++)
        r->was_ddegC[i] = temp_invalid(VALIDITY_NEVER);
}

/* Also follows what is usual, but not a drop. */
static bool has_dropped(struct runaway *r, const struct measure *m, unsigned i, const int32_t *params)
{
    if (cell_validity(m->cell_mV[i]) != VALIDITY_OK || m->cell.mean <= 0)
        return false;
    int32_t now = (int32_t)m->cell_mV[i] * WHOLE / m->cell.mean;

    now = now > UINT16_MAX ? UINT16_MAX : now;
    if (r->usual[i] == 0)
        r->usual[i] = (uint16_t)now;
    bool dropped = now * 100 <= (int32_t)r->usual[i] * (100 - params[PARAM_runaway_drop_percent]);

    if (!dropped)
        r->usual[i] = (uint16_t)(r->usual[i] + (now - (int32_t)r->usual[i]) / SLOW);
    return dropped;
}

/* What is not valid lies below every temperature (proto/validity.h): it is neither hot nor a rise, but the way back from it would be one. */
static bool has_risen(struct runaway *r, const struct measure *m, unsigned i, const int32_t *params)
{
    int16_t was = r->was_ddegC[i], now = m->temp_ddegC[i];

    r->was_ddegC[i] = now;
    if (temp_validity(was) != VALIDITY_OK || now - was < params[PARAM_runaway_rise_ddegC])
        r->rising_s[i] = 0;
    else if (r->rising_s[i] < UINT8_MAX)
        r->rising_s[i]++;
    return r->rising_s[i] >= params[PARAM_runaway_rise_s];
}

static unsigned signs_now(struct runaway *r, const struct measure *m, unsigned k, const int32_t *params)
{
    const struct topology_chip *chip = &m->topology->chip[k];
    unsigned signs = m->chip[k] == VALIDITY_STALE ? RUNAWAY_LOST : 0;

    for (unsigned i = chip->first_cell; i < (unsigned)chip->first_cell + chip->cells; i++) {
        signs |= has_dropped(r, m, i, params) ? RUNAWAY_DROP : 0u;
        signs |= cell_validity(m->cell_mV[i]) == VALIDITY_OPEN ? RUNAWAY_LOST : 0u;
    }
    for (unsigned i = chip->first_probe; i < (unsigned)chip->first_probe + chip->probe_count; i++) {
        signs |= m->temp_ddegC[i] >= params[PARAM_runaway_ddegC] ? RUNAWAY_HOT : 0u;
        signs |= has_risen(r, m, i, params) ? RUNAWAY_RISE : 0u;
    }
    return signs;
}

static unsigned hold(uint16_t *held_s, unsigned now, int32_t hold_s)
{
    unsigned signs = 0;

    for (unsigned s = 0; s < RUNAWAY_SIGNS; s++) {
        if (now >> s & 1u)
            held_s[s] = (uint16_t)hold_s;
        else if (held_s[s])
            held_s[s]--;
        signs |= held_s[s] ? 1u << s : 0u;
    }
    return signs;
}

static bool is_suspect(unsigned s)
{
    bool drop = s & RUNAWAY_DROP, hot = s & RUNAWAY_HOT, rise = s & RUNAWAY_RISE, lost = s & RUNAWAY_LOST;

    return (rise && (drop || hot)) || (lost && (rise || (drop && hot)));
}

void runaway_step(struct runaway *r, const struct measure *m, const int32_t *params, uint32_t dt_ms)
{
    r->tick_ms = span_to(r->tick_ms, dt_ms, RUNAWAY_TICK_MS);
    if (r->tick_ms < RUNAWAY_TICK_MS)
        return;
    r->tick_ms = 0;
    r->suspected = (struct measure_extreme) { .known = m->topology->devices > 0 };
    for (unsigned k = 0; k < m->topology->devices; k++) {
        unsigned signs = hold(r->held_s[k], signs_now(r, m, k, params), params[PARAM_runaway_hold_s]);

        if (is_suspect(signs) && r->suspected.value == 0)
            r->suspected = (struct measure_extreme) { true, (int32_t)signs, (uint16_t)(k + 1) };
    }
}
