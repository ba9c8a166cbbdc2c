/* SPDX-License-Identifier: Apache-2.0 */
/* stream_topic.c -- see stream_topic.h. */
#include "server/stream/stream_topic.h"

#include "common/err.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define FIRST_SIZE 256u
#define COUNT_MAX  1000000u

static size_t hash(const char *name)
{
    uint64_t h = 0xCBF29CE484222325u; /* FNV-1a */

    for (; *name != '\0'; name++)
        h = (h ^ (unsigned char)*name) * 0x100000001B3u;
    return (size_t)(h ^ h >> 32);
}

/* The name's slot, or the free one where it would go. */
static struct stream_topic *slot(struct stream_topic *slots, size_t size, const char *device)
{
    size_t i = hash(device) & (size - 1);

    while (slots[i].device[0] != '\0' && strcmp(slots[i].device, device) != 0)
        i = (i + 1) & (size - 1);
    return &slots[i];
}

int stream_topics_init(struct stream_topics *topics)
{
    *topics = (struct stream_topics) { .size = FIRST_SIZE };
    topics->slots = calloc(topics->size, sizeof *topics->slots);
    return topics->slots == NULL ? BMS_ERR_NOSPACE : 0;
}

void stream_topics_deinit(struct stream_topics *topics)
{
    free(topics->slots);
    topics->slots = NULL;
}

/* Move everything that is used after `before_ms` or watched into a table of `size`. */
static bool rebuild(struct stream_topics *topics, size_t size, uint64_t before_ms)
{
    struct stream_topics fresh = { .slots = calloc(size, sizeof *topics->slots), .size = size };

    if (fresh.slots == NULL)
        return false;
    for (size_t i = 0; i < topics->size; i++) {
        const struct stream_topic *t = &topics->slots[i];

        if (t->device[0] == '\0' || (t->watchers == 0 && !t->leased && t->used_ms < before_ms))
            continue;
        *slot(fresh.slots, size, t->device) = *t;
        fresh.count++;
    }
    free(topics->slots);
    *topics = fresh;
    return true;
}

struct stream_topic *stream_topic_find(struct stream_topics *topics, const char *device)
{
    struct stream_topic *t = slot(topics->slots, topics->size, device);

    return t->device[0] == '\0' ? NULL : t;
}

struct stream_topic *stream_topic_get(struct stream_topics *topics, const char *device)
{
    struct stream_topic *t = slot(topics->slots, topics->size, device);

    if (t->device[0] != '\0')
        return t;
    if (topics->count >= COUNT_MAX || (topics->count >= topics->size / 2 && !rebuild(topics, topics->size * 2, 0)))
        return NULL;
    t = slot(topics->slots, topics->size, device);
    t->row_state = -1;
    snprintf(t->device, sizeof t->device, "%s", device);
    topics->count++;
    return t;
}

void stream_topics_purge(struct stream_topics *topics, uint64_t before_ms)
{
    rebuild(topics, topics->size, before_ms);
}
