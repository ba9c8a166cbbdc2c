/* SPDX-License-Identifier: Apache-2.0 */
/* stream_ring.h -- the newest events, by number. Pure, no lock; stream_hub.c owns it.
 *
 * Numbers start at 1 and grow by one. The oldest go first when there are too many or they are too long. Texts are counted references, so a
 * reader in the middle of one keeps it although the ring has let it go.
 */
#ifndef SERVER_STREAM_RING_H
#define SERVER_STREAM_RING_H

#include "proto/topics.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct stream_text {
    unsigned refs;
    size_t len;
    char bytes[];
};

struct stream_event {
    uint64_t id;
    unsigned to;
    bool replaced; /* a newer one of its kind and vehicle is in the ring */
    char device[DEVICE_NAME_MAX + 1];
    struct stream_text *text;
};

struct stream_ring {
    struct stream_event *events; /* events[id % events_max] */
    size_t events_max, bytes_max;
    size_t bytes;
    uint64_t first, next; /* the oldest number that is there; the number of the next one */
};

/* Returns 0 or BMS_ERR_NOSPACE. */
int stream_ring_init(struct stream_ring *ring, size_t events_max, size_t bytes_max);
void stream_ring_deinit(struct stream_ring *ring);

/* Take over `text` (one reference). */
void stream_ring_push(struct stream_ring *ring, unsigned to, const char *device, struct stream_text *text);

/* Let go of all that is older than this number. */
void stream_ring_drop_before(struct stream_ring *ring, uint64_t id);

/* The event with this number; NULL when it is gone or not there yet. */
struct stream_event *stream_ring_at(const struct stream_ring *ring, uint64_t id);

/* NULL when there is no memory. */
struct stream_text *stream_text_create(size_t len);
void stream_text_release(struct stream_text *text);

#endif
