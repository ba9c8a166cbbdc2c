/* SPDX-License-Identifier: Apache-2.0 */
#include "firmware/core/protection/freeze.h"

#include <stddef.h>

#include "common/bytes.h"
#include "common/span.h"

void freeze_init(struct freeze *f)
{
    *f = (struct freeze) { .since_ms = FREEZE_PERIOD_MS };
}

void freeze_wake(struct freeze *f)
{
    f->next = f->count = 0;
    f->since_ms = FREEZE_PERIOD_MS;
}

void freeze_step(struct freeze *f, const struct freeze_point *now, uint32_t dt_ms)
{
    f->since_ms = span_to(f->since_ms, dt_ms, FREEZE_PERIOD_MS);
    if (f->since_ms < FREEZE_PERIOD_MS)
        return;
    f->since_ms = 0;
    f->ring[f->next] = *now;
    f->next = (uint8_t)((f->next + 1) % FREEZE_POINTS);
    f->count = (uint8_t)(f->count + (f->count < FREEZE_POINTS));
}

/* `a` gives way before `b`. */
static bool goes_before(const struct freeze_slot *a, const struct freeze_slot *b)
{
    if ((a->count == 0) != (b->count == 0))
        return a->count == 0;
    if (a->major != b->major)
        return !a->major;
    return a->taken < b->taken;
}

void freeze_take(struct freeze *f, uint16_t row, bool major)
{
    struct freeze_slot *to = &f->slot[0];

    for (int i = 1; i < FREEZE_SLOTS; i++)
        if (goes_before(&f->slot[i], to))
            to = &f->slot[i];
    if (f->count == 0 || (to->count && to->major && !major))
        return;
    *to = (struct freeze_slot) { .row = row, .count = f->count, .major = major, .taken = ++f->taken };
    for (int i = 0; i < f->count; i++)
        to->point[i] = f->ring[(f->next + FREEZE_POINTS - f->count + i) % FREEZE_POINTS];
}

void freeze_forget(struct freeze *f, uint16_t row)
{
    for (int i = 0; i < FREEZE_SLOTS; i++)
        if (f->slot[i].row == row)
            f->slot[i].count = 0;
}

const struct freeze_slot *freeze_of(const struct freeze *f, uint16_t row)
{
    for (int i = 0; i < FREEZE_SLOTS; i++)
        if (f->slot[i].count && f->slot[i].row == row)
            return &f->slot[i];
    return NULL;
}

static void put_point(uint8_t *out, const struct freeze_point *p)
{
    put_be16(out, p->pack_dV);
    put_be16(out + 2, (uint16_t)p->current_dA);
    put_be16(out + 4, p->cell_max_mV);
    put_be16(out + 6, p->cell_min_mV);
    put_be16(out + 8, (uint16_t)p->temp_max_ddegC);
    put_be16(out + 10, (uint16_t)p->temp_min_ddegC);
    put_be16(out + 12, p->soc_permyriad);
    out[14] = p->relays;
    out[15] = p->alarms;
}

int freeze_pack(const struct freeze_slot *s, int ago, uint8_t *out)
{
    int whole = (int)s->count - ago * FREEZE_PER_SECOND, end = whole > 0 ? whole : 0;
    int begin = end > FREEZE_PER_SECOND ? end - FREEZE_PER_SECOND : 0;

    for (int i = begin; i < end; i++)
        put_point(out + (size_t)(i - begin) * FREEZE_POINT_SIZE, &s->point[i]);
    return end - begin;
}
