/* SPDX-License-Identifier: Apache-2.0 */
/* http.c -- see http.h. What libmicrohttpd calls, in the order in which it calls. */
#include "server/http/http.h"

#include "common/err.h"
#include "server/http/http_answer.h"
#include "server/http/http_listen.h"
#include "server/log.h"
#include "server/metrics.h"

#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <time.h>
#include <unistd.h>

#define CONNECTIONS_MAX   768u   /* below the usual limit of 1,024 descriptors, with room for files and database */
#define CONNECTION_MEMORY 16384u /* request line and headers of one connection, bytes */
#define IDLE_S            60u    /* a connection that neither sends nor takes anything */
#define DRAIN_TIMES       16u    /* how much of a body that is too long is still read, to be able to answer */
#define QUEUE_MS          5000u  /* a request that waited so long for a worker is not worth the work: who asked has given up */
#define STOP_WAIT_MS      2000u  /* answers under way when we stop */

struct http {
    struct http_config config;
    struct MHD_Daemon *daemon;
    struct http_pool *pool;
    MHD_socket listening; /* handed back by quiesce, MHD_INVALID_SOCKET before */
    unsigned port;
    atomic_uint_fast64_t next_id;
    atomic_int open; /* exchanges not yet completed */
};

int64_t http_utc_ms(void)
{
    struct timespec t;

    clock_gettime(CLOCK_REALTIME, &t);
    return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

uint64_t http_clock_ms(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return (uint64_t)t.tv_sec * 1000u + (uint64_t)t.tv_nsec / 1000000u;
}

static struct http_exchange *exchange_create(struct http *http, struct MHD_Connection *connection, const char *url)
{
    struct http_exchange *ex = calloc(1, sizeof *ex);

    if (ex == NULL)
        return NULL;
    ex->path = strdup(url);
    if (ex->path == NULL) {
        free(ex);
        return NULL;
    }
    ex->ctx = http->config.ctx;
    ex->connection = connection;
    ex->http = http;
    ex->began_ms = http_clock_ms();
    jsonw_init(&ex->out, HTTP_ANSWER_MAX);
    snprintf(ex->request_id, sizeof ex->request_id, "%016llx", (unsigned long long)atomic_fetch_add(&http->next_id, 1));
    http_peer_address(connection, ex->address, sizeof ex->address);
    atomic_fetch_add(&http->open, 1);
    return ex;
}

static void exchange_free(struct http_exchange *ex)
{
    atomic_fetch_sub(&ex->http->open, 1);
    if (ex->response != NULL && !ex->sent)
        MHD_destroy_response(ex->response);
    jsonw_deinit(&ex->out);
    free(ex->body);
    free(ex->path);
    free(ex);
}

/* No route: the fallback's paths, a wrong method, or nothing at all. */
static void answer_unrouted(struct http_exchange *ex, const char *method)
{
    const struct http_config *config = &ex->http->config;
    bool api = strncmp(ex->path, "/api/", 5) == 0 || strcmp(ex->path, "/api") == 0;
    bool reading = strcmp(method, "GET") == 0 || ex->head;

    if (ex->match.path_known) {
        http_route_allow(config->routes, config->route_count, ex->path, ex->allow, sizeof ex->allow);
        http_problem(ex, 405, "method_not_allowed", NULL, "this path does not know the method");
    } else if (api || config->fallback == NULL) {
        http_problem(ex, 404, "not_found", NULL, "there is nothing at this path");
    } else if (!reading) {
        snprintf(ex->allow, sizeof ex->allow, "GET, HEAD");
        http_problem(ex, 405, "method_not_allowed", NULL, "files can only be read");
    } else {
        config->fallback(ex);
    }
}

static bool is_octets(const struct http_exchange *ex)
{
    const char *type = http_header(ex, "Content-Type");

    return ex->http->config.octets_max > 0 && type != NULL && strcasecmp(type, "application/octet-stream") == 0;
}

/* Longest body that this request may have. */
static size_t body_max(const struct http_exchange *ex)
{
    return is_octets(ex) ? ex->http->config.octets_max : HTTP_BODY_MAX;
}

static void refuse_length(struct http_exchange *ex)
{
    char text[64];

    snprintf(text, sizeof text, "the body may have at most %zu bytes", body_max(ex));
    http_problem(ex, 413, "body_too_large", NULL, text);
}

/* What can be said before the body is read: true when the exchange is answered. */
static bool refuse_early(struct http_exchange *ex, const char *method)
{
    const struct http_config *config = &ex->http->config;
    const char *length = http_header(ex, "Content-Length");

    http_route_find(config->routes, config->route_count, method, ex->path, &ex->match);
    if (ex->match.route == NULL) {
        answer_unrouted(ex, method);
        return true;
    }
    enum http_guard verdict = config->guard == NULL ? HTTP_PASS : config->guard(ex);

    if (verdict == HTTP_REFUSED)
        return true;
    ex->guard_again = verdict == HTTP_ASK_DATABASE;
    if (length != NULL && strtoull(length, NULL, 10) > body_max(ex)) {
        refuse_length(ex);
        return true;
    }
    return false;
}

static bool has_body(const struct http_exchange *ex)
{
    const char *length = http_header(ex, "Content-Length");

    return http_header(ex, "Transfer-Encoding") != NULL || (length != NULL && strcmp(length, "0") != 0);
}

/* Keep a piece of the body. False: the peer sends without end, drop it. */
static bool take_body(struct http_exchange *ex, const char *data, size_t len)
{
    ex->body_len += len;
    size_t max = body_max(ex);

    if (ex->body_len > max)
        return ex->body_len <= DRAIN_TIMES * max;
    if (ex->body_len + 1 > ex->body_cap) {
        size_t cap = ex->body_cap == 0 ? 1024 : ex->body_cap;

        while (cap < ex->body_len + 1)
            cap *= 2;
        char *body = realloc(ex->body, cap);

        if (body == NULL)
            return false;
        ex->body = body;
        ex->body_cap = cap;
    }
    memcpy(ex->body + ex->body_len - len, data, len);
    ex->body[ex->body_len] = '\0';
    return true;
}

static bool refuse_body(struct http_exchange *ex)
{
    const char *type = http_header(ex, "Content-Type");

    if (ex->body_len > body_max(ex)) {
        refuse_length(ex);
        return true;
    }
    if (ex->body_len > 0 && !is_octets(ex) && (type == NULL || strncasecmp(type, "application/json", 16) != 0)) {
        http_problem(ex, 415, "not_json", NULL, "the body must be application/json");
        return true;
    }
    return false;
}

/* The worker's part. The connection is suspended: nobody else looks at the exchange. */
static void run_pooled(void *job, struct db *db)
{
    struct http_exchange *ex = job;
    struct MHD_Connection *connection = ex->connection;

    ex->db = db;
    if (db == NULL) {
        ex->retry_after_s = 2;
        http_problem(ex, 503, "database_away", NULL, "the database cannot be reached; try again");
    } else if (http_clock_ms() - ex->began_ms > QUEUE_MS) {
        ex->retry_after_s = 2;
        http_problem(ex, 503, "busy", NULL, "too many requests wait for the database; try again");
    } else if (!ex->guard_again || ex->http->config.guard(ex) == HTTP_PASS) {
        ex->match.route->handle(ex);
    }
    ex->db = NULL;
    MHD_resume_connection(connection);
}

static void run(struct http_exchange *ex)
{
    if (!ex->match.route->pooled && !ex->guard_again) {
        ex->match.route->handle(ex);
        return;
    }
    ex->suspended = true;
    MHD_suspend_connection(ex->connection);
    if (ex->http->pool != NULL && ex->http->config.pool->submit(ex->http->pool, run_pooled, ex))
        return;
    ex->retry_after_s = 1;
    http_problem(ex, 503, "busy", NULL, "too many requests wait for the database; try again");
    MHD_resume_connection(ex->connection);
}

static enum MHD_Result on_request(void *cls, struct MHD_Connection *connection, const char *url, const char *method, const char *version,
                                  const char *data, size_t *size, void **con_cls)
{
    struct http_exchange *ex = *con_cls;

    (void)version;
    if (ex == NULL) {
        ex = exchange_create(cls, connection, url);
        if (ex == NULL)
            return MHD_NO;
        *con_cls = ex;
        ex->head = strcmp(method, "HEAD") == 0;
        ex->answered = refuse_early(ex, method);
        /* An answer now ends the connection, as what follows is not read: right for a body nobody wants, wrong for a request without one. */
        return ex->answered && has_body(ex) ? http_answer_send(ex) : MHD_YES;
    }
    if (*size > 0) {
        bool taken = take_body(ex, data, *size);

        *size = 0;
        return taken ? MHD_YES : MHD_NO;
    }
    if (!ex->answered && !ex->suspended && !refuse_body(ex)) {
        run(ex);
        if (ex->suspended)
            return MHD_YES; /* called again when the connection is resumed */
    }
    return http_answer_send(ex);
}

static void on_completed(void *cls, struct MHD_Connection *connection, void **con_cls, enum MHD_RequestTerminationCode code)
{
    struct http_exchange *ex = *con_cls;

    (void)cls;
    (void)connection;
    (void)code;
    if (ex == NULL)
        return;
    metrics_add(ex->status >= 500 ? METRIC_HTTP_5XX : ex->status >= 400 ? METRIC_HTTP_4XX : METRIC_HTTP_OK, 1);
    if (ex->response == NULL)
        metrics_observe(METRIC_HTTP_MS, (int64_t)(http_clock_ms() - ex->began_ms));
    log_debug("http", "request", "id=%s user=%s address=%s path=%s status=%u ms=%llu", ex->request_id, ex->user.name, ex->address, ex->path,
              ex->status, (unsigned long long)(http_clock_ms() - ex->began_ms));
    exchange_free(ex);
    *con_cls = NULL;
}

static void on_library_log(void *cls, const char *format, va_list args)
{
    char text[256];

    (void)cls;
    vsnprintf(text, sizeof text, format, args);
    log_debug("http", "libmicrohttpd", "text=\"%s\"", text);
}

static struct MHD_Daemon *daemon_start(struct http *http, const struct sockaddr *address)
{
    unsigned flags = MHD_USE_EPOLL_INTERNAL_THREAD | MHD_ALLOW_SUSPEND_RESUME | MHD_USE_ERROR_LOG;

    if (address->sa_family == AF_INET6)
        flags |= MHD_USE_IPv6;
    /* The logger goes first, so that it hears about the other options. No address reuse is asked for: two servers on one port would share it. */
    return MHD_start_daemon(flags, 0, NULL, NULL, on_request, http, MHD_OPTION_EXTERNAL_LOGGER, on_library_log, NULL, MHD_OPTION_SOCK_ADDR,
                            address, MHD_OPTION_NOTIFY_COMPLETED, on_completed, NULL, MHD_OPTION_CONNECTION_LIMIT, CONNECTIONS_MAX,
                            MHD_OPTION_CONNECTION_MEMORY_LIMIT, (size_t)CONNECTION_MEMORY, MHD_OPTION_CONNECTION_TIMEOUT, IDLE_S,
                            MHD_OPTION_STRICT_FOR_CLIENT, 1, MHD_OPTION_END);
}

int http_start(struct http **out, const struct http_config *config)
{
    struct sockaddr_storage address;
    struct http *http = calloc(1, sizeof *http);
    int err = http == NULL ? BMS_ERR_NOSPACE : http_listen_address(config->listen, &address);

    if (err != 0) {
        free(http);
        return err;
    }
    http->config = *config;
    http->listening = MHD_INVALID_SOCKET;
    atomic_init(&http->next_id, (uint64_t)http_utc_ms() << 20);
    err = config->pool == NULL ? 0 : config->pool->start(&http->pool, config->workers, config->database);
    http->daemon = err == 0 ? daemon_start(http, (struct sockaddr *)&address) : NULL;
    if (http->daemon == NULL) {
        if (config->pool != NULL && http->pool != NULL)
            config->pool->stop(http->pool);
        free(http);
        return err != 0 ? err : BMS_ERR_IO;
    }
    const union MHD_DaemonInfo *info = MHD_get_daemon_info(http->daemon, MHD_DAEMON_INFO_LISTEN_FD);

    http->port = info == NULL ? 0 : http_listen_port(info->listen_fd);
    *out = http;
    return 0;
}

unsigned http_port(const struct http *http)
{
    return http->port;
}

void http_quiesce(struct http *http)
{
    if (http->listening == MHD_INVALID_SOCKET)
        http->listening = MHD_quiesce_daemon(http->daemon);
}

void http_stop(struct http *http)
{
    if (http == NULL)
        return;
    http_quiesce(http);
    if (http->pool != NULL)
        http->config.pool->stop(http->pool);
    uint64_t began = http_clock_ms();

    while (atomic_load(&http->open) > 0 && http_clock_ms() - began < STOP_WAIT_MS)
        nanosleep(&(struct timespec) { .tv_nsec = 5000000 }, NULL);
    MHD_stop_daemon(http->daemon);
    if (http->listening != MHD_INVALID_SOCKET)
        close(http->listening);
    free(http);
}
