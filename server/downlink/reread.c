/* SPDX-License-Identifier: Apache-2.0 */
/* reread.c -- those that differ, by a hash of their names, with a back-off each. */
#include "server/downlink/reread.h"

#include <assert.h>
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

static_assert((REREAD_SLOTS & (REREAD_SLOTS - 1)) == 0, "differences of slots wrap");

/* Where the search for a device begins; FNV-1a. */
static size_t home_of(const char *device)
{
    uint32_t hash = 2166136261u;

    for (; *device != '\0'; device++)
        hash = (hash ^ (uint8_t)*device) * 16777619u;
    return hash % REREAD_SLOTS;
}

/* The device's slot, or the free one where it would go. Ends, as half of the slots are free. */
static size_t slot_of(const struct rereads *r, const char *device)
{
    size_t i = home_of(device);

    while (r->items[i].device[0] != '\0' && strcmp(r->items[i].device, device) != 0)
        i = (i + 1) % REREAD_SLOTS;
    return i;
}

/* Free a slot. Those behind it that a search would no longer reach move up, so that there are no marks of what was. */
static void drop(struct rereads *r, size_t hole)
{
    for (size_t i = (hole + 1) % REREAD_SLOTS; r->items[i].device[0] != '\0'; i = (i + 1) % REREAD_SLOTS) {
        size_t from_home = (i - home_of(r->items[i].device)) % REREAD_SLOTS;

        if (from_home < (i - hole) % REREAD_SLOTS)
            continue;
        r->items[hole] = r->items[i];
        hole = i;
    }
    r->items[hole].device[0] = '\0';
    r->count--;
}

bool reread_wanted(struct rereads *r, const char *device, bool differs, bool known, int64_t now_ms)
{
    size_t i = slot_of(r, device);
    struct reread *item = &r->items[i];
    bool is_new = item->device[0] == '\0';

    if (!differs && !is_new)
        drop(r, i);
    if (!differs || (is_new && r->count == REREADS_MAX)) /* when full: its turn comes when others are read */
        return false;
    if (is_new) {
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
