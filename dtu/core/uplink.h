/* SPDX-License-Identifier: Apache-2.0 */
/* uplink.h -- publishes the journal until the server has acknowledged it.
 *
 * What the broker says (PUBACK) means only that the broker has the message; a record is free when the server names it in `down/ack`. So
 * every published record keeps a slot of the window until then, and is published again when no acknowledgement comes within UPLINK_ACK_MS
 * (doubling up to UPLINK_ACK_MAX_MS), or at once on a new connection. While the server acknowledges nothing at all, one record each
 * UPLINK_PROBE_MS asks whether it is back; its first acknowledgement makes all others that are late due:
 *
 *   FREE --chosen--> WIRE --PUBACK--> BROKER --down/ack--> FREE
 *                     ^                  |
 *                     +---- time over ---+
 *
 * Two records take turns: the oldest one that is waiting (back-fill) and the newest ones (live), so that after an outage somebody who looks
 * sees the present while the past is filled in. A server that does not acknowledge stops the window, not the journal.
 *
 * A server that lost records asks for them (uplink_refill()): they go out when nothing else waits, in a part of the window, acknowledged before or not,
 * as far as the journal still has them.
 */
#ifndef DTU_CORE_UPLINK_H
#define DTU_CORE_UPLINK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "dtu/core/journal.h"
#include "proto/record.h"

enum {
    UPLINK_WINDOW = 128,
    UPLINK_ACK_MS = 10000,
    UPLINK_ACK_MAX_MS = 160000,
    UPLINK_PROBE_MS = 5000,
    UPLINK_BUFFERS_MAX = 16,
    UPLINK_RANGES_MAX = 256,
    UPLINK_REFILL_WINDOW = 32
};

struct uplink_port { /* the MQTT client, or a test */
    void *ctx;
    /* Take payload[n], borrowed until uplink_published(token). Returns 0, or an error when there is no room now. */
    int (*publish)(void *ctx, const uint8_t *payload, size_t n, uint32_t token);
};

enum uplink_state { UPLINK_FREE, UPLINK_WIRE, UPLINK_BROKER };

struct uplink_slot {
    uint64_t seq;
    uint32_t at_ms;   /* when it was last handed to the client */
    uint32_t wait_ms; /* for its acknowledgement */
    uint8_t state;    /* enum uplink_state */
    uint8_t buffer;
    bool acked;  /* by the server, while still on the wire */
    bool refill; /* asked for again */
};

struct uplink_counts { /* since init; read them */
    uint32_t published, again, refused, foreign_acks, bad_acks, acked;
};

struct uplink_refill { /* records first .. last are asked for again */
    bool running;
    uint64_t next, last; /* next: not looked at yet */
    uint64_t served;     /* handed to the client */
};

struct uplink { /* allocated by the caller, fields private but for counts */
    struct journal *journal;
    struct uplink_port port;
    uint8_t (*buffer)[RECORD_MAX];
    size_t buffers;
    uint32_t used;     /* bit per buffer */
    uint64_t back;     /* next candidate of the back-fill */
    uint64_t live;     /* next candidate of the live records */
    bool turn;         /* live is next */
    uint32_t heard_ms; /* last acknowledgement that freed a record, or the connection */
    uint32_t probe_ms;
    struct uplink_slot slot[UPLINK_WINDOW];
    struct uplink_refill refill;
    struct uplink_counts counts;
};

/* buffer[buffers] (1 to UPLINK_BUFFERS_MAX): records on the wire. All borrowed. Returns 0 or BMS_ERR_RANGE. */
int uplink_init(struct uplink *u, struct journal *journal, const struct uplink_port *port, uint8_t (*buffer)[RECORD_MAX], size_t buffers);

/* A new session with the broker: all that is not acknowledged is due again, the newest first among the live ones. */
void uplink_connected(struct uplink *u, uint32_t now_ms);

/* While connected, at least every 100 ms and after each append. Publishes what the client takes. */
void uplink_step(struct uplink *u, uint32_t now_ms);

/* The client is done with a token: taken by the broker, or refused. */
void uplink_published(struct uplink *u, uint32_t token, bool taken);

/* Publish first .. last (both included) again; what was asked for before is forgotten. */
void uplink_refill(struct uplink *u, uint64_t first, uint64_t last);

/* True when nothing is asked for, and once all that was asked for and could be read is acknowledged. */
bool uplink_refill_is_done(const struct uplink *u);

/* Give up: nothing more of it is sent. */
void uplink_refill_stop(struct uplink *u);

/* The payload of `down/ack` (cw.Ack), as it came from outside. Returns how many records are now free, or BMS_ERR_CORRUPT. */
int uplink_ack(struct uplink *u, const uint8_t *payload, size_t n, uint32_t now_ms);

#endif
