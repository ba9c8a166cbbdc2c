/* SPDX-License-Identifier: Apache-2.0 */
#include "firmware/core/current.h"

#include "proto/can0.h"
#include "proto/validity.h"

enum { STATUS_FAULT = 1 };

void current_init(struct current *c)
{
    *c = (struct current) { .mA = scalar_invalid(VALIDITY_NEVER) };
}

void current_age(struct current *c, uint32_t dt_ms, int32_t stale_ms)
{
    c->age_ms = dt_ms >= CURRENT_AGE_MAX - c->age_ms ? CURRENT_AGE_MAX : c->age_ms + dt_ms;
    if (c->age_ms >= (uint32_t)stale_ms && scalar_validity(c->mA) == VALIDITY_OK)
        c->mA = scalar_invalid(VALIDITY_STALE);
}

void current_frame(struct current *c, const struct can_frame *f)
{
    bool stuck = c->has_counter && f->data[1] == c->counter;
    int32_t mA = can0_get(f, CAN0_SIG_csu_current_mA);
    bool fault = scalar_validity(mA) != VALIDITY_OK || (can0_get(f, CAN0_SIG_csu_status) & STATUS_FAULT);

    c->counter = f->data[1];
    c->has_counter = true;
    if (stuck) {
        c->stuck++;
    } else if (fault) {
        c->faulted++;
        c->mA = scalar_invalid(VALIDITY_IMPLAUSIBLE);
    } else {
        c->mA = mA;
        c->age_ms = 0;
    }
}
