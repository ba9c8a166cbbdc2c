/* SPDX-License-Identifier: Apache-2.0 */
/* lane.h -- the fast lane: a connection to the broker of its own for what comes in masses, records and results in, acks out (ADR-0013).
 *
 * One thread reads, hands on, and writes; it connects again after a failure, 0.5 s to 30 s apart. A message is handed on where it lies in the receive
 * buffer and gets its PUBACK when the handler returns; while the handler waits for room nothing else is read: that is the back-pressure. The broker
 * may have --receive-max messages under way to us. Clean start, session expiry 0, the broker's name checked, as in link.h, which carries states and commands.
 */
#ifndef SERVER_LANE_H
#define SERVER_LANE_H

#include "server/config.h"
#include "server/ingest/link.h"

struct lane;

/* Starts the thread. `cfg` is borrowed. NULL when there is no memory or the options cannot work (logged). */
struct lane *lane_start(const struct config *cfg, const struct link_handler *handler);

/* No more messages are handed on (after the running one); publishing still works. */
void lane_pause(struct lane *lane);

/* Send what waits and disconnect, at most wait_ms, and free. NULL is allowed. */
void lane_stop(struct lane *lane, int wait_ms);

/* QoS 1, any thread, not blocking. Returns 0, BMS_ERR_STATE while not connected, BMS_ERR_NOSPACE when too much is under way. What was under way
 * when the connection ends is lost; those who sent it send again. */
int lane_publish(struct lane *lane, const char *topic, const uint8_t *bytes, size_t size);

#endif
