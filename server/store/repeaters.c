/* SPDX-License-Identifier: Apache-2.0 */
/* repeaters.c -- see repeaters.h. */
#include "server/store/repeaters.h"

#include "common/name_hash.h"

#include <string.h>

static size_t set_of(uint64_t name)
{
    return name % (REPEATERS / REPEATERS_WAYS) * REPEATERS_WAYS;
}

void repeaters_add(struct repeaters *r, const char *device, int64_t now_ms)
{
    uint64_t name = name_hash(device, strlen(device));
    struct repeater *set = &r->one[set_of(name)], *place = set;

    for (size_t i = 0; i < REPEATERS_WAYS && place->name != name; i++)
        if (set[i].name == name || set[i].at_ms < place->at_ms)
            place = &set[i];
    *place = (struct repeater) { name, now_ms };
    r->until_ms = now_ms + REPEATERS_KEEP_MS;
}

bool repeaters_has(const struct repeaters *r, const char *device, int64_t now_ms)
{
    if (now_ms >= r->until_ms)
        return false; /* as nearly always */
    uint64_t name = name_hash(device, strlen(device));
    const struct repeater *set = &r->one[set_of(name)];

    for (size_t i = 0; i < REPEATERS_WAYS; i++)
        if (set[i].name == name)
            return now_ms - set[i].at_ms < REPEATERS_KEEP_MS;
    return false;
}
