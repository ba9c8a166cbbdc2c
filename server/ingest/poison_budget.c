/* SPDX-License-Identifier: Apache-2.0 */
/* poison_budget.c -- a bucket of tokens for each device and one for all, in thousandths. */
#include "server/ingest/poison_budget.h"

#include <stdio.h>
#include <string.h>

enum { ONE = 1000 };

static uint32_t hash(const char *text)
{
    uint32_t h = 2166136261u; /* FNV-1a */

    for (; *text; text++)
        h = (h ^ (uint8_t)*text) * 16777619u;
    return h;
}

static void fill(struct poison_bucket *b, int64_t burst, int64_t per_s, int64_t now_ms)
{
    int64_t full = burst * ONE, earned = (now_ms - b->at_ms) * per_s;

    if (b->at_ms == 0 || earned > full - b->left_milli)
        b->left_milli = full;
    else
        b->left_milli += earned;
    b->at_ms = now_ms;
}

bool poison_budget_take(struct poison_budget *b, const char *device, int64_t now_ms)
{
    size_t i = hash(device) % BUDGET_SLOTS;
    struct poison_bucket *own = &b->slot[i].bucket;

    if (strcmp(b->slot[i].device, device) != 0) {
        snprintf(b->slot[i].device, sizeof b->slot[i].device, "%s", device);
        own->at_ms = 0;
    }
    fill(own, BUDGET_BURST, BUDGET_PER_S, now_ms);
    fill(&b->all, BUDGET_ALL_BURST, BUDGET_ALL_PER_S, now_ms);
    if (own->left_milli < ONE || b->all.left_milli < ONE)
        return false;
    own->left_milli -= ONE;
    b->all.left_milli -= ONE;
    return true;
}
