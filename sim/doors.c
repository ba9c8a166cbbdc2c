/* SPDX-License-Identifier: Apache-2.0 */
#include "sim/doors.h"

#include <errno.h>
#include <string.h>
#include <time.h>

#include "common/err.h"
#include "sim/report.h"

enum { BUS_FDS_MAX = CAN_HUB_CLIENTS_MAX + 1 + 2 * (SLCAN_HOSTS_MAX + 1) + 1, FDS_MAX = DOORS_CANS * BUS_FDS_MAX };

int64_t clock_ns(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return (int64_t)t.tv_sec * 1000000000 + t.tv_nsec;
}

static void shut(struct bus_doors *d)
{
    d->hub.fd = -1;
    for (int i = 0; i < CAN_HUB_CLIENTS_MAX; i++)
        d->hub.client[i].fd = -1;
    d->tcp.listener = d->tcp.slave = d->pty.listener = d->pty.slave = -1;
    for (int i = 0; i < SLCAN_HOSTS_MAX; i++)
        d->tcp.host[i].fd = d->pty.host[i].fd = -1;
    d->kernel.fd = -1;
}

static int cannot(const struct bus_doors *d, const char *door, const char *where, int err)
{
    const char *why = err == BMS_ERR_IO ? strerror(errno) : bms_err_text(err);

    report_error("can", "cannot open door=%s bus=can%d where=%s why=\"%s\"", door, d->no, where, why);
    return err;
}

static int open_tcp(struct bus_doors *d, const char *address, struct can_bus *bus)
{
    int err = slcan_door_open_tcp(&d->tcp, address, bus);

    if (err)
        return cannot(d, "slcan-tcp", address, err);
    report_info("can", "listening door=slcan-tcp bus=can%d address=%s port=%u", d->no, address, d->tcp.port);
    return BMS_ERR_OK;
}

static int open_pty(struct bus_doors *d, const char *link, struct can_bus *bus)
{
    int err = slcan_door_open_pty(&d->pty, link, bus);

    if (err)
        return cannot(d, "slcan-pty", link, err);
    report_info("can", "listening door=slcan-pty bus=can%d link=%s", d->no, link);
    return BMS_ERR_OK;
}

static int open_kernel(struct bus_doors *d, const char *interface, struct can_bus *bus)
{
    int err = can_socketcan_open(&d->kernel, interface, bus);

    if (err == BMS_ERR_UNKNOWN)
        report_error("can", "this kernel has no CAN (module can_raw): door=socketcan where=%s", interface);
    return !err || err == BMS_ERR_UNKNOWN ? err : cannot(d, "socketcan", interface, err);
}

static int open_hub(struct bus_doors *d, const char *path, struct can_bus *bus)
{
    int err = can_hub_open(&d->hub, path, bus);

    if (err == BMS_ERR_STATE)
        report_error("can", "another pack listens: door=hub where=%s", path);
    return !err || err == BMS_ERR_STATE ? err : cannot(d, "hub", path, err);
}

struct wishes { /* where each door of a bus shall be; NULL = shut */
    const char *tcp, *pty, *kernel, *hub;
};

/* The hub last: once its socket is there, everything is. */
static int open_bus(struct bus_doors *d, const struct wishes *w, struct can_bus *bus)
{
    int err = BMS_ERR_OK;

    if (w->tcp)
        err = open_tcp(d, w->tcp, bus);
    if (!err && w->pty)
        err = open_pty(d, w->pty, bus);
    if (!err && w->kernel)
        err = open_kernel(d, w->kernel, bus);
    if (!err && w->hub)
        err = open_hub(d, w->hub, bus);
    return err;
}

/* CAN0 last, for the same reason. */
int doors_open(struct doors *d, const struct pack_options *o, struct can_bus *bus)
{
    const struct wishes wishes[DOORS_CANS] = {
        { .tcp = o->slcan_tcp, .pty = o->slcan_pty, .kernel = o->socketcan, .hub = o->hub },
        { .tcp = o->slcan1_tcp, .kernel = o->socketcan1, .hub = o->hub1 },
        { .tcp = o->slcan2_tcp, .kernel = o->socketcan2, .hub = o->hub2 },
    };
    int err = BMS_ERR_OK;

    for (int i = 0; i < DOORS_CANS; i++) {
        shut(&d->can[i]);
        d->can[i].no = i;
    }
    for (int i = DOORS_CANS - 1; i >= 0 && !err; i--)
        err = open_bus(&d->can[i], &wishes[i], &bus[i]);
    if (err)
        doors_close(d);
    return err;
}

static void poll_bus(struct bus_doors *d, uint32_t now_ms)
{
    if (d->hub.fd >= 0)
        can_hub_poll(&d->hub);
    slcan_door_poll(&d->tcp, now_ms);
    slcan_door_poll(&d->pty, now_ms);
    if (d->kernel.fd >= 0)
        can_socketcan_poll(&d->kernel);
    if (d->clients != d->hub.clients)
        report_info("can", "hub bus=can%d clients=%d", d->no, d->hub.clients);
    d->clients = d->hub.clients;
}

void doors_poll(struct doors *d)
{
    uint32_t now_ms = (uint32_t)(clock_ns() / 1000000);

    for (int i = 0; i < DOORS_CANS; i++)
        poll_bus(&d->can[i], now_ms);
}

static size_t bus_fds(const struct bus_doors *d, struct pollfd *fds)
{
    size_t n = d->hub.fd >= 0 ? can_hub_pollfds(&d->hub, fds) : 0;

    n += slcan_door_pollfds(&d->tcp, fds + n);
    n += slcan_door_pollfds(&d->pty, fds + n);
    if (d->kernel.fd >= 0)
        fds[n++] = (struct pollfd) { .fd = d->kernel.fd, .events = POLLIN };
    return n;
}

/* Returns false after a signal. */
static bool wait_ns(struct doors *d, int64_t ns)
{
    struct pollfd fds[FDS_MAX];
    size_t n = 0;

    for (int i = 0; i < DOORS_CANS; i++)
        n += bus_fds(&d->can[i], fds + n);
    int got = poll(fds, (nfds_t)n, (int)((ns + 999999) / 1000000));

    return got >= 0 || errno != EINTR;
}

void doors_wait(struct doors *d, int64_t until_ns)
{
    for (int64_t left; (left = until_ns - clock_ns()) > 0;) {
        if (!wait_ns(d, left))
            return;
        doors_poll(d);
    }
}

int doors_wait_for_room(struct doors *d, size_t frames, int timeout_ms)
{
    int64_t until_ns = clock_ns() + (int64_t)timeout_ms * 1000000;

    for (;;) {
        int64_t left = until_ns - clock_ns();

        if (d->can[0].hub.clients > 0 && can_hub_room(&d->can[0].hub) >= frames)
            return BMS_ERR_OK;
        if (left <= 0)
            return BMS_ERR_TIMEOUT;
        if (!wait_ns(d, left))
            return BMS_ERR_STATE;
        doors_poll(d);
    }
}

uint64_t doors_dropped(const struct doors *d)
{
    uint64_t n = 0;

    for (int i = 0; i < DOORS_CANS; i++)
        n += d->can[i].hub.dropped + d->can[i].tcp.dropped + d->can[i].pty.dropped + d->can[i].kernel.dropped;
    return n;
}

void doors_close(struct doors *d)
{
    for (int i = 0; i < DOORS_CANS; i++) {
        can_hub_close(&d->can[i].hub);
        slcan_door_close(&d->can[i].tcp);
        slcan_door_close(&d->can[i].pty);
        can_socketcan_close(&d->can[i].kernel);
    }
}
