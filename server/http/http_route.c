/* SPDX-License-Identifier: Apache-2.0 */
/* http_route.c -- see http_route.h. */
#include "server/http/http_route.h"

#include <string.h>

/* Compare one segment; a parameter is copied out. Both strings stand at the first byte of the segment. */
static bool segment_matches(const char *pattern, size_t pattern_len, const char *path, size_t path_len, struct http_match *match,
                            size_t *params)
{
    if (pattern[0] != '{')
        return pattern_len == path_len && memcmp(pattern, path, path_len) == 0;
    if (path_len == 0 || path_len >= HTTP_PARAM_SIZE || *params >= HTTP_PARAMS_MAX)
        return false;
    memcpy(match->param[*params], path, path_len);
    match->param[*params][path_len] = '\0';
    (*params)++;
    return true;
}

static bool path_matches(const char *pattern, const char *path, struct http_match *match)
{
    size_t params = 0;

    while (*pattern == '/' && *path == '/') {
        pattern++;
        path++;
        size_t a = strcspn(pattern, "/");
        size_t b = strcspn(path, "/");

        if (!segment_matches(pattern, a, path, b, match, &params))
            return false;
        pattern += a;
        path += b;
    }
    return *pattern == '\0' && *path == '\0';
}

static bool method_matches(const char *wanted, const char *method)
{
    return strcmp(wanted, method) == 0 || (strcmp(method, "HEAD") == 0 && strcmp(wanted, "GET") == 0);
}

void http_route_find(const struct http_route *routes, size_t count, const char *method, const char *path, struct http_match *match)
{
    *match = (struct http_match) { .route = NULL };
    for (size_t i = 0; i < count; i++) {
        if (!path_matches(routes[i].pattern, path, match))
            continue;
        match->path_known = true;
        if (method_matches(routes[i].method, method)) {
            match->route = &routes[i];
            return;
        }
    }
}

void http_route_allow(const struct http_route *routes, size_t count, const char *path, char *allow, size_t size)
{
    struct http_match scratch;
    size_t len = 0;

    allow[0] = '\0';
    for (size_t i = 0; i < count; i++) {
        size_t need = strlen(routes[i].method) + 2;

        if (!path_matches(routes[i].pattern, path, &scratch) || len + need >= size)
            continue;
        if (len > 0) {
            memcpy(allow + len, ", ", 3);
            len += 2;
        }
        strcpy(allow + len, routes[i].method);
        len += strlen(routes[i].method);
    }
}
