/* SPDX-License-Identifier: Apache-2.0 */
/* mqtt_probe.c -- drives the DTU's MQTT client over a stream port against a real broker; test_dtu_streams.py reads what it prints.
 *
 *   cellwarden-mqtt-probe STREAM HOST:PORT SERVER_NAME CA CERT KEY NAME COUNT SIZE SECONDS [EVERY_MS]
 *
 * Publishes COUNT messages of SIZE bytes with QoS 1 to cw/v1/NAME/up/rec, each beginning with its number, at most one each EVERY_MS, takes
 * what comes on cw/v1/NAME/down/+, and ends when all are acknowledged (0) or after SECONDS (1). CERT and KEY "-": none. Prints one line per
 * event: state, up, acked (the last number), message, refused.
 *
 * With PROBE_CYCLES=N in the environment it only opens and closes the stream N times, every third time before it is open. PROBE_PUBLISH_AS
 * is a name to use in the topic instead of its own.
 */
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "common/err.h"
#include "dtu/app/net.h"
#include "dtu/port/posix/stream_tls.h"
#ifdef CW_LWIP
#include "dtu/port/lwip/stream_lwip.h"
#endif

enum { SLOTS = MQTT_INFLIGHT, FDS = 64 };

struct probe {
    uint32_t count, size, next, acked;
    uint32_t every_ms, last_ms;
    uint32_t slot_token[SLOTS];
    bool slot_used[SLOTS];
    uint8_t *slot[SLOTS];
    char topic[MQTT_TOPIC_MAX];
};

static uint32_t now_ms(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return (uint32_t)((uint64_t)t.tv_sec * 1000u + (uint64_t)t.tv_nsec / 1000000u);
}

static void on_up(void *ctx, bool session_present)
{
    (void)ctx;
    printf("up session=%d\n", session_present);
}

static void on_acked(void *ctx, uint32_t token, uint8_t reason)
{
    struct probe *p = ctx;

    for (int i = 0; i < SLOTS; i++)
        if (p->slot_used[i] && p->slot_token[i] == token)
            p->slot_used[i] = false;
    p->acked++;
    if (reason >= 0x80)
        printf("refused %u %s\n", token, mqtt_reason_text(reason));
    if (p->acked == p->count)
        printf("acked %u\n", p->acked);
}

static bool on_message(void *ctx, const char *topic, size_t topic_n, const uint8_t *payload, size_t n)
{
    uint32_t sum = 0;

    (void)ctx;
    for (size_t i = 0; i < n; i++)
        sum += payload[i];
    printf("message %.*s n=%zu sum=%u\n", (int)topic_n, topic, n, sum);
    return true;
}

static void publish_one(struct probe *p, struct mqtt *mqtt)
{
    for (int i = 0; i < SLOTS; i++) {
        if (p->slot_used[i])
            continue;
        memset(p->slot[i], 'x', p->size);
        snprintf((char *)p->slot[i], p->size, "%u", p->next);
        if (mqtt_publish(mqtt, p->topic, p->slot[i], p->size, 1, false, p->next) != BMS_ERR_OK)
            return;
        p->slot_used[i] = true;
        p->slot_token[i] = p->next++;
        return;
    }
}

static void publish_due(struct probe *p, struct mqtt *mqtt, uint32_t now)
{
    while (p->next < p->count && mqtt_pending(mqtt) < SLOTS && (p->every_ms == 0 || now - p->last_ms >= p->every_ms)) {
        p->last_ms = now;
        publish_one(p, mqtt);
    }
}

static void sleep_on(const struct stream_port *stream, uint32_t every_ms)
{
    struct stream_fd fds[FDS];
    struct pollfd set[FDS];
    uint32_t wait_ms = every_ms && every_ms < 50 ? every_ms : 50;
    size_t n = stream->wait(stream->ctx, fds, FDS, &wait_ms);

    for (size_t i = 0; i < n; i++)
        set[i] = (struct pollfd) {
            .fd = fds[i].fd, .events = (short)((fds[i].events & STREAM_FD_IN ? POLLIN : 0) | (fds[i].events & STREAM_FD_OUT ? POLLOUT : 0))
        };
    poll(set, (nfds_t)n, (int)wait_ms);
}

/* Open the stream, or give up after so many steps. */
static enum stream_state open_once(const struct stream_port *stream, const char *host, uint16_t port, uint32_t steps)
{
    enum stream_state state = STREAM_CONNECTING;

    if (stream->open(stream->ctx, host, port) != BMS_ERR_OK)
        return STREAM_FAILED;
    for (uint32_t i = 0; i < steps && state == STREAM_CONNECTING; i++) {
        state = stream->poll(stream->ctx, now_ms());
        if (state == STREAM_CONNECTING)
            sleep_on(stream, 1);
    }
    return state;
}

