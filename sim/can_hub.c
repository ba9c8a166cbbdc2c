/* SPDX-License-Identifier: Apache-2.0 */
#include "sim/can_hub.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "common/err.h"
#include "proto/can_hub.h"

static void spread(struct can_hub *hub, const struct can_hub_client *except, const struct can_frame *f)
{
    for (int i = 0; i < CAN_HUB_CLIENTS_MAX; i++) {
        struct can_hub_client *c = &hub->client[i];

        if (c == except || c->fd < 0)
            continue;
        hub->dropped += can_queue_room(&c->queue) == 0;
        can_queue_put(&c->queue, f);
    }
}

static void deliver(void *ctx, const struct can_frame *f)
{
    spread(ctx, NULL, f);
}

static bool must_wait(void)
{
    return errno == EAGAIN || errno == EINTR || errno == ENOBUFS;
}

static void leave(struct can_hub *hub, struct can_hub_client *c)
{
    close(c->fd);
    c->fd = -1;
    hub->clients--;
}

static void join(struct can_hub *hub, int fd)
{
    for (int i = 0; i < CAN_HUB_CLIENTS_MAX; i++) {
        struct can_hub_client *c = &hub->client[i];

        if (c->fd >= 0)
            continue;
        c->fd = fd;
        can_queue_clear(&c->queue);
        hub->clients++;
        return;
    }
    hub->refused++;
    close(fd);
}

static void take_clients(struct can_hub *hub)
{
    for (;;) {
        int fd = accept(hub->fd, NULL, NULL);

        if (fd < 0)
            return;
        join(hub, fd);
    }
}

static void take_packet(struct can_hub *hub, const struct can_hub_client *from, const uint8_t *data, size_t n)
{
    struct can_frame f;

    if (n % CAN_HUB_FRAME) {
        hub->malformed++;
        return;
    }
    for (size_t at = 0; at < n; at += CAN_HUB_FRAME) {
        if (!can_hub_decode(data + at, &f)) {
            hub->malformed++;
            continue;
        }
        can_bus_send(hub->bus, hub->node, &f);
        spread(hub, from, &f);
    }
}

/* What one client has sent; the others get it too, as on a wire. Bounded, so that a client that floods does not stop the world. */
static void read_client(struct can_hub *hub, struct can_hub_client *c)
{
    uint8_t packet[CAN_HUB_BATCH * CAN_HUB_FRAME + 1];

    for (int i = 0; i < 64 && c->fd >= 0; i++) {
        ssize_t n = recv(c->fd, packet, sizeof(packet), MSG_DONTWAIT);

        if (n < 0 && must_wait())
            return;
        if (n <= 0) {
            leave(hub, c);
            return;
        }
        take_packet(hub, c, packet, (size_t)n);
    }
}

static void write_client(struct can_hub *hub, struct can_hub_client *c)
{
    uint8_t packet[CAN_HUB_BATCH * CAN_HUB_FRAME];

    while (c->queue.count) {
        size_t n = c->queue.count < CAN_HUB_BATCH ? c->queue.count : CAN_HUB_BATCH;

        for (size_t i = 0; i < n; i++)
            can_hub_encode(can_queue_at(&c->queue, i), packet + i * CAN_HUB_FRAME);
        if (send(c->fd, packet, n * CAN_HUB_FRAME, MSG_DONTWAIT | MSG_NOSIGNAL) < 0) {
            if (!must_wait())
                leave(hub, c);
            return;
        }
        can_queue_drop_front(&c->queue, n);
    }
}

void can_hub_poll(struct can_hub *hub)
{
    take_clients(hub);
    for (int i = 0; i < CAN_HUB_CLIENTS_MAX; i++) {
        if (hub->client[i].fd >= 0)
            read_client(hub, &hub->client[i]);
    }
    for (int i = 0; i < CAN_HUB_CLIENTS_MAX; i++) {
        if (hub->client[i].fd >= 0)
            write_client(hub, &hub->client[i]);
    }
}

size_t can_hub_room(const struct can_hub *hub)
{
    size_t room = CAN_QUEUE_SIZE;

    for (int i = 0; i < CAN_HUB_CLIENTS_MAX; i++) {
        const struct can_hub_client *c = &hub->client[i];

        if (c->fd >= 0 && can_queue_room(&c->queue) < room)
            room = can_queue_room(&c->queue);
    }
    return room;
}

bool can_hub_is_flushed(const struct can_hub *hub)
{
    return can_hub_room(hub) == CAN_QUEUE_SIZE;
}

size_t can_hub_pollfds(const struct can_hub *hub, struct pollfd *fds)
{
    size_t n = 0;

    fds[n++] = (struct pollfd) { .fd = hub->fd, .events = POLLIN };
    for (int i = 0; i < CAN_HUB_CLIENTS_MAX; i++) {
        const struct can_hub_client *c = &hub->client[i];

        if (c->fd >= 0)
            fds[n++] = (struct pollfd) { .fd = c->fd, .events = (short)(c->queue.count ? POLLIN | POLLOUT : POLLIN) };
    }
    return n;
}

void can_hub_close(struct can_hub *hub)
{
    for (int i = 0; i < CAN_HUB_CLIENTS_MAX; i++) {
        if (hub->client[i].fd >= 0)
            leave(hub, &hub->client[i]);
    }
    if (hub->fd >= 0) {
        close(hub->fd);
        unlink(hub->path);
    }
    hub->fd = -1;
}

/* A socket that is left over from a process that died: nobody answers. */
static int remove_stale(const struct sockaddr_un *at)
{
    struct stat st;

    if (stat(at->sun_path, &st) != 0)
        return BMS_ERR_OK;
    if (!S_ISSOCK(st.st_mode)) {
        errno = EEXIST;
        return BMS_ERR_IO;
    }
    int fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    int answer = fd < 0 ? -1 : connect(fd, (const struct sockaddr *)at, sizeof(*at));
    int why = errno;

    if (fd >= 0)
        close(fd);
    if (answer == 0 || why == EAGAIN)
        return BMS_ERR_STATE;
    return unlink(at->sun_path) == 0 ? BMS_ERR_OK : BMS_ERR_IO;
}

static int listen_on(struct can_hub *hub, const struct sockaddr_un *at)
{
    hub->fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (hub->fd >= 0 && bind(hub->fd, (const struct sockaddr *)at, sizeof(*at)) == 0 && listen(hub->fd, CAN_HUB_CLIENTS_MAX) == 0)
        return BMS_ERR_OK;
    int why = errno;

    if (hub->fd >= 0)
        close(hub->fd);
    hub->fd = -1;
    errno = why;
    return BMS_ERR_IO;
}

int can_hub_open(struct can_hub *hub, const char *path, struct can_bus *bus)
{
    struct sockaddr_un at = { .sun_family = AF_UNIX };
    size_t n = strlen(path);

    *hub = (struct can_hub) { .fd = -1, .bus = bus };
    for (int i = 0; i < CAN_HUB_CLIENTS_MAX; i++)
        hub->client[i].fd = -1;
    if (n == 0 || n >= sizeof(hub->path) || n >= sizeof(at.sun_path))
        return BMS_ERR_RANGE;
    memcpy(hub->path, path, n + 1);
    memcpy(at.sun_path, path, n + 1);
    int err = remove_stale(&at);

    if (err == BMS_ERR_OK)
        err = listen_on(hub, &at);
    if (err != BMS_ERR_OK)
        return err;
    hub->node = can_bus_attach(bus, deliver, hub);
    return hub->node < 0 ? hub->node : BMS_ERR_OK;
}
