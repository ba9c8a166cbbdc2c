/* SPDX-License-Identifier: Apache-2.0 */
/* stream_topic.h -- what the hub remembers of each vehicle: who looks at it, and which events of it are the newest.
 *
 * A growing hash table by name. Pure, no lock; stream_hub.c owns it. Entries nobody uses are dropped by stream_topics_purge(), so pointers are good
 * until the next call that may add or purge.
 */
#ifndef SERVER_STREAM_TOPIC_H
#define SERVER_STREAM_TOPIC_H

#include "proto/topics.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct stream_topic {
    char device[DEVICE_NAME_MAX + 1]; /* "" = free */
    unsigned watchers;                /* streams that look at it */
    bool leased;                      /* the DTU has been asked for every sample */
    bool left;                        /* somebody looked at it before */
    int row_state;                    /* of the last row that was sent; -1 = none */
    uint64_t left_ms;                 /* when the last stream left */
    uint64_t row_ms;                  /* when the last row was sent */
    uint64_t used_ms;
    uint64_t newest_row, newest_frame; /* numbers of their events, 0 = none */
};

struct stream_topics {
    struct stream_topic *slots;
    size_t size, count; /* size is a power of two */
};

/* Returns 0 or BMS_ERR_NOSPACE. */
int stream_topics_init(struct stream_topics *topics);
void stream_topics_deinit(struct stream_topics *topics);

/* NULL when the name is not there. */
struct stream_topic *stream_topic_find(struct stream_topics *topics, const char *device);

/* Find or add; NULL when there is no memory or there are a million. */
struct stream_topic *stream_topic_get(struct stream_topics *topics, const char *device);

/* Drop what nobody watches and was not used since before_ms. */
void stream_topics_purge(struct stream_topics *topics, uint64_t before_ms);

#endif
