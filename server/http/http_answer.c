/* SPDX-License-Identifier: Apache-2.0 */
/* http_answer.c -- see http_answer.h; also the problem documents and the request's arguments of http.h. */
#include "server/http/http_answer.h"

#include "common/err.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <zlib.h>

#define GZIP_MIN    1024u /* bytes; below, the header costs more than it saves */
#define GZIP_LEVEL  1     /* the time is taken from the HTTP thread */
#define GZIP_WINDOW 31    /* 15 bits, with the gzip header */

static const char *title_of(unsigned status)
{
    static const struct {
        unsigned status;
        const char *title;
    } titles[] = {
        { 400, "Bad request" },         { 401, "Not signed in" },     { 403, "Not permitted" },     { 404, "Not found" },
        { 405, "Method not allowed" },  { 409, "Conflict" },          { 413, "Body too large" },    { 415, "Unsupported media type" },
        { 422, "Values not accepted" }, { 429, "Too many requests" }, { 500, "The server failed" }, { 503, "Not available now" },
    };

    for (size_t i = 0; i < sizeof titles / sizeof titles[0]; i++) {
        if (titles[i].status == status)
            return titles[i].title;
    }
    return "Error";
}

void http_problem_open(struct http_exchange *ex, unsigned status, const char *code, const char *field, const char *detail)
{
    ex->status = status;
    ex->content_type = "application/problem+json";
    jsonw_reset(&ex->out);
    jsonw_object(&ex->out);
    jsonw_member_str(&ex->out, "type", "about:blank");
    jsonw_member_str(&ex->out, "title", title_of(status));
    jsonw_member_uint(&ex->out, "status", status);
    jsonw_member_str(&ex->out, "code", code);
    if (field != NULL)
        jsonw_member_str(&ex->out, "field", field);
    jsonw_member_str(&ex->out, "detail", detail);
    jsonw_member_str(&ex->out, "request_id", ex->request_id);
}

void http_problem(struct http_exchange *ex, unsigned status, const char *code, const char *field, const char *detail)
{
    http_problem_open(ex, status, code, field, detail);
    jsonw_object_end(&ex->out);
}

const char *http_query(const struct http_exchange *ex, const char *name)
{
    return MHD_lookup_connection_value(ex->connection, MHD_GET_ARGUMENT_KIND, name);
}

const char *http_header(const struct http_exchange *ex, const char *name)
{
    return MHD_lookup_connection_value(ex->connection, MHD_HEADER_KIND, name);
}

const char *http_cookie(const struct http_exchange *ex, const char *name)
{
    return MHD_lookup_connection_value(ex->connection, MHD_COOKIE_KIND, name);
}

int http_query_int(const struct http_exchange *ex, const char *name, int64_t min, int64_t max, int64_t *value)
{
    const char *text = http_query(ex, name);
    char *end = NULL;

    if (text == NULL)
        return 0;
    errno = 0;
    long long number = strtoll(text, &end, 10);

    if (end == text || *end != '\0' || errno != 0 || number < min || number > max || text[0] == ' ' || text[0] == '+')
        return BMS_ERR_RANGE;
    *value = number;
    return 1;
}

/* Replace `out` by its gzip form. False: left as it was. */
static bool gzip(struct jsonw *out)
{
    z_stream z = { .zalloc = NULL };

    if (deflateInit2(&z, GZIP_LEVEL, Z_DEFLATED, GZIP_WINDOW, 8, Z_DEFAULT_STRATEGY) != Z_OK)
        return false;
    uLong bound = deflateBound(&z, (uLong)out->len);
    unsigned char *packed = malloc(bound);

    z.next_in = (unsigned char *)out->buf;
    z.avail_in = (uInt)out->len;
    z.next_out = packed;
    z.avail_out = (uInt)bound;
    bool done = packed != NULL && deflate(&z, Z_FINISH) == Z_STREAM_END;
    size_t len = z.total_out;

    deflateEnd(&z);
    if (!done) {
        free(packed);
        return false;
    }
    free(out->buf);
    out->buf = (char *)packed;
    out->len = len;
    out->cap = bound;
    return true;
}

static bool accepts_gzip(const struct http_exchange *ex)
{
    const char *accept = http_header(ex, "Accept-Encoding");

    return accept != NULL && strstr(accept, "gzip") != NULL;
}

/* The body becomes the response's own. */
static struct MHD_Response *response_of(struct http_exchange *ex)
{
    bool packed = ex->out.len >= GZIP_MIN && accepts_gzip(ex) && gzip(&ex->out);
    struct MHD_Response *response = MHD_create_response_from_buffer(ex->out.len, ex->out.buf, MHD_RESPMEM_MUST_FREE);

    if (response == NULL)
        return NULL;
    ex->out.buf = NULL;
    jsonw_deinit(&ex->out);
    if (ex->status != 204 && ex->status != 304)
        MHD_add_response_header(response, "Content-Type", ex->content_type == NULL ? "application/json" : ex->content_type);
    if (packed)
        MHD_add_response_header(response, "Content-Encoding", "gzip");
    MHD_add_response_header(response, "Vary", "Accept-Encoding");
    MHD_add_response_header(response, "Cache-Control", ex->etag == NULL ? "no-store" : "no-cache");
    if (ex->etag != NULL)
        MHD_add_response_header(response, "ETag", ex->etag);
    return response;
}

static void add_headers(struct http_exchange *ex, struct MHD_Response *response)
{
    const struct {
        const char *name, *value;
    } headers[] = {
        { "X-Request-Id", ex->request_id },
        { "X-Content-Type-Options", "nosniff" },
        { "Location", ex->location },
        { "Set-Cookie", ex->cookie },
        { "Allow", ex->allow },
    };
    char seconds[16];

    for (size_t i = 0; i < sizeof headers / sizeof headers[0]; i++) {
        if (headers[i].value[0] != '\0')
            MHD_add_response_header(response, headers[i].name, headers[i].value);
    }
    if (ex->retry_after_s > 0) {
        snprintf(seconds, sizeof seconds, "%d", ex->retry_after_s);
        MHD_add_response_header(response, "Retry-After", seconds);
    }
}

enum MHD_Result http_answer_send(struct http_exchange *ex)
{
    if (ex->response == NULL && (ex->status == 0 || ex->out.failed))
        http_problem(ex, 500, "internal", NULL, "the answer could not be made");
    struct MHD_Response *response = ex->response == NULL ? response_of(ex) : ex->response;

    if (response == NULL)
        return MHD_NO;
    add_headers(ex, response);
    enum MHD_Result queued = MHD_queue_response(ex->connection, ex->status, response);

    MHD_destroy_response(response);
    ex->sent = true;
    return queued;
}
