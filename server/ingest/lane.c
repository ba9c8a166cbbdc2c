/* SPDX-License-Identifier: Apache-2.0 */
/* lane.c -- see lane.h. The thread owns the stream and the client; others see `letters` and three flags. */
#include "server/ingest/lane.h"

#include "common/err.h"
#include "proto/topics.h"
#include "server/clock.h"
#include "server/host.h"
#include "server/ingest/letters.h"
#include "server/ingest/mqtt_bulk.h"
#include "server/ingest/tls_wire.h"
#include "server/log.h"
#include "server/metrics.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <time.h>
#include <unistd.h>

enum {
    IN_SIZE = 512 * 1024, /* the broker's largest message is 256 kB */
    OUT_SIZE = 256 * 1024,
    LETTERS_SIZE = 8 * 1024 * 1024,
    READ_MAX = 128 * 1024, /* bytes handed on before what became due is sent */
    SEND_MS = 50,          /* or so much time, when the handler is slow */
    NAP_US = 1000,         /* after something came, see nap() */
    KEEP_ALIVE_S = 20,
    ANSWER_MS = 10000,
    STEP_MS = 250,
    BACKOFF_MIN_MS = 500,
    BACKOFF_MAX_MS = 30000,
};

struct lane {
    const struct config *cfg;
    struct link_handler handler;
    struct letters *letters;
    struct tls_wire *wire;
    struct bulk bulk;
    uint8_t *in, *out;
    char id[80];
    int port;
    int wake_fd; /* letters, or the end */
    int64_t sent_at_ms;
    pthread_t thread;
    _Atomic bool up, paused, stopping;
    _Atomic int64_t stop_at_ms; /* monotonic; written before `stopping` */
};

static uint32_t now32(void)
{
    return (uint32_t)clock_mono_ms();
}

static void wake(struct lane *l)
{
    uint64_t one = 1;

    if (write(l->wake_fd, &one, sizeof one) < 0)
        log_debug("lane", "cannot wake", "fd=%d", l->wake_fd);
}

static void set_up(struct lane *l, bool up)
{
    l->up = up;
    metrics_set(METRIC_LANE_UP, up);
}

/* Letters into packets, packets into the stream. False when the stream has ended. */
static bool send_all(struct lane *l)
{
    struct letter letter;
    int err = 0, rc = 1;
    size_t n = 0;

    while (!err && letters_first(l->letters, &letter)) {
        err = bulk_publish(&l->bulk, letter.topic, letter.bytes, letter.size);
        if (err == BMS_ERR_RANGE)
            log_warn("lane", "cannot be sent", "topic=%s size=%zu", letter.topic, letter.size);
        if (err == BMS_ERR_RANGE || !err) {
            letters_done(l->letters);
            err = 0;
        }
    }
    for (const uint8_t *p = bulk_output(&l->bulk, &n); n > 0 && rc > 0; p = bulk_output(&l->bulk, &n)) {
        rc = tls_wire_write(l->wire, p, n);
        if (rc > 0)
            bulk_sent(&l->bulk, (size_t)rc);
    }
    l->sent_at_ms = clock_mono_ms();
    return rc >= 0;
}

static void on_message(void *ctx, const char *topic, size_t topic_n, const uint8_t *payload, size_t n)
{
    struct lane *l = ctx;

    if (!l->paused)
        l->handler.on_message(l->handler.ctx, topic, topic_n, payload, n);
    if (clock_mono_ms() - l->sent_at_ms >= SEND_MS)
        send_all(l); /* an ended stream shows at the next read */
}

/* What is there, up to READ_MAX. Returns its bytes, or BMS_ERR_IO. */
static int read_all(struct lane *l)
{
    int sum = 0;

    while (sum < READ_MAX) {
        size_t n = 0;
        uint8_t *p = bulk_room(&l->bulk, &n);
        int rc = n > 0 ? tls_wire_read(l->wire, p, n) : 0;

        if (rc < 0)
            return rc;
        if (rc == 0)
            break;
        sum += rc;
        bulk_got(&l->bulk, (size_t)rc, now32());
    }
    return sum;
}

static void see_state(struct lane *l)
{
    enum bulk_state state = bulk_step(&l->bulk, now32());

    if (state == BULK_UP && !l->up) {
        set_up(l, true);
        metrics_add(METRIC_CONNECTS, 1);
        log_info("lane", "connected", "broker=%s:%d", l->cfg->server_name, l->port);
    }
}

static bool is_done(struct lane *l)
{
    size_t waiting = 0;
    struct letter letter;

    if (!l->stopping)
        return false;
    bulk_output(&l->bulk, &waiting);
    return clock_mono_ms() >= l->stop_at_ms || (waiting == 0 && bulk_in_flight(&l->bulk) == 0 && !letters_first(l->letters, &letter));
}

/* Until bytes come, room comes for those that wait, or a letter. */
static bool sleep_until_due(struct lane *l, bool writing)
{
    uint64_t count;
    int err = tls_wire_wait(l->wire, writing, l->wake_fd, STEP_MS);

    return read(l->wake_fd, &count, sizeof count) >= -1 && err == 0;
}

