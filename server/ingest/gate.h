/* SPDX-License-Identifier: Apache-2.0 */
/* gate.h -- between the MQTT thread and the ring: nobody takes more than a share (server/ingest/share.h), so one device cannot make the others wait.
 *
 *   MQTT thread --> gate_take --share left--> ring
 *                       |                      ^
 *                       +--> line of the device --gate's thread, as the share fills again, one of each line in turn
 *                       |
 *                       +--> line full: left out
 *
 * Nothing is lost: a record in a line is acknowledged when it was stored, so a DTU's window holds it back; one that is left out is not acknowledged at
 * all and stays in the device's journal, which sends it again. Order within a device is kept.
 */
#ifndef SERVER_GATE_H
#define SERVER_GATE_H

#include "server/api/events.h"
#include "server/ingest/ring.h"
#include "server/ingest/share.h"

enum { GATE_LINES = 256, GATE_LINE_RECORDS = 256, GATE_BYTES_MAX = 16 << 20, GATE_TELL_MS = 60000 };

struct gate;

struct gate_parts { /* ring and events are borrowed until gate_stop() */
    struct ring *ring;
    const struct events *events; /* EVENT_SHARE: a device came over its share, then at most each GATE_TELL_MS */
    struct share_rate of_device, of_tenant;
};

/* Starts the thread. NULL when there is no memory. */
struct gate *gate_start(const struct gate_parts *parts);

/* What waits in lines is left to the journals. Join, free. */
void gate_stop(struct gate *gate);

struct gate_message {     /* borrowed for the call */
    const char *device;   /* its name, "" when the topic has none */
    const char *topic;    /* topic_len bytes, as it came */
    const uint8_t *bytes; /* size bytes */
    size_t topic_len, size;
    int64_t received_ms; /* UTC */
};

/* Copy a message in. Waits at most wait_ms for room in the ring. One thread at a time.
 * Returns 0 (in the ring or in a line), or why it was left out: BMS_ERR_NOSPACE (its line is full), or an error of ring_push(). */
int gate_take(struct gate *gate, const struct gate_message *message, int wait_ms);

/* A record of the device was refused. Any thread. */
void gate_refused(struct gate *gate, const char *device);

/* Records waiting in lines. */
size_t gate_waiting(struct gate *gate);

#endif
