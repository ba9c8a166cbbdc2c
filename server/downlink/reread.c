/* SPDX-License-Identifier: Apache-2.0 */
/* reread.c -- a list of those that differ, with a back-off each. */
#include "server/downlink/reread.h"

#include <stdio.h>
#include <string.h>

bool reread_differs(const struct fleet_vehicle *v)
{
    const struct fleet_reported *r = &v->reported;
    int32_t running = v->sample.scalar[SAMPLE_param_running_hash], stored = v->sample.scalar[SAMPLE_param_stored_hash];

    if (scalar_validity(running) != VALIDITY_OK && scalar_validity(stored) != VALIDITY_OK)
        return false;
    return !r->known || r->boot != v->sample.boot || r->running_hash != (uint32_t)running || r->stored_hash != (uint32_t)stored;
}

bool reread_wanted(struct rereads *r, const char *device, bool differs, bool known, int64_t now_ms)
{
    size_t i = 0;

    while (i < r->count && strcmp(r->items[i].device, device) != 0)
        i++;
    if (!differs) {
        if (i < r->count)
            r->items[i] = r->items[--r->count];
        return false;
    }
    if (i == REREADS_MAX)
        return false; /* its turn comes when others are read */
    struct reread *item = &r->items[i];

    if (i == r->count) {
        r->count++;
        snprintf(item->device, sizeof item->device, "%s", device);
        item->due_ms = now_ms + (known ? REREAD_PATIENCE_MS : 0);
        item->wait_ms = REREAD_MIN_MS;
    }
    if (now_ms < item->due_ms)
        return false;
    item->due_ms = now_ms + item->wait_ms;
    item->wait_ms = item->wait_ms * 2 > REREAD_MAX_MS ? REREAD_MAX_MS : item->wait_ms * 2;
    return true;
}
