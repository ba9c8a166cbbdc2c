/* SPDX-License-Identifier: Apache-2.0 */
/* slirp_netif.c -- see slirp_netif.h. Frames from slirp wait in a queue, because lwIP must not be entered from a slirp callback. */
#include "dtu/port/lwip/slirp_netif.h"

#include <arpa/inet.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <libslirp.h>

#include "lwip/dns.h"
#include "lwip/etharp.h"
#include "lwip/netif.h"
#include "lwip/pbuf.h"
#include "lwip/timeouts.h"
#include "netif/ethernet.h"

#include "common/err.h"

enum { FDS = 64, QUEUE = 32, FRAME = 1514, ROUNDS = 32, TIMERS = 8 };

struct timer {
    SlirpTimerCb call;
    void *arg;
    int64_t at_ms; /* -1: not set */
    bool used;
};

static struct {
    Slirp *slirp;
    struct netif netif;
    struct pbuf *queue[QUEUE];
    unsigned head, tail;
    struct pollfd fds[FDS];
    int fd_n;
    struct timer timer[TIMERS];
} net;

static int64_t clock_ns(void *opaque)
{
    struct timespec t;

    (void)opaque;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (int64_t)t.tv_sec * 1000000000 + t.tv_nsec;
}

/* slirp -> queue; a full queue drops, as a wire would */
static ssize_t from_slirp(const void *frame, size_t n, void *opaque)
{
    (void)opaque;
    if (net.head - net.tail == QUEUE || n > FRAME)
        return (ssize_t)n;
    struct pbuf *p = pbuf_alloc(PBUF_RAW, (u16_t)n, PBUF_POOL);

    if (!p)
        return (ssize_t)n;
    pbuf_take(p, frame, (u16_t)n);
    net.queue[net.head++ % QUEUE] = p;
    return (ssize_t)n;
}

static err_t to_slirp(struct netif *netif, struct pbuf *p)
{
    uint8_t frame[FRAME];

    (void)netif;
    if (p->tot_len > sizeof frame)
        return ERR_BUF;
    slirp_input(net.slirp, frame, pbuf_copy_partial(p, frame, sizeof frame, 0));
    return ERR_OK;
}

static void guest_error(const char *message, void *opaque)
{
    (void)message;
    (void)opaque;
}

static void *timer_new(SlirpTimerCb call, void *arg, void *opaque)
{
    (void)opaque;
    for (int i = 0; i < TIMERS; i++) {
        if (!net.timer[i].used) {
            net.timer[i] = (struct timer) { call, arg, -1, true };
            return &net.timer[i];
        }
    }
    return NULL;
}

static void timer_free(void *timer, void *opaque)
{
    (void)opaque;
    ((struct timer *)timer)->used = false;
}

static void timer_mod(void *timer, int64_t at_ms, void *opaque)
{
    (void)opaque;
    ((struct timer *)timer)->at_ms = at_ms;
}

static void poll_fd(int fd, void *opaque)
{
    (void)fd;
    (void)opaque;
}

static void notify(void *opaque)
{
    (void)opaque;
}

static err_t netif_start(struct netif *netif)
{
    static const uint8_t mac[] = { 0x52, 0x54, 0x00, 0x12, 0x34, 0x56 };

    netif->name[0] = 's';
    netif->name[1] = 'l';
    netif->output = etharp_output;
    netif->linkoutput = to_slirp;
    netif->mtu = 1500;
    netif->hwaddr_len = sizeof mac;
    memcpy(netif->hwaddr, mac, sizeof mac);
    netif->flags = NETIF_FLAG_BROADCAST | NETIF_FLAG_ETHARP | NETIF_FLAG_ETHERNET | NETIF_FLAG_LINK_UP;
    return ERR_OK;
}

