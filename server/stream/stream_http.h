/* SPDX-License-Identifier: Apache-2.0 */
/* stream_http.h -- the event stream over HTTP: stream_hub.h on one side, a suspended connection on the other.
 *
 * Two handlers of openapi.yaml, open_stream and set_topics; ex->user says whose stream it is. In the HTTP thread.
 */
#ifndef SERVER_STREAM_HTTP_H
#define SERVER_STREAM_HTTP_H

#include "server/http/http.h"
#include "server/stream/stream_hub.h"

void stream_http_open(struct stream_hub *hub, struct http_exchange *ex);
void stream_http_topics(struct stream_hub *hub, struct http_exchange *ex);

#endif
