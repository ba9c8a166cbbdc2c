/* SPDX-License-Identifier: Apache-2.0 */
#include "firmware/core/measure/measure.h"

#include "common/span.h"
#include "firmware/core/measure/ntc.h"
#include "proto/afe.h"

static uint16_t cell_of(uint16_t raw, bool low_is_open)
{
    uint32_t mV = ((uint32_t)raw * AFE_FULL_SCALE_mV / 32768 + 1) / 2; /* rounded */

    if (mV >= MEASURE_RAIL_HIGH_mV || (low_is_open && mV <= MEASURE_RAIL_LOW_mV))
        return cell_invalid(VALIDITY_OPEN);
    return (uint16_t)mV;
}

static int16_t die_of(uint16_t raw)
{
    int64_t mK = ((int64_t)raw * AFE_FULL_SCALE_mV - (int64_t)AFE_DIE_0_C_mV * 65536) * AFE_DIE_mK_PER_V / 65536 / 1000;
    int64_t ddegC = (mK + (mK < 0 ? -50 : 50)) / 100;

    if (ddegC < MEASURE_DIE_COLD_ddegC || ddegC > MEASURE_DIE_HOT_ddegC)
        return temp_invalid(VALIDITY_IMPLAUSIBLE);
    return (int16_t)ddegC;
}

static void convert(struct measure *m, unsigned k, const struct afe_chip *from, const int32_t *params)
{
    const struct topology_chip *chip = &m->topology->chip[k];
    bool low_is_open = params[PARAM_chemistry] != CHEMISTRY_SCAP;

    plausible_step(&m->plausible[k], from->raw, chip->cells, params);
    unsigned wrong = m->plausible[k].stuck | m->plausible[k].jumped;

    for (unsigned i = 0; i < chip->cells; i++) {
        uint16_t mV = cell_of(from->raw[i], low_is_open);

        m->cell_mV[chip->first_cell + i] = wrong >> i & 1u && cell_validity(mV) == VALIDITY_OK ? cell_invalid(VALIDITY_IMPLAUSIBLE) : mV;
    }
    for (unsigned i = 0; i < chip->probe_count; i++)
        m->temp_ddegC[chip->first_probe + i] = ntc_ddegC(from->raw[chip->cells + i], params[PARAM_ntc_r25_ohm], params[PARAM_ntc_beta_K]);
    m->die_ddegC[k] = die_of(from->raw[chip->cells + chip->probe_count]);
}

static void withdraw(struct measure *m, unsigned k, enum validity why)
{
    const struct topology_chip *chip = &m->topology->chip[k];

    for (unsigned i = 0; i < chip->cells; i++)
        m->cell_mV[chip->first_cell + i] = cell_invalid(why);
    for (unsigned i = 0; i < chip->probe_count; i++)
        m->temp_ddegC[chip->first_probe + i] = temp_invalid(why);
    m->die_ddegC[k] = temp_invalid(why);
}

struct sums {
    int32_t sum;
    enum validity worst;
    uint16_t worst_no;
};

/* One more value, with number `no`. */
static void weigh(struct measure_worst *w, struct sums *s, int32_t value, enum validity why, uint16_t no)
{
    if (why == VALIDITY_OK) {
        if (w->valid == 0 || value > w->max.value)
            w->max = (struct measure_extreme) { true, value, no };
        if (w->valid == 0 || value < w->min.value)
            w->min = (struct measure_extreme) { true, value, no };
        s->sum += value;
        w->valid++;
    } else if (why != VALIDITY_NEVER && why != VALIDITY_STALE && why > s->worst) {
        s->worst = why;
        s->worst_no = no;
    }
}

static void conclude(struct measure_worst *w, const struct sums *s, bool answers)
{
    w->invalid = (struct measure_extreme) { answers, (int32_t)s->worst, s->worst_no };
    if (w->valid == 0)
        return;
    w->mean = s->sum / (int32_t)w->valid;
    bool high = w->max.value - w->mean >= w->mean - w->min.value;

    w->apart = (struct measure_extreme) { true, w->max.value - w->min.value, high ? w->max.number : w->min.number };
}

/* A chip's reference moves all its cells at once. Chips without a valid cell do not count. */
static void compare_chips(struct measure *m)
{
    m->chip_apart = (struct measure_extreme) { 0 };
    for (unsigned k = 0; k < m->topology->devices; k++) {
        const struct topology_chip *chip = &m->topology->chip[k];
        int32_t sum = 0, n = 0, rest = (int32_t)m->cell.valid;

        for (unsigned i = chip->first_cell; i < (unsigned)chip->first_cell + chip->cells; i++)
            if (cell_validity(m->cell_mV[i]) == VALIDITY_OK) {
                sum += m->cell_mV[i];
                n++;
            }
        rest -= n;
        if (n == 0 || rest == 0)
            continue;
        int32_t apart = sum / n - (m->cell_sum - sum) / rest;

        apart = apart < 0 ? -apart : apart;
        if (!m->chip_apart.known || apart > m->chip_apart.value)
            m->chip_apart = (struct measure_extreme) { true, apart, (uint16_t)(k + 1) };
    }
}

