/* SPDX-License-Identifier: Apache-2.0 */
#include "firmware/core/measure/afe_faults.h"

#include "proto/validity.h"

struct list {
    struct afe_fault *out;
    size_t n, max;
};

static struct afe_place place_of(const struct topology *t, unsigned k)
{
    struct afe_place p = { t->chip[k].board, 1 };

    while (k > 0 && t->chip[k - 1].board == p.board) {
        p.chip++;
        k--;
    }
    return p;
}

static void add(struct list *l, struct afe_fault f)
{
    if (l->n < l->max)
        l->out[l->n++] = f;
}

/* Chips that answered in time: all from the returned one on have not. */
static unsigned answering(const struct afe *afe, uint32_t silent_ms)
{
    unsigned n = afe->topology->devices;

    while (n > 0 && afe->chip[n - 1].age_ms >= silent_ms)
        n--;
    return n;
}

static void look_at_links(struct list *l, const struct afe *afe, uint32_t silent_ms)
{
    const struct topology *t = afe->topology;
    unsigned n = answering(afe, silent_ms);

    for (unsigned k = 0; k < n; k++)
        if (afe->chip[k].age_ms >= silent_ms)
            add(l, (struct afe_fault) { .kind = AFE_FAULT_SILENT, .at = place_of(t, k) });
    if (n < t->devices)
        add(l, (struct afe_fault) {
                   .kind = AFE_FAULT_LINK, .at = place_of(t, n), .near = n > 0 ? place_of(t, n - 1) : (struct afe_place) { 0, 0 } });
}

static void look_at_chips(struct list *l, const struct afe *afe)
{
    for (unsigned k = 0; k < afe->topology->devices; k++) {
        const struct afe_chip *chip = &afe->chip[k];

        if (chip->bad_crc > 0 && chip->crc_age_ms < AFE_FAULT_RECENT_MS)
            add(l, (struct afe_fault) { .kind = AFE_FAULT_CRC, .at = place_of(afe->topology, k) });
        if (chip->resets > 0 && chip->reset_age_ms < AFE_FAULT_RECENT_MS)
            add(l, (struct afe_fault) { .kind = AFE_FAULT_RESET, .at = place_of(afe->topology, k) });
    }
}

static void look_at_cells(struct list *l, const struct measure *m, unsigned k)
{
    const struct topology_chip *chip = &m->topology->chip[k];

    for (unsigned i = 0; i < chip->cells; i++) {
        enum validity why = cell_validity(m->cell_mV[chip->first_cell + i]);
        struct afe_fault f = { .at = place_of(m->topology, k), .cell = (uint8_t)(chip->first_cell + i + 1) };

        if (why != VALIDITY_OPEN && why != VALIDITY_IMPLAUSIBLE)
            continue;
        f.kind = why == VALIDITY_OPEN ? AFE_FAULT_WIRE : m->plausible[k].stuck >> i & 1 ? AFE_FAULT_STUCK : AFE_FAULT_JUMP;
        add(l, f);
    }
}

size_t afe_faults_of(const struct afe *afe, const struct measure *m, uint32_t silent_ms, struct afe_fault *out, size_t max)
{
    struct list l = { out, 0, max };

    look_at_links(&l, afe, silent_ms);
    look_at_chips(&l, afe);
    for (unsigned k = 0; k < m->topology->devices; k++)
        look_at_cells(&l, m, k);
    return l.n;
}

const char *afe_fault_text(enum afe_fault_kind kind)
{
    static const char *const texts[] = {
        [AFE_FAULT_LINK] = "broken link",     [AFE_FAULT_SILENT] = "silent chip", [AFE_FAULT_CRC] = "bad checksum",
        [AFE_FAULT_RESET] = "chip was reset", [AFE_FAULT_WIRE] = "open wire",     [AFE_FAULT_STUCK] = "stuck reading",
        [AFE_FAULT_JUMP] = "jumping reading",
    };

    return kind <= AFE_FAULT_JUMP ? texts[kind] : "unknown";
}
