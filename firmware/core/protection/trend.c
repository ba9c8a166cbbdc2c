/* SPDX-License-Identifier: Apache-2.0 */
#include "firmware/core/protection/trend.h"

#include "common/span.h"

enum { WHOLE_permyriad = 10000 };

void trend_init(struct trend *t)
{
    *t = (struct trend) { .tick_ms = TREND_TICK_MS };
}

static unsigned oldest(const struct trend *t)
{
    return t->kept < TREND_KEPT ? 0 : (t->newest + 1) % TREND_KEPT;
}

static void compare_temperatures(struct trend *t, const struct measure *m)
{
    t->rate = (struct measure_extreme) { 0 };
    for (unsigned i = 0; t->kept && i < m->topology->probes; i++) {
        int16_t was = t->was_ddegC[oldest(t)][i], now = m->temp_ddegC[i];

        if (temp_validity(was) != VALIDITY_OK || temp_validity(now) != VALIDITY_OK)
            continue;
        if (!t->rate.known || now - was > t->rate.value)
            t->rate = (struct measure_extreme) { true, now - was, (uint16_t)(i + 1) };
    }
}

static void compare_soc(struct trend *t, int32_t now, int64_t full_mAms)
{
    unsigned at = oldest(t);

    t->jump = (struct measure_extreme) { 0 };
    if (!t->kept || scalar_validity(now) != VALIDITY_OK || scalar_validity(t->was_permyriad[at]) != VALIDITY_OK)
        return;
    int64_t flowed = (t->counted_mAms - t->was_mAms[at]) * WHOLE_permyriad / full_mAms;
    int64_t jump = now - t->was_permyriad[at] + flowed;

    jump = jump < 0 ? -jump : jump;
    t->jump = (struct measure_extreme) { true, jump > INT32_MAX ? INT32_MAX : (int32_t)jump, 0 };
}

static void keep(struct trend *t, const struct measure *m, int32_t soc_permyriad)
{
    unsigned at = t->kept < TREND_KEPT ? t->kept : (t->newest + 1) % TREND_KEPT;

    for (unsigned i = 0; i < m->topology->probes; i++)
        t->was_ddegC[at][i] = m->temp_ddegC[i];
    t->was_permyriad[at] = soc_permyriad;
    t->was_mAms[at] = t->counted_mAms;
    t->newest = at;
    t->kept += t->kept < TREND_KEPT;
}

/* The first entry is one to compare with. */
static bool is_begun(const struct measure *m, int32_t soc_permyriad)
{
    return scalar_validity(soc_permyriad) == VALIDITY_OK && (m->topology->probes == 0 || m->temp.valid > 0);
}

void trend_step(struct trend *t, const struct measure *m, int32_t soc_permyriad, int32_t current_mA, int64_t full_mAms, uint32_t dt_ms)
{
    if (scalar_validity(current_mA) == VALIDITY_OK)
        t->counted_mAms += (int64_t)current_mA * dt_ms;
    t->tick_ms = span_to(t->tick_ms, dt_ms, TREND_TICK_MS);
    if (t->tick_ms < TREND_TICK_MS || (t->kept == 0 && !is_begun(m, soc_permyriad)))
        return;
    t->tick_ms = 0;
    compare_temperatures(t, m);
    compare_soc(t, soc_permyriad, full_mAms);
    keep(t, m, soc_permyriad);
}
