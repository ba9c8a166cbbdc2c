/* SPDX-License-Identifier: Apache-2.0 */
#include "firmware/core/measure/insulation.h"

#include "common/span.h"
#include "proto/tables.h"

enum { OHM_PER_KOHM = 1000, AGE_MAX = 0x3FFFFFFF };

static bool is_known(int32_t scalar)
{
    return scalar_validity(scalar) == VALIDITY_OK;
}

static void withdraw(struct insulation *i, enum validity why)
{
    i->pos_kohm = i->neg_kohm = i->system_kohm = i->ohm_per_V = scalar_invalid(why);
}

void insulation_init(struct insulation *i)
{
    *i = (struct insulation) { .phase = INSULATION_OFF };
    withdraw(i, VALIDITY_NEVER);
}

/* --- from rails to resistances --- */

/* R0 x top / bottom in ohm, without what the divider adds to it. */
static int64_t leak_ohm(int64_t r0_ohm, int64_t top, int64_t bottom, int64_t divider_ohm)
{
    const int64_t max_ohm = (int64_t)INSULATION_MAX_kohm * OHM_PER_KOHM;

    if (top <= 0)
        return 0;
    if (bottom <= 0)
        return max_ohm;
    int64_t ohm = r0_ohm * top / bottom;

    if (ohm >= divider_ohm)
        return max_ohm;
    ohm = ohm * divider_ohm / (divider_ohm - ohm);
    return ohm < max_ohm ? ohm : max_ohm;
}

static void conclude(struct insulation *i, const int32_t *p)
{
    const struct insulation_rails *a = &i->seen[0], *b = &i->seen[1];
    int64_t cross = (int64_t)b->pos_mV * a->neg_mV / 1000 - (int64_t)a->pos_mV * b->neg_mV / 1000; /* mV x V: room for R0 */
    int64_t r0 = (int64_t)p[PARAM_insulation_bridge_kohm] * OHM_PER_KOHM,
            divider = (int64_t)p[PARAM_insulation_divider_kohm] * OHM_PER_KOHM;
    int64_t sum_a = a->pos_mV + a->neg_mV, sum_b = b->pos_mV + b->neg_mV;
    int64_t pos = leak_ohm(r0, cross, b->neg_mV * sum_a / 1000, divider), neg = leak_ohm(r0, cross, a->pos_mV * sum_b / 1000, divider);
    int64_t system = pos < neg ? pos : neg, ohm_per_V = system * 2000 / (sum_a + sum_b);

    i->pos_kohm = (int32_t)(pos / OHM_PER_KOHM);
    i->neg_kohm = (int32_t)(neg / OHM_PER_KOHM);
    i->system_kohm = (int32_t)(system / OHM_PER_KOHM);
    i->ohm_per_V = ohm_per_V < INSULATION_MAX_ohm_per_V ? (int32_t)ohm_per_V : INSULATION_MAX_ohm_per_V;
    i->age_ms = 0;
}

/* --- in time --- */

static void begin(struct insulation *i, enum insulation_phase phase)
{
    i->phase = phase;
    i->in_phase_ms = 0;
    i->samples = 0;
    i->pos_sum = i->neg_sum = 0;
}

static bool adds_up(const struct insulation_rails *r, int32_t pack_mV)
{
    int64_t apart = (int64_t)r->pos_mV + r->neg_mV - pack_mV;

    return (apart < 0 ? -apart : apart) * 1000 <= (int64_t)pack_mV * INSULATION_SUM_PERMILLE;
}

/* Near a shorted rail the offset of the channel can be larger than the voltage. */
static int32_t mean(int64_t sum_mV, int32_t samples)
{
    int32_t mV = (int32_t)(sum_mV / samples);

    return mV > 0 ? mV : 0;
}

static void end_phase(struct insulation *i, const struct insulation_in *in)
{
    struct insulation_rails *r = &i->seen[i->phase == INSULATION_NEG];

    r->known = i->samples > 0;
    if (r->known) {
        r->pos_mV = mean(i->pos_sum, i->samples);
        r->neg_mV = mean(i->neg_sum, i->samples);
        if (!adds_up(r, in->pack_mV)) {
            r->known = false;
            withdraw(i, VALIDITY_IMPLAUSIBLE);
        }
    }
    if (i->seen[0].known && i->seen[1].known)
        conclude(i, in->params);
    begin(i, i->phase == INSULATION_POS ? INSULATION_NEG : INSULATION_POS);
}

static void sum_up(struct insulation *i, const struct insulation_in *in)
{
    if (!is_known(in->rail_pos_mV) || !is_known(in->rail_neg_mV))
        return;
    i->pos_sum += in->rail_pos_mV;
    i->neg_sum += in->rail_neg_mV;
    i->samples++;
}

static void grow_old(struct insulation *i, const struct insulation_in *in)
{
    uint32_t stale_ms = INSULATION_STALE_PHASES * (uint32_t)in->params[PARAM_insulation_settle_ms];

    i->age_ms = span_to(i->age_ms, in->dt_ms, AGE_MAX);
    if (i->age_ms >= stale_ms && is_known(i->system_kohm))
        withdraw(i, VALIDITY_STALE);
}

static void stop(struct insulation *i)
{
    begin(i, INSULATION_OFF);
    i->seen[1].known = false; /* the phase POS, which comes first, writes the other */
}

uint8_t insulation_step(struct insulation *i, const struct insulation_in *in)
{
    uint32_t settle_ms = (uint32_t)in->params[PARAM_insulation_settle_ms];
    bool fitted = scalar_validity(in->rail_pos_mV) != VALIDITY_NOT_FITTED && scalar_validity(in->rail_neg_mV) != VALIDITY_NOT_FITTED;

    grow_old(i, in);
    if (!fitted)
        withdraw(i, VALIDITY_NOT_FITTED);
    if (!fitted || in->off || in->pack_mV < INSULATION_PACK_MIN_mV || in->pack_mV > INSULATION_PACK_MAX_mV) { /* not known is far below */
        stop(i);
        return 0;
    }
    if (i->phase == INSULATION_OFF) {
        begin(i, INSULATION_POS);
    } else {
        i->in_phase_ms += in->dt_ms < settle_ms ? in->dt_ms : settle_ms;
        if (i->in_phase_ms + INSULATION_AVERAGE_MS > settle_ms)
            sum_up(i, in);
        if (i->in_phase_ms >= settle_ms)
            end_phase(i, in);
    }
    return i->phase == INSULATION_POS ? SENSE_BRIDGE_POS : SENSE_BRIDGE_NEG;
}
