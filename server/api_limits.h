/* SPDX-License-Identifier: Apache-2.0 */
/* api_limits.h -- the running limit of each alarm of a vehicle, so that "4215 mV" can be said with "(limit 4200 mV)".
 *
 * The limits are parameters of the board: they are known when the board has reported them, and never guessed from a default. A cache of at most
 * API_LIMITS_VEHICLES; a vehicle that is not in it is asked for in the database by a worker (api_limits_load), until then its limits are not known.
 */
#ifndef SERVER_API_LIMITS_H
#define SERVER_API_LIMITS_H

#include "server/api_view.h"
#include "server/db.h"

#include <stdbool.h>

enum { API_LIMITS_VEHICLES = 4096 };

struct api_limits;

/* NULL when there is no memory. */
struct api_limits *api_limits_create(void);
void api_limits_destroy(struct api_limits *limits);

/* Copy what is known. False: not in the cache, it should be loaded; *out then knows nothing. Any thread. */
bool api_limits_get(struct api_limits *limits, const char *device, struct view_limits *out);

/* Read the reported parameters of the vehicle and keep its limits. In a worker. */
void api_limits_load(struct api_limits *limits, struct db *db, const char *device);

#endif
