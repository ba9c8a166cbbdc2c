/* SPDX-License-Identifier: Apache-2.0 */
/* api_limits.h -- the running limit of each alarm of a vehicle, so that "4215 mV" can be said with "(limit 4200 mV)".
 *
 * The limits are parameters of the board: they are known when the board has reported them, and never guessed from a default. A cache of at most
 * API_LIMITS_VEHICLES; who asks never waits: what is not in it is read by a worker, and known the next time.
 */
#ifndef SERVER_API_LIMITS_H
#define SERVER_API_LIMITS_H

#include "server/api_view.h"
#include "server/http_pool.h"

enum { API_LIMITS_VEHICLES = 4096, API_LIMITS_AGAIN_MS = 10000 };

struct api_limits;

/* `workers` do the reading; borrowed. NULL when there is no memory. */
struct api_limits *api_limits_create(struct http_pool *workers);

/* The workers must have stopped. */
void api_limits_destroy(struct api_limits *limits);

/* Copy what is known of the vehicle; nothing is known before it was read. Any thread. */
void api_limits_get(struct api_limits *limits, const char *device, struct view_limits *out);

/* The vehicle has reported parameters: read its limits again. Any thread. */
void api_limits_refresh(struct api_limits *limits, const char *device);

#endif
