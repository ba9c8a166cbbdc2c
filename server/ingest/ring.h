/* SPDX-License-Identifier: Apache-2.0 */
/* ring.h -- messages on their way from the MQTT thread to the ingest thread: in order, bounded in number and in bytes.
 *
 * One or more threads push, one at a time pops. push copies; a full ring makes it wait, and that wait is the back-pressure towards the broker.
 */
#ifndef SERVER_RING_H
#define SERVER_RING_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct ring_message {
    struct ring_message *next; /* private */
    int64_t received_ms;       /* UTC, given by the pusher */
    size_t topic_len, size;
    uint8_t *bytes; /* payload, size bytes, behind the topic in the same block */
    char topic[];   /* topic_len bytes and a 0 */
};

struct ring;

/* NULL when there is no memory. A message larger than max_bytes is still taken by an empty ring. */
struct ring *ring_create(size_t max_records, size_t max_bytes);
void ring_destroy(struct ring *ring);

/* Copy a message in. Waits at most wait_ms for room. Returns 0, BMS_ERR_TIMEOUT (no room came), BMS_ERR_NOSPACE (no memory) or BMS_ERR_STATE (closed). */
int ring_push(struct ring *ring, const char *topic, size_t topic_len, const uint8_t *bytes, size_t size, int64_t received_ms, int wait_ms);

/* Take up to max messages, oldest first, once there are `least` (1 to max) or wait_ms are over; nobody is woken for fewer. Returns their number. The
 * caller frees each with free(). */
size_t ring_pop(struct ring *ring, struct ring_message **out, size_t max, size_t least, int wait_ms);

/* Nothing goes in any more; what is in may be taken out. Wakes everybody. */
void ring_close(struct ring *ring);

size_t ring_count(struct ring *ring);

#endif
