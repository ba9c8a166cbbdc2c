/* SPDX-License-Identifier: Apache-2.0 */
/* router.h -- what came from the broker, to where it belongs: records to the gate, states into the fleet table, results to the downlink.
 * Runs on the MQTT thread. */
#ifndef SERVER_ROUTER_H
#define SERVER_ROUTER_H

#include "server/api/events.h"
#include "server/api/fleet.h"
#include "server/ingest/gate.h"

struct router { /* all borrowed */
    struct gate *gate;
    struct fleet *fleet;
    const struct events *events;
    /* A Result; copies what it needs. May be NULL. */
    void (*on_result)(void *ctx, const char *device, const uint8_t *bytes, size_t size);
    void *result_ctx;
};

/* For struct link_handler; ctx is the router. */
void router_take(void *ctx, const char *topic, size_t topic_len, const uint8_t *bytes, size_t size);

#endif
