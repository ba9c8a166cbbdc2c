/* SPDX-License-Identifier: Apache-2.0 */
/* stream_http.c -- see stream_http.h. */
#include "server/stream/stream_http.h"

#include "server/api/api_input.h"

#include "common/err.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { BLOCK = 8192 }; /* bytes asked for at once */

/* What libmicrohttpd hands back for an open stream. */
struct open_stream {
    struct stream_hub *hub;
    struct MHD_Connection *connection;
    struct stream *stream;
};

static void on_sleep(void *ctx)
{
    struct open_stream *o = ctx;

    MHD_suspend_connection(o->connection);
}

static void on_wake(void *ctx)
{
    struct open_stream *o = ctx;

    MHD_resume_connection(o->connection);
}

static ssize_t on_read(void *ctx, uint64_t at, char *out, size_t size)
{
    struct open_stream *o = ctx;
    long len = stream_read(o->hub, o->stream, out, size);

    (void)at;
    return len < 0 ? MHD_CONTENT_READER_END_OF_STREAM : len;
}

static void on_free(void *ctx)
{
    struct open_stream *o = ctx;

    stream_close(o->hub, o->stream, http_clock_ms());
    free(o);
}

/* The comma list of the query; topics that are none are left out, as the stream must not fail for an old link. */
static void topics_of_query(struct http_exchange *ex, struct input_topics *out)
{
    const char *at = http_query(ex, "topics");

    out->count = 0;
    while (at != NULL && *at != '\0' && out->count < INPUT_TOPICS_MAX) {
        size_t len = strcspn(at, ",");
        char *topic = out->topics[out->count];

        if (len < INPUT_TOPIC_SIZE) {
            snprintf(topic, INPUT_TOPIC_SIZE, "%.*s", (int)len, at);
            out->count += input_topic_is_valid(topic);
        }
        at += len + (at[len] == ',');
    }
}

static size_t pointers(const struct input_topics *in, const char *list[INPUT_TOPICS_MAX])
{
    for (size_t i = 0; i < in->count; i++)
        list[i] = in->topics[i];
    return in->count;
}

static void answer_stream(struct http_exchange *ex, struct open_stream *o)
{
    ex->response = MHD_create_response_from_callback(MHD_SIZE_UNKNOWN, BLOCK, on_read, o, on_free);
    if (ex->response == NULL) {
        on_free(o);
        http_problem(ex, 503, "no_memory", NULL, "no further stream can be opened now");
        return;
    }
    ex->status = 200;
    MHD_add_response_header(ex->response, "Content-Type", "text/event-stream");
    MHD_add_response_header(ex->response, "Cache-Control", "no-store");
    MHD_add_response_header(ex->response, "X-Accel-Buffering", "no"); /* for proxies that would hold events back */
}

void stream_http_open(struct stream_hub *hub, struct http_exchange *ex)
{
    struct input_topics topics;
    const char *list[INPUT_TOPICS_MAX];
    struct open_stream *o = calloc(1, sizeof *o);
    struct stream_request request = { .session = ex->user.session,
                                      .tenant = ex->user.tenant,
                                      .ends_at_ms = ex->user.ends_at_ms,
                                      .last_id = http_header(ex, "Last-Event-ID"),
                                      .ctx = o,
                                      .sleep = on_sleep,
                                      .wake = on_wake };
    int err = o == NULL ? BMS_ERR_NOSPACE : stream_open(hub, &request, &o->stream);

    if (err != 0) {
        free(o);
        ex->retry_after_s = 5;
        http_problem(ex, err == BMS_ERR_STATE ? 429 : 503, "too_many_streams", NULL, "close another window and try again");
        return;
    }
    o->hub = hub;
    o->connection = ex->connection;
    topics_of_query(ex, &topics);
    stream_set_topics(hub, o->stream, list, pointers(&topics, list), http_clock_ms());
    answer_stream(ex, o);
}

void stream_http_topics(struct stream_hub *hub, struct http_exchange *ex)
{
    struct input_topics in;
    struct input_problem problem;
    const char *list[INPUT_TOPICS_MAX];

    if (input_topics(ex->body, ex->body_len, &in, &problem) != 0)
        http_problem(ex, 400, problem.code, problem.field[0] == '\0' ? NULL : problem.field, problem.detail);
    else if (stream_set_topics_by_sid(hub, ex->match.param[0], ex->user.session, list, pointers(&in, list), http_clock_ms()) != 0)
        http_problem(ex, 404, "no_such_stream", NULL, "there is no open stream with this id; open one");
    else
        ex->status = 204;
}
