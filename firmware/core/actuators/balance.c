/* SPDX-License-Identifier: Apache-2.0 */
#include "firmware/core/actuators/balance.h"

#include <string.h>

#include "common/span.h"

void balance_init(struct balance *b)
{
    *b = (struct balance) { .since_ms = BALANCE_PERIOD_MS };
}

static void choose(struct balance *b, unsigned chip, unsigned in_chip, unsigned in_pack)
{
    b->chosen[chip] = (uint16_t)(b->chosen[chip] | 1u << in_chip);
    b->cells[in_pack / 16] = (uint16_t)(b->cells[in_pack / 16] | 1u << in_pack % 16);
}

/* The cells that lie start_mV above the lowest. Of two neighbours that both are too high the higher goes first, the other when it is the only one left. */
static void choose_all(struct balance *b, const struct measure *m, const struct balance_in *in)
{
    const struct topology *t = m->topology;
    int32_t above = m->cell.min.value + in->start_mV;
    bool before = false;

    if (above <= in->min_cell_mV)
        above = in->min_cell_mV + 1;
    for (unsigned k = 0; k < t->devices; k++) {
        if ((unsigned)b->hot >> k & 1u) {
            before = false;
            continue;
        }
        for (unsigned c = 0; c < t->chip[k].cells; c++) {
            unsigned i = t->chip[k].first_cell + c;
            bool next_first = i + 1 < t->cells && m->cell_mV[i + 1] > m->cell_mV[i];

            before = !before && m->cell_mV[i] >= above && !next_first;
            if (before)
                choose(b, k, c, i);
        }
    }
}

static void feel_dies(struct balance *b, const struct measure *m, int32_t hot_ddegC)
{
    for (unsigned k = 0; k < m->topology->devices; k++) {
        bool known = temp_validity(m->die_ddegC[k]) == VALIDITY_OK, was = (unsigned)b->hot >> k & 1u;
        bool hot = !known || m->die_ddegC[k] >= hot_ddegC || (was && m->die_ddegC[k] > hot_ddegC - BALANCE_BACK_ddegC);

        b->hot = (uint16_t)(hot ? b->hot | 1u << k : (unsigned)b->hot & ~(1u << k));
    }
}

/* What is chosen, without the chips that are too hot by now. */
static void turn_on(struct balance *b)
{
    for (unsigned k = 0; k < AFE_DEVICES_MAX; k++)
        b->chip[k] = (unsigned)b->hot >> k & 1u ? 0 : b->chosen[k];
}

uint32_t balance_on_ms(const int32_t *params, int32_t cell_mV)
{
    int64_t full_uA = (int64_t)cell_mV * 1000000 / params[PARAM_balance_mohm];
    int64_t capped_ms = full_uA > 0 ? (int64_t)params[PARAM_balance_max_mA] * 1000 * BALANCE_PERIOD_MS / full_uA : 0;
    int64_t duty_ms = (int64_t)params[PARAM_balance_duty_percent] * BALANCE_PERIOD_MS / 100;
    int64_t most_ms = BALANCE_PERIOD_MS - params[PARAM_balance_rest_ms];

    most_ms = duty_ms < most_ms ? duty_ms : most_ms;
    return (uint32_t)(capped_ms < most_ms ? capped_ms : most_ms);
}

bool balance_is_cool(const struct measure *m, const int32_t *params)
{
    return m->topology->probes == 0 || (m->temp.max.known && m->temp.max.value < params[PARAM_balance_hot_ddegC]);
}

void balance_step(struct balance *b, const struct measure *m, const struct balance_in *in)
{
    b->since_ms = span_to(b->since_ms, in->dt_ms, BALANCE_PERIOD_MS);
    memset(b->chip, 0, sizeof(b->chip));
    feel_dies(b, m, in->die_hot_ddegC);
    if (in->permitted && b->since_ms < BALANCE_PERIOD_MS) {
        if (b->since_ms < in->on_ms)
            turn_on(b);
        return;
    }
    memset(b->cells, 0, sizeof(b->cells));
    memset(b->chosen, 0, sizeof(b->chosen));
    if (!in->permitted) {
        b->since_ms = BALANCE_PERIOD_MS;
        return;
    }
    b->since_ms = 0;
    if (m->cell.apart.known)
        choose_all(b, m, in);
    if (in->on_ms > 0)
        turn_on(b);
}
