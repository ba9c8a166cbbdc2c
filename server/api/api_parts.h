/* SPDX-License-Identifier: Apache-2.0 */
/* api_parts.h -- what the api_*.c files share: the state behind `struct api`, and one handler for each route. Nobody else includes this. */
#ifndef SERVER_API_PARTS_H
#define SERVER_API_PARTS_H

#include "server/api/api.h"
#include "server/api/api_events.h"
#include "server/api/api_running.h"
#include "server/api/auth.h"
#include "server/api/catalogue.h"
#include "server/http/http.h"
#include "server/http/http_pool.h"
#include "server/http/static.h"
#include "server/stream/stream_hub.h"

#include <pthread.h>
#include <stdatomic.h>

struct api {
    struct api_parts parts;
    struct http *http;
    struct auth *auth;
    struct stream_hub *hub;
    struct api_teller teller;
    struct api_running *running;
    struct static_files files;
    struct catalogue catalogue;
    struct http_pool *chores;  /* one worker for what no request waits for: the administrator's password, what runs on the boards */
    struct http_pool *exports; /* reads the next pieces of the exports that are open */
    atomic_int exports_open, exports_busy; /* answers under way; of these, suspended until a worker is done */
    pthread_t timer;
    bool timer_runs;
    atomic_bool stopping;
    atomic_bool admin_queued;
};

static inline struct api *api_of(const struct http_exchange *ex)
{
    return ex->ctx;
}

/* api.c: end the streams whose sessions do not stand any more. */
void api_check_streams(struct api *api, struct db *db);

/* api_session.c */
void api_sign_in(struct http_exchange *ex);
void api_get_session(struct http_exchange *ex);
void api_sign_out(struct http_exchange *ex);

/* api_users.c */
void api_list_users(struct http_exchange *ex);
void api_add_user(struct http_exchange *ex);
void api_change_user(struct http_exchange *ex);
void api_remove_user(struct http_exchange *ex);
void api_change_own_password(struct http_exchange *ex);

/* api_fleet.c */
void api_fleet_summary(struct http_exchange *ex);
void api_fleet_rows(struct http_exchange *ex);

/* api_vehicle.c. The first answers 404 and returns false when the path's vehicle is not there or not the user's. */
bool api_vehicle_of(struct http_exchange *ex, struct fleet_vehicle *vehicle);
void api_get_vehicle(struct http_exchange *ex);
void api_get_params(struct http_exchange *ex);

/* api_history.c */
void api_get_history(struct http_exchange *ex);

/* api_refill.c */
void api_start_refill(struct http_exchange *ex);

/* api_gaps.c */
void api_get_gaps(struct http_exchange *ex);

/* api_export.c */
void api_get_export(struct http_exchange *ex);

/* api_ops.c */
void api_start_op(struct http_exchange *ex);
void api_get_op(struct http_exchange *ex);

/* api_stream.c */
void api_open_stream(struct http_exchange *ex);
void api_set_topics(struct http_exchange *ex);

/* api_health.c */
void api_get_catalogue(struct http_exchange *ex);
void api_healthz(struct http_exchange *ex);
void api_readyz(struct http_exchange *ex);
void api_metrics(struct http_exchange *ex);

#endif
