/* SPDX-License-Identifier: Apache-2.0 */
#include "firmware/core/actuators/outputs.h"

#include "common/span.h"
#include "proto/tables.h"

enum { DA_PER_A = 10 };

void outputs_init(struct outputs *o)
{
    *o = (struct outputs) { 0 };
}

/* What the load of RL4 + i takes, whole amperes. */
static uint32_t load_A(unsigned i, const int32_t *params)
{
    int32_t dA = params[i == 0 ? PARAM_heat_current_dA : PARAM_output5_load_dA + (int)i - 1];

    return (uint32_t)(dA + DA_PER_A / 2) / DA_PER_A;
}

static void command(struct outputs *o, unsigned commanded, const int32_t *params)
{
    for (unsigned i = 0; i < OUTPUTS_WATCHED; i++)
        if ((commanded ^ o->commanded) >> i & 1u)
            wear_switch(&o->wear[i], commanded >> i & 1u, load_A(i, params));
    o->commanded = (uint8_t)commanded;
}

void outputs_wake(struct outputs *o, const int32_t *params)
{
    command(o, 0, params);
    o->driven = o->wrong = 0;
    o->welded = false;
    for (unsigned i = 0; i < OUTPUTS_WATCHED; i++)
        o->differ_ms[i] = 0;
}

/* commanded: bit 0 = RL4. */
static void read_back(struct outputs *o, unsigned commanded, const struct outputs_in *in)
{
    unsigned differs = (commanded ^ (unsigned)in->feedback >> OUTPUTS_FIRST) & (unsigned)in->params[PARAM_output_readback];

    o->wrong = 0;
    o->welded = false;
    for (unsigned i = 0; i < OUTPUTS_WATCHED; i++) {
        o->differ_ms[i] = differs >> i & 1u ? span_add(o->differ_ms[i], in->dt_ms) : 0;
        if (o->differ_ms[i] < (uint32_t)in->params[PARAM_relay_feedback_ms])
            continue;
        if (i == 0 && !(commanded & 1u))
            o->welded = true;
        else if (o->wrong == 0)
            o->wrong = (uint8_t)(OUTPUTS_FIRST + 1 + i);
    }
}

void outputs_step(struct outputs *o, const struct outputs_in *in)
{
    unsigned driven = 0;

    for (unsigned i = 0; i < OUTPUTS_FREE; i++) {
        int32_t role = in->params[PARAM_output5_role + (int)i];

        if (role > OUTPUT_NOTHING && role < OUTPUT_ROLES && in->on[role])
            driven |= 1u << i;
    }
    command(o, (in->heat ? 1u : 0u) | driven << 1, in->params);
    read_back(o, o->commanded, in);
    o->driven = (uint8_t)driven;
}
