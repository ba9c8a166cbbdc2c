/* SPDX-License-Identifier: Apache-2.0 */
/* api.h -- the HTTP side of the server: REST under /api/v1, the event stream, the console's files, health and metrics.
 *
 * Reads the fleet table, listens to `events`, asks the downlink; talks to the database through connections of its own. The contract is
 * proto/openapi.yaml. Threads: one for HTTP, a few workers, one that keeps time (stream_hub.h); none of them calls into ingest.
 */
#ifndef SERVER_API_H
#define SERVER_API_H

#include "server/api/events.h"
#include "server/api/fleet.h"
#include "server/config.h"
#include "server/downlink/downlink.h"

#define API_VERSION "0.1.0" /* `build` in /session and in the stream's hello */

struct api;

struct api_parts { /* all borrowed until api_stop() returns */
    const struct config *config;
    struct fleet *fleet;
    struct downlink *downlink; /* NULL in tests: operations answer 503 */
    struct events *events;     /* the API adds its listener */
};

/* Call before the threads that notify events start, after the migrations. Returns 0; BMS_ERR_RANGE for a bad listen address; BMS_ERR_IO when the port is
 * taken; BMS_ERR_NOSPACE without memory. A database that is away is no error: requests answer 503 until it is there. */
int api_start(struct api **api, const struct api_parts *parts);

/* The port it listens on (the one that was chosen when --listen says 0). */
unsigned api_port(const struct api *api);

/* End the streams, answer what is under way, free. The listener stays in `events` until then: stop ingest and downlink first. */
void api_stop(struct api *api);

#endif
