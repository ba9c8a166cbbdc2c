/* SPDX-License-Identifier: Apache-2.0 */
#include "sim/doors.h"

#include <errno.h>
#include <string.h>
#include <time.h>

#include "common/err.h"
#include "sim/report.h"

enum { FDS_MAX = CAN_HUB_CLIENTS_MAX + 1 + 2 * (SLCAN_HOSTS_MAX + 1) + 1 };

int64_t clock_ns(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return (int64_t)t.tv_sec * 1000000000 + t.tv_nsec;
}

static void shut(struct doors *d)
{
    memset(d, 0, sizeof(*d));
    d->hub.fd = -1;
    for (int i = 0; i < CAN_HUB_CLIENTS_MAX; i++)
        d->hub.client[i].fd = -1;
    d->tcp.listener = d->tcp.slave = d->pty.listener = d->pty.slave = -1;
    for (int i = 0; i < SLCAN_HOSTS_MAX; i++)
        d->tcp.host[i].fd = d->pty.host[i].fd = -1;
    d->kernel.fd = -1;
}

static int cannot(const char *door, const char *where, int err)
{
    const char *why = err == BMS_ERR_IO ? strerror(errno) : bms_err_text(err);

    report_error("can", "cannot open door=%s where=%s why=\"%s\"", door, where, why);
    return err;
}

static int open_tcp(struct doors *d, const char *address, struct can_bus *bus)
{
    int err = slcan_door_open_tcp(&d->tcp, address, bus);

    if (err)
        return cannot("slcan-tcp", address, err);
    report_info("can", "listening door=slcan-tcp address=%s port=%u", address, d->tcp.port);
    return BMS_ERR_OK;
}

static int open_pty(struct doors *d, const char *link, struct can_bus *bus)
{
    int err = slcan_door_open_pty(&d->pty, link, bus);

    if (err)
        return cannot("slcan-pty", link, err);
    report_info("can", "listening door=slcan-pty link=%s", link);
    return BMS_ERR_OK;
}

static int open_kernel(struct doors *d, const char *interface, struct can_bus *bus)
{
    int err = can_socketcan_open(&d->kernel, interface, bus);

    if (err == BMS_ERR_UNKNOWN)
        report_error("can", "this kernel has no CAN (module can_raw): door=socketcan where=%s", interface);
    return !err || err == BMS_ERR_UNKNOWN ? err : cannot("socketcan", interface, err);
}

static int open_hub(struct doors *d, const char *path, struct can_bus *bus)
{
    int err = can_hub_open(&d->hub, path, bus);

    if (err == BMS_ERR_STATE)
        report_error("can", "another pack listens: door=hub where=%s", path);
    return !err || err == BMS_ERR_STATE ? err : cannot("hub", path, err);
}

/* The hub last: once its socket is there, everything is. */
int doors_open(struct doors *d, const struct pack_options *o, struct can_bus *bus)
{
    int err = BMS_ERR_OK;

    shut(d);
    if (o->slcan_tcp)
        err = open_tcp(d, o->slcan_tcp, bus);
    if (!err && o->slcan_pty)
        err = open_pty(d, o->slcan_pty, bus);
    if (!err && o->socketcan)
        err = open_kernel(d, o->socketcan, bus);
    if (!err)
        err = open_hub(d, o->hub, bus);
    if (err)
        doors_close(d);
    return err;
}

void doors_poll(struct doors *d)
{
    uint32_t now_ms = (uint32_t)(clock_ns() / 1000000);

    can_hub_poll(&d->hub);
    slcan_door_poll(&d->tcp, now_ms);
    slcan_door_poll(&d->pty, now_ms);
    if (d->kernel.fd >= 0)
        can_socketcan_poll(&d->kernel);
    if (d->clients != d->hub.clients)
        report_info("can", "hub clients=%d", d->hub.clients);
    d->clients = d->hub.clients;
}

static size_t all_fds(const struct doors *d, struct pollfd *fds)
{
    size_t n = can_hub_pollfds(&d->hub, fds);

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
    size_t n = all_fds(d, fds);
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

        if (d->hub.clients > 0 && can_hub_room(&d->hub) >= frames)
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
    return d->hub.dropped + d->tcp.dropped + d->pty.dropped + d->kernel.dropped;
}

void doors_close(struct doors *d)
{
    can_hub_close(&d->hub);
    slcan_door_close(&d->tcp);
    slcan_door_close(&d->pty);
    can_socketcan_close(&d->kernel);
}
