/* SPDX-License-Identifier: Apache-2.0 */
/* http_route.h -- which row of the route table answers a request.
 *
 * Pure: no sockets, no MHD. A pattern is segments between slashes; a segment in braces takes any one non-empty segment:
 * `/api/v1/vehicles/{id}/ops`. Routes are few, so the table is walked in order.
 */
#ifndef SERVER_HTTP_ROUTE_H
#define SERVER_HTTP_ROUTE_H

#include <stdbool.h>
#include <stddef.h>

#define HTTP_PARAMS_MAX 2
#define HTTP_PARAM_SIZE 80 /* longest path parameter with its NUL; a longer one matches nothing */

enum access { ACCESS_PUBLIC, ACCESS_VIEWER, ACCESS_OPERATOR, ACCESS_ENGINEER, ACCESS_ADMIN };

struct http_exchange;

struct http_route {
    const char *method;  /* "GET"; HEAD is answered by the GET row */
    const char *pattern; /* "/api/v1/vehicles/{id}" */
    enum access access;  /* least role; ACCESS_PUBLIC asks for no session */
    bool csrf;           /* needs the header X-CSRF */
    bool pooled;         /* runs in the worker pool with a database connection; others run in the HTTP thread and must not wait */
    void (*handle)(struct http_exchange *ex);
};

struct http_match {
    const struct http_route *route; /* NULL: no row has this path and method */
    bool path_known;                /* a row has this path with another method */
    char param[HTTP_PARAMS_MAX][HTTP_PARAM_SIZE];
};

/* Find the row for `method` and `path` (without query). */
void http_route_find(const struct http_route *routes, size_t count, const char *method, const char *path, struct http_match *match);

/* The methods that `path` knows, as for the header Allow: "GET, POST". `allow[size]` is always terminated. */
void http_route_allow(const struct http_route *routes, size_t count, const char *path, char *allow, size_t size);

#endif
