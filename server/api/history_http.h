/* SPDX-License-Identifier: Apache-2.0 */
/* history_http.h -- the query of get_history (openapi.yaml): which series, from when to when, how wide. */
#ifndef SERVER_HISTORY_HTTP_H
#define SERVER_HISTORY_HTTP_H

#include "server/history/history.h"
#include "server/http/http.h"

/* The query into *h, whose buckets are made. False: answered, nothing to free. */
bool history_http_parse(struct http_exchange *ex, struct history *h);

#endif
