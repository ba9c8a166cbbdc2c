/* SPDX-License-Identifier: Apache-2.0 */
/* watch.c -- a short list. */
#include "server/downlink/watch.h"

#include "common/err.h"

#include <stdio.h>
#include <string.h>

static struct watch *find(struct watches *w, const char *device)
{
    for (size_t i = 0; i < w->count; i++)
        if (strcmp(w->items[i].device, device) == 0)
            return &w->items[i];
    return NULL;
}

int watch_set(struct watches *w, const char *device, bool on, int64_t now_ms)
{
    struct watch *item = find(w, device);

    if (!on) {
        if (!item || item->lookers == 0)
            return BMS_ERR_UNKNOWN;
        if (--item->lookers == 0)
            item->due_ms = now_ms;
        return 0;
    }
    if (!item) {
        if (w->count == WATCHES_MAX || strlen(device) > DEVICE_NAME_MAX)
            return BMS_ERR_NOSPACE;
        item = &w->items[w->count++];
        memset(item, 0, sizeof *item);
        snprintf(item->device, sizeof item->device, "%s", device);
        item->due_ms = now_ms;
    }
    if (item->lookers++ == 0)
        item->due_ms = now_ms;
    return 0;
}

bool watch_next(struct watches *w, int64_t now_ms, char *device, uint32_t *seconds)
{
    for (size_t i = 0; i < w->count; i++) {
        struct watch *item = &w->items[i];

        if (item->due_ms > now_ms)
            continue;
        memcpy(device, item->device, sizeof item->device);
        *seconds = item->lookers ? WATCH_LEASE_S : 0;
        item->due_ms = now_ms + WATCH_RENEW_MS;
        if (!item->lookers)
            *item = w->items[--w->count];
        return true;
    }
    return false;
}
