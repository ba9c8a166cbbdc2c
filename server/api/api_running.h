/* SPDX-License-Identifier: Apache-2.0 */
/* api_running.h -- what a page needs of a vehicle's running parameters: the limit of each alarm, so that "4215 mV" can be said with
 * "(limit 4200 mV)", and the sample period.
 *
 * They are known when the board has reported them, and never guessed from a default. A cache of API_RUNNING_VEHICLES places (two vehicles may want the same
 * one; the later wins); who asks never waits: what is not there is read by a worker, and known the next time.
 */
#ifndef SERVER_API_RUNNING_H
#define SERVER_API_RUNNING_H

#include "server/api/api_view.h"
#include "server/http/http_pool.h"

#include <stdbool.h>

enum { API_RUNNING_VEHICLES = 4096, API_RUNNING_AGAIN_MS = 10000 };

struct api_running;

/* `workers` do the reading; borrowed. NULL when there is no memory. */
struct api_running *api_running_create(struct http_pool *workers);

/* The workers must have stopped. */
void api_running_destroy(struct api_running *running);

/* Copy what is known of the vehicle. `ask`: have it read when it is not known. Any thread. */
void api_running_get(struct api_running *running, const char *device, bool ask, struct view_running *out);

/* The vehicle has reported parameters: read them again. Any thread. */
void api_running_refresh(struct api_running *running, const char *device);

#endif