int slirp_netif_start(void)
{
    static const SlirpCb calls = { .send_packet = from_slirp,
                                   .guest_error = guest_error,
                                   .clock_get_ns = clock_ns,
                                   .timer_new = timer_new,
                                   .timer_free = timer_free,
                                   .timer_mod = timer_mod,
                                   .register_poll_fd = poll_fd,
                                   .unregister_poll_fd = poll_fd,
                                   .notify = notify };
    SlirpConfig config = { .version = 4, .in_enabled = true };
    ip4_addr_t address, mask, gateway;
    ip_addr_t dns;

    memset(&net, 0, sizeof net);
    signal(SIGPIPE, SIG_IGN);
    inet_pton(AF_INET, "10.0.2.0", &config.vnetwork);
    inet_pton(AF_INET, "255.255.255.0", &config.vnetmask);
    inet_pton(AF_INET, "10.0.2.2", &config.vhost);
    inet_pton(AF_INET, "10.0.2.15", &config.vdhcp_start);
    inet_pton(AF_INET, "10.0.2.3", &config.vnameserver);
    net.slirp = slirp_new(&config, &calls, NULL);
    if (!net.slirp)
        return BMS_ERR_IO;
    IP4_ADDR(&address, 10, 0, 2, 15);
    IP4_ADDR(&mask, 255, 255, 255, 0);
    IP4_ADDR(&gateway, 10, 0, 2, 2);
    IP_ADDR4(&dns, 10, 0, 2, 3);
    netif_add(&net.netif, &address, &mask, &gateway, NULL, netif_start, ethernet_input);
    netif_set_default(&net.netif);
    netif_set_up(&net.netif);
    dns_setserver(0, &dns);
    return BMS_ERR_OK;
}

static int add_poll(int fd, int events, void *opaque)
{
    (void)opaque;
    if (net.fd_n == FDS)
        return -1;
    short want =
        (short)((events & SLIRP_POLL_IN ? POLLIN : 0) | (events & SLIRP_POLL_OUT ? POLLOUT : 0) | (events & SLIRP_POLL_PRI ? POLLPRI : 0));

    net.fds[net.fd_n] = (struct pollfd) { .fd = fd, .events = want };
    return net.fd_n++;
}

static int get_events(int index, void *opaque)
{
    short e = index >= 0 ? net.fds[index].revents : 0;

    (void)opaque;
    return (e & POLLIN ? SLIRP_POLL_IN : 0) | (e & POLLOUT ? SLIRP_POLL_OUT : 0) | (e & POLLPRI ? SLIRP_POLL_PRI : 0) |
           (e & POLLERR ? SLIRP_POLL_ERR : 0) | (e & POLLHUP ? SLIRP_POLL_HUP : 0);
}

static void run_timers(void)
{
    int64_t now = clock_ns(NULL) / 1000000;

    for (int i = 0; i < TIMERS; i++) {
        struct timer *t = &net.timer[i];

        if (t->used && t->at_ms >= 0 && t->at_ms <= now) {
            t->at_ms = -1;
            t->call(t->arg);
        }
    }
}

static bool deliver_queue(void)
{
    bool any = net.head != net.tail;

    while (net.head != net.tail) {
        struct pbuf *p = net.queue[net.tail++ % QUEUE];

        if (net.netif.input(p, &net.netif) != ERR_OK)
            pbuf_free(p);
    }
    return any;
}

void slirp_netif_poll(void)
{
    int round = 0;

    do {
        uint32_t wait_ms = 0;

        net.fd_n = 0;
        slirp_pollfds_fill(net.slirp, &wait_ms, add_poll, NULL);
        int ready = poll(net.fds, (nfds_t)net.fd_n, 0);

        slirp_pollfds_poll(net.slirp, ready < 0, get_events, NULL);
        run_timers();
        sys_check_timeouts();
    } while (deliver_queue() && ++round < ROUNDS);
}

size_t slirp_netif_wait(struct stream_fd *fds, size_t max, uint32_t *wait_ms)
{
    uint32_t lwip_ms = sys_timeouts_sleeptime();
    int64_t now = clock_ns(NULL) / 1000000;

    net.fd_n = 0;
    slirp_pollfds_fill(net.slirp, wait_ms, add_poll, NULL);
    if (lwip_ms < *wait_ms)
        *wait_ms = lwip_ms;
    for (int i = 0; i < TIMERS; i++)
        if (net.timer[i].used && net.timer[i].at_ms >= 0 && net.timer[i].at_ms - now < *wait_ms)
            *wait_ms = net.timer[i].at_ms > now ? (uint32_t)(net.timer[i].at_ms - now) : 0;
    size_t n = (size_t)net.fd_n < max ? (size_t)net.fd_n : max;

    for (size_t i = 0; i < n; i++) {
        short e = net.fds[i].events;

        fds[i].fd = net.fds[i].fd;
        fds[i].events = (uint8_t)((e & (POLLIN | POLLPRI) ? STREAM_FD_IN : 0) | (e & POLLOUT ? STREAM_FD_OUT : 0));
    }
    return n;
}

void slirp_netif_stop(void)
{
    while (net.head != net.tail)
        pbuf_free(net.queue[net.tail++ % QUEUE]);
    netif_set_default(NULL);
    netif_remove(&net.netif);
    slirp_cleanup(net.slirp);
    net.slirp = NULL;
}
