/* SPDX-License-Identifier: Apache-2.0 */
/* poison_budget.c -- one bucket of tokens for each device, in thousandths. */
#include "server/poison_budget.h"

#include <stdio.h>
#include <string.h>

enum { FULL = BUDGET_BURST * 1000, ONE = 1000 };

static uint32_t hash(const char *text)
{
    uint32_t h = 2166136261u; /* FNV-1a */

    for (; *text; text++)
        h = (h ^ (uint8_t)*text) * 16777619u;
    return h;
}

bool poison_budget_take(struct poison_budget *b, const char *device, int64_t now_ms)
{
    size_t i = hash(device) % BUDGET_SLOTS;

    if (b->slot[i].at_ms == 0 || strcmp(b->slot[i].device, device) != 0) {
        snprintf(b->slot[i].device, sizeof b->slot[i].device, "%s", device);
        b->slot[i].left_milli = FULL;
        b->slot[i].at_ms = now_ms;
    }
    int64_t earned = (now_ms - b->slot[i].at_ms) * BUDGET_PER_S;

    b->slot[i].at_ms = now_ms;
    b->slot[i].left_milli = earned > FULL - b->slot[i].left_milli ? FULL : b->slot[i].left_milli + earned;
    if (b->slot[i].left_milli < ONE)
        return false;
    b->slot[i].left_milli -= ONE;
    return true;
}