static int cycle(const struct stream_port *stream, const char *host, uint16_t port, uint32_t cycles)
{
    uint32_t opened = 0, failed = 0;

    for (uint32_t i = 0; i < cycles; i++) {
        enum stream_state state = open_once(stream, host, port, i % 3 == 0 ? i / 3 % 20 : 20000);

        opened += state == STREAM_OPEN;
        failed += state == STREAM_FAILED;
        if (state == STREAM_FAILED)
            printf("failed why=%s\n", stream->reason(stream->ctx));
        if (state == STREAM_OPEN && i % 2) /* leave something unanswered behind */
            stream->write(stream->ctx, (const uint8_t *)"\x10\x7f", 2);
        stream->close(stream->ctx);
    }
    printf("cycles opened=%u failed=%u\n", opened, failed);
    return failed ? 1 : 0;
}

static int run(const struct stream_port *stream, const char *host, uint16_t port, char **arg)
{
    static struct probe p;
    static uint8_t rx[2048];
    static struct mqtt mqtt;
    static struct net net;
    const char *cycles = getenv("PROBE_CYCLES");
    char filter[MQTT_TOPIC_MAX], will[MQTT_TOPIC_MAX];
    const char *filters[] = { filter };
    const struct mqtt_config config = { .client_id = arg[0],
                                        .filters = filters,
                                        .filter_n = 1,
                                        .keep_alive_s = 8,
                                        .answer_ms = 3000,
                                        .session_expiry_s = 3600,
                                        .will = { .topic = will, .payload = (const uint8_t *)"offline", .n = 7 },
                                        .handler = { &p, on_up, on_acked, on_message },
                                        .rx = rx,
                                        .rx_n = sizeof rx };

    if (cycles)
        return cycle(stream, host, port, (uint32_t)strtoul(cycles, NULL, 10));
    p.count = (uint32_t)strtoul(arg[1], NULL, 10);
    p.size = (uint32_t)strtoul(arg[2], NULL, 10);
    p.every_ms = arg[4] ? (uint32_t)strtoul(arg[4], NULL, 10) : 0;
    for (int i = 0; i < SLOTS; i++)
        p.slot[i] = malloc(p.size + 1);
    snprintf(filter, sizeof filter, "cw/v1/%s/down/+", arg[0]);
    snprintf(will, sizeof will, "cw/v1/%s/state", arg[0]);
    snprintf(p.topic, sizeof p.topic, "cw/v1/%s/up/rec", getenv("PROBE_PUBLISH_AS") ? getenv("PROBE_PUBLISH_AS") : arg[0]);
    if (mqtt_init(&mqtt, &config) || net_init(&net, stream, host, port, &mqtt, now_ms()))
        return 2;
    uint32_t start = now_ms(), limit = (uint32_t)strtoul(arg[3], NULL, 10) * 1000;

    while (now_ms() - start < limit && net.link.state != LINK_STOPPED) {
        publish_due(&p, &mqtt, now_ms());
        if (net_poll(&net, now_ms()))
            printf("state %s at=%u why=%s\n", link_state_text(net.link.state), now_ms() - start, net.why);
        if (p.count && p.acked >= p.count && net.link.state == LINK_UP)
            link_stop(&net.link, false);
        sleep_on(stream, p.every_ms);
    }
    printf("end acked=%u ms=%u\n", p.acked, now_ms() - start);
    for (int i = 0; i < SLOTS; i++)
        free(p.slot[i]);
    return p.acked >= p.count ? 0 : 1;
}

int main(int argc, char **argv)
{
    char host[254], why[200] = "";
    unsigned port;

    setvbuf(stdout, NULL, _IOLBF, 0);
    if (argc < 11 || sscanf(argv[2], "%253[^:]:%u", host, &port) != 2 || port > 65535) {
        fprintf(stderr, "usage: see mqtt_probe.c\n");
        return 2;
    }
    bool shown = strcmp(argv[5], "-") != 0;
    const struct tls_files files = { argv[4], shown ? argv[5] : NULL, shown ? argv[6] : NULL, argv[3] };
    int code = 2;

#ifdef CW_LWIP
    if (!strcmp(argv[1], "lwip")) {
        struct stream_lwip *s;

        if (stream_lwip_create(&s, &files, why, sizeof why) == BMS_ERR_OK) {
            code = run(stream_lwip_port(s), host, (uint16_t)port, argv + 7);
            printf("arena peak=%zu size=%zu\n", stream_lwip_arena_peak(s), stream_lwip_arena_size(s));
            stream_lwip_destroy(s);
        }
    }
#endif
    if (!strcmp(argv[1], "posix")) {
        struct stream_tls *s;

        if (stream_tls_create(&s, &files, why, sizeof why) == BMS_ERR_OK) {
            code = run(stream_tls_port(s), host, (uint16_t)port, argv + 7);
            stream_tls_destroy(s);
        }
    }
    if (why[0])
        printf("create why=%s\n", why);
    return code;
}
