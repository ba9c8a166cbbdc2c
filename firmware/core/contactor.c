/* SPDX-License-Identifier: Apache-2.0 */
#include "firmware/core/contactor.h"

#include "firmware/core/biu_io.h"

static const uint8_t relays[] = {
    [CONTACTOR_OPEN] = 0,
    [CONTACTOR_PRECHARGE] = BIU_RELAY_PRECHARGE,
    [CONTACTOR_DRIVE] = BIU_RELAY_DISCHARGE,
    [CONTACTOR_CHARGE] = BIU_RELAY_CHARGE,
};

void contactor_init(struct contactor *c)
{
    *c = (struct contactor) { .state = CONTACTOR_OPEN };
}

static enum contactor_state next(const struct contactor *c, const struct contactor_in *in)
{
    bool driving = c->state == CONTACTOR_PRECHARGE || c->state == CONTACTOR_DRIVE;

    if (in->must_open || (!in->drive && !in->charge))
        return CONTACTOR_OPEN;
    if (c->state == CONTACTOR_OPEN && !in->may_close)
        return CONTACTOR_OPEN;
    if (in->charge)
        return driving ? CONTACTOR_OPEN : CONTACTOR_CHARGE; /* one step with all open between the two */
    if (c->state == CONTACTOR_CHARGE)
        return CONTACTOR_OPEN;
    if (!driving)
        return CONTACTOR_PRECHARGE;
    return c->state == CONTACTOR_DRIVE || c->in_state_ms >= CONTACTOR_PRECHARGE_MS ? CONTACTOR_DRIVE : CONTACTOR_PRECHARGE;
}

uint8_t contactor_step(struct contactor *c, const struct contactor_in *in)
{
    c->in_state_ms = in->dt_ms >= UINT32_MAX - c->in_state_ms ? UINT32_MAX : c->in_state_ms + in->dt_ms;
    enum contactor_state to = next(c, in);

    if (to != c->state)
        *c = (struct contactor) { .state = to };
    return relays[c->state];
}