static void compare_dies(struct measure *m)
{
    m->die = (struct measure_extreme) { 0 };
    for (unsigned k = 0; k < m->topology->devices; k++)
        if (temp_validity(m->die_ddegC[k]) == VALIDITY_OK && (!m->die.known || m->die_ddegC[k] > m->die.value))
            m->die = (struct measure_extreme) { true, m->die_ddegC[k], (uint16_t)(k + 1) };
}

static void compare(struct measure *m)
{
    struct sums cell = { 0 }, temp = { 0 };
    bool answers = false;

    m->cell = (struct measure_worst) { 0 };
    m->temp = (struct measure_worst) { 0 };
    for (unsigned k = 0; k < m->topology->devices; k++)
        answers = answers || m->chip[k] == VALIDITY_OK;
    for (unsigned i = 0; i < m->topology->cells; i++)
        weigh(&m->cell, &cell, m->cell_mV[i], cell_validity(m->cell_mV[i]), (uint16_t)(i + 1));
    for (unsigned i = 0; i < m->topology->probes; i++)
        weigh(&m->temp, &temp, m->temp_ddegC[i], temp_validity(m->temp_ddegC[i]), (uint16_t)(i + 1));
    m->cell_sum = cell.sum;
    conclude(&m->cell, &cell, answers);
    conclude(&m->temp, &temp, answers);
    compare_chips(m);
    compare_dies(m);
}

static void judge_age(struct measure *m, const struct afe *afe, int32_t limit_ms)
{
    m->afe_age = (struct measure_extreme) { 0 };
    for (unsigned k = 0; k < m->topology->devices; k++) {
        int32_t age = (int32_t)afe->chip[k].age_ms; /* below AFE_AGE_MAX */

        if (m->afe_age.known && age <= m->afe_age.value)
            continue;
        m->afe_age = (struct measure_extreme) { true, age, (uint16_t)(k + 1) };
        if (age >= limit_ms) /* where the chain breaks all chips behind it are silent: name the first */
            return;
    }
}

void measure_init(struct measure *m, const struct topology *topology)
{
    *m = (struct measure) { .topology = topology };
    for (unsigned k = 0; k < topology->devices; k++) {
        m->chip[k] = VALIDITY_NEVER;
        withdraw(m, k, VALIDITY_NEVER);
    }
    for (unsigned k = 0; k < MEASURE_RISE_KEPT; k++)
        for (unsigned i = 0; i < PACK_TEMPS_MAX; i++)
            m->was_ddegC[k][i] = temp_invalid(VALIDITY_NEVER);
}

void measure_step(struct measure *m, const struct afe *afe, const int32_t *params)
{
    bool changed = false;

    for (unsigned k = 0; k < m->topology->devices; k++) {
        const struct afe_chip *chip = &afe->chip[k];

        if ((unsigned)afe->fresh >> k & 1u) {
            convert(m, k, chip, params);
            m->chip[k] = VALIDITY_OK;
            changed = true;
        } else if (m->chip[k] == VALIDITY_OK && chip->age_ms >= (uint32_t)params[PARAM_value_stale_ms]) {
            m->chip[k] = VALIDITY_STALE;
            withdraw(m, k, VALIDITY_STALE);
            changed = true;
        }
    }
    if (changed)
        compare(m);
    judge_age(m, afe, params[PARAM_afe_silent_limit]);
}

void measure_rise(struct measure *m, uint32_t dt_ms)
{
    m->rise_ms = span_to(m->rise_ms, dt_ms, MEASURE_RISE_MS);
    if (m->rise_ms < MEASURE_RISE_MS)
        return;
    unsigned oldest = (m->newest + 1) % MEASURE_RISE_KEPT;

    m->rise_ms = 0;
    m->rise = (struct measure_extreme) { 0 };
    for (unsigned i = 0; i < m->topology->probes; i++) {
        int16_t was = m->was_ddegC[oldest][i], now = m->temp_ddegC[i];

        m->was_ddegC[oldest][i] = now;
        if (temp_validity(was) != VALIDITY_OK || temp_validity(now) != VALIDITY_OK)
            continue;
        if (!m->rise.known || now - was > m->rise.value)
            m->rise = (struct measure_extreme) { true, now - was, (uint16_t)(i + 1) };
    }
    m->newest = oldest;
}

bool measure_is_complete(const struct measure *m)
{
    return m->topology->cells > 0 && m->cell.valid == m->topology->cells;
}
