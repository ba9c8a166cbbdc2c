/* SPDX-License-Identifier: Apache-2.0 */
/* outbox.h -- messages to be published, handed to a thread of their own.
 *
 * Paho holds its one lock while it delivers a message to us. A publisher would wait for that delivery; and when the delivery waits for room in the
 * ring, and the ring for the ingest thread, and that for its acks to go out, everything stands until a time-out. So nobody who has other duties
 * calls Paho: they put the message here and go on. Bounded; what does not fit is refused, which for acks and commands only means "again later".
 */
#ifndef SERVER_OUTBOX_H
#define SERVER_OUTBOX_H

#include <stddef.h>
#include <stdint.h>

struct outbox;

/* Called on the outbox's thread, one at a time, in order. Its errors are not told to anybody: see above. */
typedef void outbox_fn(void *ctx, const char *topic, const uint8_t *bytes, size_t size);

/* Start the thread. NULL when there is no memory. */
struct outbox *outbox_create(size_t max_messages, outbox_fn *fn, void *ctx);

/* Copy a message in; never waits. Returns 0 or BMS_ERR_NOSPACE. */
int outbox_put(struct outbox *outbox, const char *topic, const uint8_t *bytes, size_t size);

/* Drop what waits: the connection is gone. */
void outbox_clear(struct outbox *outbox);

/* Wait at most wait_ms until all is handed out. */
void outbox_drain(struct outbox *outbox, int wait_ms);

/* Stop after the running message, drop the rest, free. */
void outbox_destroy(struct outbox *outbox);

#endif
