/* SPDX-License-Identifier: Apache-2.0 */
#include "sim/contactors.h"

void contactors_drive(struct contactors *c, uint8_t mask)
{
    c->coils = mask;
}

static void step_one(struct contactors *c, unsigned i, uint16_t ms)
{
    uint8_t bit = (uint8_t)(1u << i);
    uint8_t frozen = c->coils & bit ? c->jammed : c->welded;

    if (((c->coils ^ c->closed) & bit) == 0 || (frozen & bit)) {
        c->moving_ms[i] = 0;
        return;
    }
    c->moving_ms[i] = (uint16_t)(c->moving_ms[i] + ms);
    if (c->moving_ms[i] >= (c->coils & bit ? CONTACTORS_CLOSE_MS : CONTACTORS_OPEN_MS)) {
        c->closed ^= bit;
        c->moving_ms[i] = 0;
    }
}

void contactors_step(struct contactors *c, uint16_t ms)
{
    for (unsigned i = 0; i < CONTACTORS; i++)
        step_one(c, i, ms);
}
