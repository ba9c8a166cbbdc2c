/* SPDX-License-Identifier: Apache-2.0 */
#include "local/app/serve.h"

#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "common/err.h"

enum { TOKEN_BYTES = 32, STREAMS_MAX = 32, TIMER_MS = 100, STOP_MS = 2000 };

#define VERSION "0.1.0" /* `build` in the stream's hello */

bool serve_is_loopback(const char *listen)
{
    return (strncmp(listen, "127.", 4) == 0 && listen[strspn(listen, "0123456789.")] == ':') || strncmp(listen, "[::1]:", 6) == 0 ||
           strncmp(listen, "localhost:", 10) == 0;
}

/* A page of another name that was made to point here (DNS rebinding) carries that name in Host. */
bool serve_is_our_host(const char *host, unsigned port)
{
    static const char *const names[] = { "localhost", "[::1]", "127.0.0.1" };
    char ours[32];

    for (size_t i = 0; host != NULL && i < sizeof(names) / sizeof(names[0]); i++) {
        snprintf(ours, sizeof(ours), "%s:%u", names[i], port);
        if (strcmp(host, ours) == 0)
            return true;
    }
    return false;
}

bool serve_is_our_origin(const char *origin, unsigned port)
{
    static const char scheme[] = "http://";

    return origin == NULL || (strncmp(origin, scheme, strlen(scheme)) == 0 && serve_is_our_host(origin + strlen(scheme), port));
}

static bool is_named_right(struct http_exchange *ex)
{
    struct serve *s = ex->ctx;

    if (!serve_is_our_origin(http_header(ex, "Origin"), http_port(s->http))) {
        http_problem(ex, 403, "origin", NULL, "this program answers its own pages alone");
        return false;
    }
    if (serve_is_our_host(http_header(ex, "Host"), http_port(s->http)))
        return true;
    http_problem(ex, 421, "host", NULL, "this program answers only to the name of this computer: 127.0.0.1 or localhost");
    return false;
}

/* A page of another site can make the browser ask without an Origin (an image, a form), but not hide that it did (Fetch Metadata). */
static bool is_from_elsewhere(struct http_exchange *ex)
{
    const char *site = http_header(ex, "Sec-Fetch-Site");

    return site != NULL && strcmp(site, "same-origin") != 0 && strcmp(site, "none") != 0;
}

static enum http_guard guard(struct http_exchange *ex)
{
    struct serve *s = ex->ctx;
    const char *csrf = http_header(ex, "X-CSRF");

    if (!is_named_right(ex))
        return HTTP_REFUSED;
    if (is_from_elsewhere(ex)) {
        http_problem(ex, 403, "origin", NULL, "this program answers its own pages alone");
        return HTTP_REFUSED;
    }
    if (ex->match.route->csrf &&
        (csrf == NULL || strlen(csrf) != strlen(s->token) || sodium_memcmp(csrf, s->token, strlen(s->token)) != 0)) {
        http_problem(ex, 403, "csrf", NULL, "the header X-CSRF must hold the token of /session");
        return HTTP_REFUSED;
    }
    ex->user = (struct http_user) { .name = "cable", .tenant = "*", .access = ACCESS_ENGINEER, .ends_at_ms = INT64_MAX / 2, .session = 1 };
    memcpy(ex->user.csrf, s->token, sizeof(ex->user.csrf));
    return HTTP_PASS;
}

static void pages(struct http_exchange *ex)
{
    struct serve *s = ex->ctx;

    if (is_named_right(ex))
        static_answer(&s->files, ex);
}

static void running(void *ctx, const char *device, bool ask, struct view_running *out)
{
    struct serve *s = ctx;

    (void)device;
    (void)ask; /* they are read by the board's thread anyway */
    *out = (struct view_running) { .sample_period_ms = 0 };
    if (s->board != NULL)
        board_running(s->board, out);
}

static void *keep_time(void *arg)
{
    struct serve *s = arg;

    while (!atomic_load(&s->stopping)) {
        stream_tick(s->hub, http_clock_ms(), http_utc_ms());
        nanosleep(&(struct timespec) { .tv_nsec = TIMER_MS * 1000000L }, NULL);
    }
    return NULL;
}

int serve_init(struct serve *s, const struct serve_config *config, char *why, size_t n)
{
    struct stream_hub_config hub = { STREAMS_MAX, STREAMS_MAX, VERSION, s, NULL };
    unsigned char token[TOKEN_BYTES];

    memset(s, 0, sizeof(*s));
    s->config = *config;
    s->files.folder = -1;
    if (!serve_is_loopback(config->listen)) {
        snprintf(why, n, "--listen must be an address of this computer alone, such as 127.0.0.1:8090, not '%s'", config->listen);
        return BMS_ERR_RANGE;
    }
    if (sodium_init() < 0 || (s->hub = stream_hub_create(&hub)) == NULL) {
        snprintf(why, n, "no memory");
        return BMS_ERR_NOSPACE;
    }
    randombytes_buf(token, sizeof(token));
    sodium_bin2hex(s->token, sizeof(s->token), token, sizeof(token));
    s->teller = (struct api_teller) { s->hub, s, running, NULL };
    if (catalogue_read(&s->catalogue, config->catalogue) != 0 || s->catalogue.bytes == NULL) {
        snprintf(why, n, "the catalogue '%s' cannot be read", config->catalogue);
        return BMS_ERR_IO;
    }
    if (static_open(&s->files, config->web) != 0) {
        snprintf(why, n, "the pages in '%s' cannot be read", config->web);
        return BMS_ERR_IO;
    }
    s->files.index = "local.html";
    return BMS_ERR_OK;
}

int serve_start(struct serve *s, struct board *board, char *why, size_t n)
{
    struct http_config http = { .listen = s->config.listen,
                                .routes = serve_routes,
                                .route_count = serve_route_count,
                                .ctx = s,
                                .octets_max = SERVE_IMAGE_MAX,
                                .guard = guard,
                                .fallback = pages };

    s->board = board;
    int err = http_start(&s->http, &http);

    if (err != BMS_ERR_OK) {
        snprintf(why, n, "cannot listen on %s: %s", s->config.listen, err == BMS_ERR_IO ? "the port is taken" : bms_err_text(err));
        return err;
    }
    s->timer_runs = pthread_create(&s->timer, NULL, keep_time, s) == 0;
    return s->timer_runs ? BMS_ERR_OK : BMS_ERR_NOSPACE;
}

unsigned serve_port(const struct serve *s)
{
    return http_port(s->http);
}

static void end_streams(struct serve *s)
{
    uint64_t began = http_clock_ms();

    http_quiesce(s->http);
    do {
        stream_end_all(s->hub);
        nanosleep(&(struct timespec) { .tv_nsec = 10000000 }, NULL);
    } while (stream_count(s->hub) > 0 && http_clock_ms() - began < STOP_MS);
}

void serve_stop(struct serve *s)
{
    atomic_store(&s->stopping, true);
    if (s->timer_runs)
        pthread_join(s->timer, NULL);
    if (s->http != NULL)
        end_streams(s);
    http_stop(s->http);
    static_close(&s->files);
    free(s->catalogue.bytes);
    if (s->hub != NULL)
        stream_hub_destroy(s->hub);
}
