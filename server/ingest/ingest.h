/* SPDX-License-Identifier: Apache-2.0 */
/* ingest.h -- the ingest threads: ring -> check -> one transaction -> acks -> fleet table and events.
 *
 * A batch is what the ring holds, at most --batch-records or --batch-ms old. Only a committed batch is acknowledged; a database that is away makes
 * the thread try the same batch again, 0.1 s to 5 s apart, while the ring fills behind it. Two threads, each with a connection of its own: one decodes
 * while the other waits for its COMMIT. Batches are published in the order in which they were taken.
 */
#ifndef SERVER_INGEST_H
#define SERVER_INGEST_H

#include "server/api/events.h"
#include "server/api/fleet.h"
#include "server/config.h"
#include "server/ingest/ack.h"
#include "server/ingest/ring.h"

struct ingest;

struct ingest_parts { /* all borrowed until ingest_stop() returns */
    const struct config *config;
    struct ring *ring;
    struct fleet *fleet;
    const struct events *events;
    ack_fn *publish; /* sends the acks; called on the ingest threads */
    void *publish_ctx;
    /* A record was refused: its device, "" when the topic names none. May be NULL. */
    void (*on_refused)(void *ctx, const char *device);
    void *refused_ctx;
    /* After the fleet table took a newer sample: the downlink looks whether its parameters changed. May be NULL. */
    void (*on_newer)(void *ctx, const struct fleet_vehicle *vehicle);
    void *newer_ctx;
};

/* Start the threads. NULL when there is no memory. */
struct ingest *ingest_start(const struct ingest_parts *parts);

/* Close the ring, finish what is in it (at most about 2 s when the database is away), join, free. */
void ingest_stop(struct ingest *ingest);

#endif
