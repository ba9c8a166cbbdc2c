/* SPDX-License-Identifier: Apache-2.0 */
/* http.h -- requests in, answers out, on libmicrohttpd.
 *
 * One HTTP thread (epoll) reads requests and writes answers; it never waits for anything else. A route that needs the database is
 * `pooled`: the connection is suspended, a worker (http_pool.h) runs the handler with its own database connection, and the answer
 * goes out when the connection is resumed. What this module knows nothing of: users (the `guard` decides) and routes (a table).
 *
 *   request --> route --> guard --> body --> handler in the HTTP thread ------------> answer
 *                 |         |        |        or suspended, handler in the pool ---->
 *               404/405  401/403  413/415
 *
 * Bounds: connections, connections of one address, memory of a connection, body, idle time, all in http.c.
 * Every error is application/problem+json with the request's id, which is also in the header X-Request-Id of every answer.
 */
#ifndef SERVER_HTTP_H
#define SERVER_HTTP_H

#include "server/http/http_route.h"
#include "server/http/jsonw.h"

#include <microhttpd.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define HTTP_BODY_MAX     65536u      /* longest request body, bytes */
#define HTTP_ANSWER_MAX   (16u << 20) /* longest answer built in memory, bytes */
#define HTTP_ADDRESS_SIZE 64          /* the peer's address as text */

struct db;
struct http;
struct http_pool;

/* Who asks; filled by the guard. */
struct http_user {
    char name[65];
    char tenant[65]; /* "*" sees every tenant */
    char csrf[65];
    enum access access;
    int64_t ends_at_ms; /* UTC */
    uint64_t session;   /* names the session among those open now */
};

/* One request and its answer. Handlers read the first part and fill the second. */
struct http_exchange {
    void *ctx; /* of http_config */
    struct MHD_Connection *connection;
    struct http_match match;
    char *path; /* decoded, without the query */
    bool head;  /* HEAD: the body is not sent */
    char *body; /* NUL terminated, NULL when there is none */
    size_t body_len;
    struct db *db; /* the worker's; NULL in the HTTP thread */
    struct http_user user;
    char request_id[17];
    char address[HTTP_ADDRESS_SIZE];

    unsigned status;               /* 0 until answered */
    struct jsonw out;              /* the body, unless `response` is set */
    const char *content_type;      /* of `out`; application/json unless set */
    struct MHD_Response *response; /* an answer made by the handler itself; http.c releases it */
    char location[128];            /* header Location when not empty */
    char cookie[256];              /* header Set-Cookie when not empty */
    char allow[64];                /* header Allow when not empty */
    int retry_after_s;             /* header Retry-After when > 0 */
    const char *etag;              /* header ETag when set: the answer may be kept and asked for again; borrowed until sent */

    struct http *http; /* private to http.c from here on */
    size_t body_cap;
    uint64_t began_ms;
    bool answered, sent, suspended, guard_again;
};

enum http_guard { HTTP_PASS, HTTP_REFUSED, HTTP_ASK_DATABASE };

/* Where pooled routes run: http_pool_workers (http_pool.h), or none for a server without them. */
struct http_workers {
    int (*start)(struct http_pool **pool, unsigned workers, const char *conninfo);
    bool (*submit)(struct http_pool *pool, void (*run)(void *job, struct db *db), void *job);
    void (*stop)(struct http_pool *pool);
};

struct http_config {
    const char *listen;              /* "127.0.0.1:8080", "[::1]:8080", ":8080"; port 0 takes a free one */
    const struct http_workers *pool; /* NULL: no route is pooled and no guard asks the database */
    const char *database;
    unsigned workers;
    const struct http_route *routes;
    size_t route_count;
    void *ctx; /* handed to guard and handlers */

    size_t octets_max; /* longest body of application/octet-stream, bytes; 0 = only JSON is taken, up to HTTP_BODY_MAX */

    /* Decide who may pass. REFUSED: the problem is already in `ex`. ASK_DATABASE (only when ex->db is NULL): call again in a worker. */
    enum http_guard (*guard)(struct http_exchange *ex);

    /* Answers every path that does not begin with /api/ and is no route. NULL: 404. */
    void (*fallback)(struct http_exchange *ex);
};

/* Listen and serve. Returns 0, BMS_ERR_RANGE for a bad address, BMS_ERR_IO when the port or memory is not to be had. */
int http_start(struct http **http, const struct http_config *config);

/* The port it listens on. */
unsigned http_port(const struct http *http);

/* No new connections, but those that are open go on. Before http_stop(), so that streams can end. */
void http_quiesce(struct http *http);

/* Finish what runs in the pool, close everything, free `http`. Suspended streams must have been ended before. */
void http_stop(struct http *http);

/* Query argument, header and cookie of the request; NULL when absent. Borrowed for the life of the exchange. */
const char *http_query(const struct http_exchange *ex, const char *name);
const char *http_header(const struct http_exchange *ex, const char *name);
const char *http_cookie(const struct http_exchange *ex, const char *name);

/* Query argument as an integer. Returns 1 and *value; 0 when absent (*value untouched); BMS_ERR_RANGE when it is no number in min..max. */
int http_query_int(const struct http_exchange *ex, const char *name, int64_t min, int64_t max, int64_t *value);

/* Answer with a problem document. `field` may be NULL. What was in `out` is dropped. */
void http_problem(struct http_exchange *ex, unsigned status, const char *code, const char *field, const char *detail);

/* The head of a problem document with members still open, for handlers that add `problems`; the caller closes the object. */
void http_problem_open(struct http_exchange *ex, unsigned status, const char *code, const char *field, const char *detail);

/* UTC now, milliseconds since 1970; and a clock that never jumps. */
int64_t http_utc_ms(void);
uint64_t http_clock_ms(void);

#endif
