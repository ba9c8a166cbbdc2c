/* SPDX-License-Identifier: Apache-2.0 */
/* api_stream.c -- the routes of the event stream. */
#include "server/api/api_parts.h"
#include "server/stream/stream_http.h"

void api_open_stream(struct http_exchange *ex)
{
    stream_http_open(api_of(ex)->hub, ex);
}

void api_set_topics(struct http_exchange *ex)
{
    stream_http_topics(api_of(ex)->hub, ex);
}
