/* SPDX-License-Identifier: Apache-2.0 */
/* api.c -- see api.h. The routes, start, stop, and the timer thread. */
#include "server/api/api.h"

#include "server/api/api_parts.h"
#include "server/log.h"

#include "common/err.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

#define V1 "/api/v1"

enum {
    WORKERS = 4,
    EXPORT_WORKERS = 2,
    STREAMS_MAX = 512,
    SESSION_STREAMS_MAX = 16,
    TIMER_MS = 100,
    ADMIN_TURNS = 20,
    SESSION_TURNS = 150,
    STOP_MS = 2000
};

/* clang-format off */
static const struct http_route routes[] = {
/*    method    path                                least role       csrf   pooled handler */
    { "POST",   V1 "/session",                      ACCESS_PUBLIC,   false, true,  api_sign_in },
    { "GET",    V1 "/session",                      ACCESS_VIEWER,   false, false, api_get_session },
    { "DELETE", V1 "/session",                      ACCESS_VIEWER,   true,  true,  api_sign_out },
    { "POST",   V1 "/session/password",             ACCESS_VIEWER,   true,  true,  api_change_own_password },
    { "GET",    V1 "/users",                        ACCESS_ADMIN,    false, true,  api_list_users },
    { "POST",   V1 "/users",                        ACCESS_ADMIN,    true,  true,  api_add_user },
    { "PATCH",  V1 "/users/{name}",                 ACCESS_ADMIN,    true,  true,  api_change_user },
    { "DELETE", V1 "/users/{name}",                 ACCESS_ADMIN,    true,  true,  api_remove_user },
    { "GET",    V1 "/fleet/summary",                ACCESS_VIEWER,   false, false, api_fleet_summary },
    { "GET",    V1 "/fleet/rows",                   ACCESS_VIEWER,   false, false, api_fleet_rows },
    { "GET",    V1 "/vehicles/{id}",                ACCESS_VIEWER,   false, false, api_get_vehicle },
    { "GET",    V1 "/vehicles/{id}/history",        ACCESS_VIEWER,   false, true,  api_get_history },
    { "GET",    V1 "/vehicles/{id}/gaps",           ACCESS_VIEWER,   false, true,  api_get_gaps },
    { "POST",   V1 "/vehicles/{id}/refill",         ACCESS_OPERATOR, true,  true,  api_start_refill },
    { "GET",    V1 "/vehicles/{id}/export",         ACCESS_VIEWER,   false, false, api_get_export },
    { "GET",    V1 "/vehicles/{id}/params",         ACCESS_VIEWER,   false, true,  api_get_params },
    { "POST",   V1 "/vehicles/{id}/ops",            ACCESS_OPERATOR, true,  true,  api_start_op },
    { "GET",    V1 "/ops/{op}",                     ACCESS_VIEWER,   false, true,  api_get_op },
    { "GET",    V1 "/catalogue",                    ACCESS_VIEWER,   false, false, api_get_catalogue },
    { "GET",    V1 "/stream",                       ACCESS_VIEWER,   false, false, api_open_stream },
    { "POST",   V1 "/stream/{sid}/topics",          ACCESS_VIEWER,   true,  false, api_set_topics },
    { "GET",    "/healthz",                         ACCESS_PUBLIC,   false, false, api_healthz },
    { "GET",    "/readyz",                          ACCESS_PUBLIC,   false, true,  api_readyz },
    { "GET",    "/metrics",                         ACCESS_PUBLIC,   false, false, api_metrics },
};
/* clang-format on */

static enum http_guard guard(struct http_exchange *ex)
{
    return auth_guard(api_of(ex)->auth, ex);
}

static void console(struct http_exchange *ex)
{
    static_answer(&api_of(ex)->files, ex);
}

static void watch(void *ctx, const char *device, bool on)
{
    struct api *api = ctx;

    if (api->parts.downlink != NULL && downlink_watch(api->parts.downlink, device, on) != 0)
        log_warn("api", "too many vehicles are being watched", "device=%s", device);
}

static void apply_admin(void *job, struct db *db)
{
    struct api *api = job;

    if (db != NULL)
        auth_admin_apply(api->auth, db->conn);
    atomic_store(&api->admin_queued, false);
}

void api_check_streams(struct api *api, struct db *db)
{
    uint64_t sessions[STREAMS_MAX];
    size_t count = stream_sessions(api->hub, sessions, STREAMS_MAX);

    for (size_t i = 0; db != NULL && i < count; i++) {
        if (auth_session_stands(db->conn, sessions[i]) == 0)
            stream_end_session(api->hub, sessions[i]);
    }
}

/* A stream must not outlive the right to it: whoever was signed out or disabled in another process is found here. */
static void check_sessions(void *job, struct db *db)
{
    api_check_streams(job, db);
}