/* A poll ends with the next message, and the broker pays a wake-up for each. Whoever sleeps for a moment finds many, and costs it nothing; a stream that is
 * not busy waits a moment longer for its PUBACK. */
static void nap(void)
{
    struct timespec t = { .tv_nsec = NAP_US * 1000L };

    nanosleep(&t, NULL);
}

/* One connection, from CONNECT to its end. */
static void serve(struct lane *l)
{
    bool alive = true;

    bulk_connect(&l->bulk, now32());
    while (alive && !is_done(l)) {
        int got = send_all(l) ? read_all(l) : BMS_ERR_IO;
        size_t waiting = 0;

        see_state(l);
        bulk_output(&l->bulk, &waiting);
        alive = got >= 0 && l->bulk.state != BULK_DEAD;
        if (alive && got == 0)
            alive = sleep_until_due(l, waiting > 0);
        else if (alive && got < READ_MAX)
            nap();
    }
    set_up(l, false);
    if (!l->stopping)
        log_warn("lane", "connection ended", "broker=%s:%d reason=%u", l->cfg->server_name, l->port, l->bulk.reason);
    bulk_stop(&l->bulk);
    send_all(l);
    letters_clear(l->letters);
}

static void rest(const struct lane *l, int ms)
{
    for (int64_t until = clock_mono_ms() + ms; !l->stopping && clock_mono_ms() < until;) {
        struct timespec t = { .tv_nsec = 20000000 };

        nanosleep(&t, NULL);
    }
}

static void *run(void *ctx)
{
    struct lane *l = ctx;
    const struct tls_wire_files files = { l->cfg->ca, l->cfg->cert, l->cfg->key };
    int backoff_ms = BACKOFF_MIN_MS / 2;

    while (!l->stopping) {
        char why[200] = "";
        int64_t began = clock_mono_ms();

        l->wire = tls_wire_open(&files, l->cfg->server_name, l->port, ANSWER_MS, why, sizeof why);
        if (l->wire) {
            serve(l);
            tls_wire_close(l->wire);
        } else {
            metrics_add(METRIC_CONNECTS_FAILED, 1);
            log_warn("lane", "cannot connect", "broker=%s:%d reason='%s'", l->cfg->server_name, l->port, why);
        }
        if (l->stopping)
            break;
        backoff_ms = clock_mono_ms() - began > BACKOFF_MAX_MS ? BACKOFF_MIN_MS : backoff_ms * 2;
        backoff_ms = backoff_ms > BACKOFF_MAX_MS ? BACKOFF_MAX_MS : backoff_ms;
        rest(l, backoff_ms / 2 + rand() % backoff_ms);
    }
    return NULL;
}

static void discard(struct lane *l)
{
    if (l->wake_fd >= 0)
        close(l->wake_fd);
    letters_destroy(l->letters);
    free(l->in);
    free(l->out);
    free(l);
}

static int make_client(struct lane *l)
{
    static const char *const filters[] = { TOPIC_SHARED_UP };
    const struct bulk_config config = { .client_id = l->id,
                                        .filters = filters,
                                        .filter_n = 1,
                                        .keep_alive_s = KEEP_ALIVE_S,
                                        .receive_max = (uint16_t)l->cfg->receive_max,
                                        .answer_ms = ANSWER_MS,
                                        .ctx = l,
                                        .message = on_message,
                                        .in = l->in,
                                        .in_size = IN_SIZE,
                                        .out = l->out,
                                        .out_size = OUT_SIZE };

    if (*l->cfg->client_id)
        snprintf(l->id, sizeof l->id, "%.60s-lane", l->cfg->client_id);
    else
        snprintf(l->id, sizeof l->id, "cellwarden-lane-%ld", (long)getpid());
    return bulk_init(&l->bulk, &config);
}

struct lane *lane_start(const struct config *cfg, const struct link_handler *handler)
{
    struct lane *l = calloc(1, sizeof *l);
    char host[200];

    if (!l)
        return NULL;
    l->cfg = cfg;
    l->handler = *handler;
    l->port = host_split(cfg->broker, host, sizeof host); /* link.c has checked that the names agree */
    l->wake_fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
    l->letters = letters_create(LETTERS_SIZE);
    l->in = malloc(IN_SIZE);
    l->out = malloc(OUT_SIZE);
    if (l->port > 0 && l->wake_fd >= 0 && l->letters && l->in && l->out && make_client(l) == 0 &&
        pthread_create(&l->thread, NULL, run, l) == 0)
        return l;
    discard(l);
    return NULL;
}

void lane_pause(struct lane *l)
{
    if (l)
        l->paused = true;
}

void lane_stop(struct lane *l, int wait_ms)
{
    if (!l)
        return;
    l->stop_at_ms = clock_mono_ms() + wait_ms;
    l->stopping = true;
    wake(l);
    pthread_join(l->thread, NULL);
    discard(l);
}

int lane_publish(struct lane *l, const char *topic, const uint8_t *bytes, size_t size)
{
    int rc = l->up ? letters_put(l->letters, topic, bytes, size) : BMS_ERR_STATE;

    if (rc == 1)
        wake(l);
    return rc < 0 ? rc : 0;
}
