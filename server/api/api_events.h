/* SPDX-License-Identifier: Apache-2.0 */
/* api_events.h -- what happened (events.h), as events of the stream (stream_hub.h). Used by the server and by the local program.
 *
 * Runs in the thread that notifies: quick, and nothing is written that nobody reads.
 */
#ifndef SERVER_API_EVENTS_H
#define SERVER_API_EVENTS_H

#include "server/api/api_view.h"
#include "server/api/events.h"
#include "server/stream/stream_hub.h"

struct api_teller { /* borrowed as long as it listens */
    struct stream_hub *hub;
    void *ctx; /* of the next two */

    /* Copy what is known of the vehicle's running parameters; `ask`: have them read when they are not known. Must not wait. */
    void (*running)(void *ctx, const char *device, bool ask, struct view_running *out);

    /* The vehicle has reported other parameters. May be NULL. */
    void (*params_changed)(void *ctx, const char *device);
};

/* An event_fn; `teller` is a struct api_teller. */
void api_events_tell(void *teller, const struct event *event);

#endif
