/* SPDX-License-Identifier: Apache-2.0 */
/* serve.h -- the vehicle pages of one board over HTTP: the routes of openapi.yaml that these pages use, and the console's files.
 *
 * Only for this computer (docs/adr/0011): it listens on a loopback address, answers only requests that name it (Host) and come from its own pages
 * (Origin, where the browser tells it), and takes a write only with
 * the token of this start in X-CSRF, which a page of another origin can neither read nor send. There is no login.
 */
#ifndef LOCAL_APP_SERVE_H
#define LOCAL_APP_SERVE_H

#include "local/app/board.h"
#include "server/api/api_events.h"
#include "server/api/catalogue.h"
#include "server/http/static.h"

#include <pthread.h>
#include <stdatomic.h>

enum { SERVE_TOKEN_SIZE = 65, SERVE_IMAGE_MAX = 16 << 20 };

struct serve_config {
    const char *listen;    /* a loopback address, "127.0.0.1:8090" */
    const char *web;       /* folder of the built console */
    const char *catalogue; /* catalogue.json */
};

struct serve {
    struct serve_config config;
    struct board *board; /* borrowed */
    struct http *http;
    struct stream_hub *hub;
    struct api_teller teller;
    struct catalogue catalogue;
    struct static_files files;
    char token[SERVE_TOKEN_SIZE];
    pthread_t timer;
    bool timer_runs;
    atomic_bool stopping;
};

/* Prepare all but the listening, so that the board can tell `serve->teller`. 0, or BMS_ERR_* with why[n]. */
int serve_init(struct serve *s, const struct serve_config *config, char *why, size_t n);

/* Listen. BMS_ERR_RANGE for an address that is not of this computer alone, BMS_ERR_IO when the port is taken. */
int serve_start(struct serve *s, struct board *board, char *why, size_t n);
unsigned serve_port(const struct serve *s);
void serve_stop(struct serve *s);

/* Is `listen` a loopback address? Is `host` (a Host header) a name of it, with this port? Pure. */
bool serve_is_loopback(const char *listen);
bool serve_is_our_host(const char *host, unsigned port);

/* Does a request with this Origin header (NULL: without one) come from our own pages? Pure. */
bool serve_is_our_origin(const char *origin, unsigned port);

/* serve_routes.c */
extern const struct http_route serve_routes[];
extern const size_t serve_route_count;
bool serve_is_our_vehicle(struct http_exchange *ex); /* else the answer says that there is only one */
const char *serve_work_word(enum board_work work);

/* serve_tables.c */
void serve_get_tables(struct http_exchange *ex);
void serve_read_tables(struct http_exchange *ex);

#endif