/* Ticks of the streams, their sessions, and the administrator's password file. */
static void *keep_time(void *arg)
{
    struct api *api = arg;

    for (unsigned turn = 0; !atomic_load(&api->stopping); turn++) {
        stream_tick(api->hub, http_clock_ms(), http_utc_ms());
        if (turn % ADMIN_TURNS == 0 && auth_admin_is_due(api->auth) && !atomic_exchange(&api->admin_queued, true) &&
            !http_pool_submit(api->chores, apply_admin, api))
            atomic_store(&api->admin_queued, false);
        if (turn % SESSION_TURNS == SESSION_TURNS - 1)
            http_pool_submit(api->chores, check_sessions, api);
        nanosleep(&(struct timespec) { .tv_nsec = TIMER_MS * 1000000L }, NULL);
    }
    return NULL;
}

static void known_running(void *running, const char *device, bool ask, struct view_running *out)
{
    api_running_get(running, device, ask, out);
}

static void running_changed(void *running, const char *device)
{
    api_running_refresh(running, device);
}

/* Everything that does not run by itself. Returns 0 or a BMS_ERR_*. */
static int make_parts(struct api *api)
{
    const struct config *config = api->parts.config;
    struct stream_hub_config hub = { STREAMS_MAX, SESSION_STREAMS_MAX, API_VERSION, api, watch };

    int err = http_pool_start(&api->chores, 1, config->database);

    err = err != 0 ? err : http_pool_start(&api->exports, EXPORT_WORKERS, config->database);
    if (err != 0)
        return err;
    api->auth = auth_create(config->admin_password_file);
    api->hub = stream_hub_create(&hub);
    api->running = api_running_create(api->chores);
    if (api->auth == NULL || api->hub == NULL || api->running == NULL)
        return BMS_ERR_NOSPACE;
    api->teller = (struct api_teller) { api->hub, api->running, known_running, running_changed };
    if (static_open(&api->files, config->web) != 0)
        log_warn("api", "the console's folder cannot be opened", "folder=%s", config->web);
    if (catalogue_read(&api->catalogue, config->catalogue) != 0)
        log_warn("api", "the catalogue cannot be read", "file=%s", config->catalogue);
    return 0;
}

static int start_threads(struct api *api)
{
    struct http_config http = { .listen = api->parts.config->listen,
                                .pool = &http_pool_workers,
                                .database = api->parts.config->database,
                                .workers = WORKERS,
                                .routes = routes,
                                .route_count = sizeof routes / sizeof routes[0],
                                .ctx = api,
                                .guard = guard,
                                .fallback = console };
    int err = events_listen(api->parts.events, api_events_tell, &api->teller);

    if (err == 0) {
        err = http_start(&api->http, &http);
        if (err != 0)
            log_error("api", "cannot listen", "address=%s why='%s'", http.listen, bms_err_text(err));
    }
    if (err == 0) {
        api->timer_runs = pthread_create(&api->timer, NULL, keep_time, api) == 0;
        err = api->timer_runs ? 0 : BMS_ERR_IO;
    }
    return err;
}

int api_start(struct api **out, const struct api_parts *parts)
{
    struct api *api = calloc(1, sizeof *api);

    if (api == NULL)
        return BMS_ERR_NOSPACE;
    api->parts = *parts;
    api->files.folder = -1;
    int err = make_parts(api);

    if (err == 0)
        err = start_threads(api);
    if (err != 0) {
        api_stop(api);
        return err;
    }
    log_info("api", "listening", "address=%s port=%u", parts->config->listen, http_port(api->http));
    *out = api;
    return 0;
}

unsigned api_port(const struct api *api)
{
    return http_port(api->http);
}

/* The streams say goodbye; those that do not take it go with the daemon. */
static void end_streams(struct api *api)
{
    uint64_t began = http_clock_ms();

    http_quiesce(api->http);
    do {
        stream_end_all(api->hub);
        nanosleep(&(struct timespec) { .tv_nsec = 10000000 }, NULL);
    } while (stream_count(api->hub) > 0 && http_clock_ms() - began < STOP_MS);
}

void api_stop(struct api *api)
{
    if (api == NULL)
        return;
    atomic_store(&api->stopping, true);
    if (api->timer_runs)
        pthread_join(api->timer, NULL);
    if (api->http != NULL)
        end_streams(api);
    while (atomic_load(&api->exports_busy) > 0) /* ends with the statements' time-out at the latest */
        nanosleep(&(struct timespec) { .tv_nsec = 5000000 }, NULL);
    http_stop(api->http);
    http_pool_stop(api->exports);
    http_pool_stop(api->chores);
    static_close(&api->files);
    free(api->catalogue.bytes);
    api_running_destroy(api->running);
    stream_hub_destroy(api->hub);
    auth_destroy(api->auth);
    free(api);
}
