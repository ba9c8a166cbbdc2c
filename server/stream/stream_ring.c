/* SPDX-License-Identifier: Apache-2.0 */
/* stream_ring.c -- see stream_ring.h. */
#include "server/stream/stream_ring.h"

#include "common/err.h"

#include <stdio.h>
#include <stdlib.h>

struct stream_text *stream_text_create(size_t len)
{
    struct stream_text *text = malloc(sizeof *text + len);

    if (text != NULL)
        *text = (struct stream_text) { .refs = 1, .len = len };
    return text;
}

void stream_text_release(struct stream_text *text)
{
    if (text != NULL && --text->refs == 0)
        free(text);
}

int stream_ring_init(struct stream_ring *ring, size_t events_max, size_t bytes_max)
{
    *ring = (struct stream_ring) { .events_max = events_max, .bytes_max = bytes_max, .first = 1, .next = 1 };
    ring->events = calloc(events_max, sizeof *ring->events);
    return ring->events == NULL ? BMS_ERR_NOSPACE : 0;
}

static void drop_oldest(struct stream_ring *ring)
{
    struct stream_event *e = &ring->events[ring->first % ring->events_max];

    ring->bytes -= e->text->len;
    stream_text_release(e->text);
    e->text = NULL;
    ring->first++;
}

void stream_ring_deinit(struct stream_ring *ring)
{
    while (ring->events != NULL && ring->first < ring->next)
        drop_oldest(ring);
    free(ring->events);
    ring->events = NULL;
}

void stream_ring_drop_before(struct stream_ring *ring, uint64_t id)
{
    while (ring->first < ring->next && ring->first < id)
        drop_oldest(ring);
}

void stream_ring_push(struct stream_ring *ring, unsigned to, const char *device, struct stream_text *text)
{
    while (ring->first < ring->next && (ring->next - ring->first == ring->events_max || ring->bytes + text->len > ring->bytes_max))
        drop_oldest(ring);
    struct stream_event *e = &ring->events[ring->next % ring->events_max];

    *e = (struct stream_event) { .id = ring->next, .to = to, .text = text };
    snprintf(e->device, sizeof e->device, "%s", device == NULL ? "" : device);
    ring->bytes += text->len;
    ring->next++;
}

struct stream_event *stream_ring_at(const struct stream_ring *ring, uint64_t id)
{
    return id < ring->first || id >= ring->next ? NULL : &ring->events[id % ring->events_max];
}
