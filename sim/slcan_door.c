/* SPDX-License-Identifier: Apache-2.0 */
#include "sim/slcan_door.h"

#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "common/err.h"
#include "sim/pty.h"

enum { READ_AT_ONCE = 256, READS_AT_ONCE = 16 };

/* To every open host but the one it came from. */
static void spread(struct slcan_door *door, const struct slcan_host *except, const struct can_frame *f)
{
    for (int i = 0; i < SLCAN_HOSTS_MAX; i++) {
        struct slcan_host *h = &door->host[i];

        if (h == except || h->fd < 0 || !h->slcan.open)
            continue;
        door->dropped += can_queue_room(&h->queue) == 0;
        can_queue_put(&h->queue, f);
    }
}

static void deliver(void *ctx, const struct can_frame *f)
{
    spread(ctx, NULL, f);
}

static void leave(struct slcan_host *h)
{
    close(h->fd);
    h->fd = -1;
}

static void join(struct slcan_door *door, int fd)
{
    for (int i = 0; i < SLCAN_HOSTS_MAX; i++) {
        struct slcan_host *h = &door->host[i];

        if (h->fd >= 0)
            continue;
        h->fd = fd;
        h->out_len = 0;
        slcan_init(&h->slcan);
        can_queue_clear(&h->queue);
        return;
    }
    close(fd);
}

static void take_hosts(struct slcan_door *door)
{
    for (int fd; door->listener >= 0 && (fd = accept(door->listener, NULL, NULL)) >= 0;) {
        int on = 1;

        setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
        fcntl(fd, F_SETFL, O_NONBLOCK);
        fcntl(fd, F_SETFD, FD_CLOEXEC);
        join(door, fd);
    }
}

static void take_byte(struct slcan_door *door, struct slcan_host *h, char byte)
{
    struct slcan_result result;
    bool was_open = h->slcan.open;

    slcan_take(&h->slcan, byte, &result);
    if (was_open != h->slcan.open)
        can_queue_clear(&h->queue); /* what was said to the host before this one */
    if (result.has_frame) {
        can_bus_send(door->bus, door->node, &result.frame);
        spread(door, h, &result.frame);
    }
    memcpy(h->out + h->out_len, result.answer, result.answer_len);
    h->out_len += result.answer_len;
}

static bool must_wait(void)
{
    return errno == EAGAIN || errno == EINTR;
}

/* Reads no more than what can be answered. */
static void read_host(struct slcan_door *door, struct slcan_host *h)
{
    char data[READ_AT_ONCE];

    for (int i = 0; i < READS_AT_ONCE; i++) {
        size_t room = (sizeof(h->out) - h->out_len) / SLCAN_ANSWER_MAX;
        size_t most = room < sizeof(data) ? room : sizeof(data);
        ssize_t n = most ? read(h->fd, data, most) : 0;

        if (most == 0 || (n < 0 && must_wait()))
            return;
        if (n <= 0) {
            leave(h);
            return;
        }
        for (ssize_t k = 0; k < n; k++)
            take_byte(door, h, data[k]);
    }
}

static void fill_out(struct slcan_door *door, struct slcan_host *h)
{
    while (h->queue.count && sizeof(h->out) - h->out_len >= SLCAN_FRAME_MAX) {
        h->out_len += slcan_give(&h->slcan, can_queue_at(&h->queue, 0), door->now_ms, h->out + h->out_len);
        can_queue_drop_front(&h->queue, 1);
    }
}

static void write_host(struct slcan_door *door, struct slcan_host *h)
{
    for (;;) {
        fill_out(door, h);
        if (h->out_len == 0)
            return;
        ssize_t n = door->slave >= 0 ? write(h->fd, h->out, h->out_len) : send(h->fd, h->out, h->out_len, MSG_NOSIGNAL);

        if (n < 0) {
            if (!must_wait())
                leave(h);
            return;
        }
        h->out_len -= (size_t)n;
        memmove(h->out, h->out + n, h->out_len);
    }
}

void slcan_door_poll(struct slcan_door *door, uint32_t now_ms)
{
    door->now_ms = now_ms;
    take_hosts(door);
    for (int i = 0; i < SLCAN_HOSTS_MAX; i++) {
        if (door->host[i].fd >= 0)
            read_host(door, &door->host[i]);
        if (door->host[i].fd >= 0)
            write_host(door, &door->host[i]);
    }
}

size_t slcan_door_pollfds(const struct slcan_door *door, struct pollfd *fds)
{
    size_t n = 0;

    if (door->listener >= 0)
        fds[n++] = (struct pollfd) { .fd = door->listener, .events = POLLIN };
    for (int i = 0; i < SLCAN_HOSTS_MAX; i++) {
        const struct slcan_host *h = &door->host[i];

        if (h->fd >= 0)
            fds[n++] = (struct pollfd) { .fd = h->fd, .events = POLLIN }; /* what could not be written waits for the next step */
    }
    return n;
}

static void begin(struct slcan_door *door, struct can_bus *bus)
{
    *door = (struct slcan_door) { .bus = bus, .listener = -1, .slave = -1 };
    for (int i = 0; i < SLCAN_HOSTS_MAX; i++)
        door->host[i].fd = -1;
}

static int attach(struct slcan_door *door)
{
    door->node = can_bus_attach(door->bus, deliver, door);
    return door->node < 0 ? door->node : BMS_ERR_OK;
}

/* "host:port", "[v6]:port" -> two strings; false when it is neither. */
static bool split_address(const char *address, char host[SLCAN_PATH_MAX], const char **port)
{
    const char *colon = strrchr(address, ':');
    size_t n = colon ? (size_t)(colon - address) : 0;
    bool bracket = n >= 2 && address[0] == '[' && address[n - 1] == ']';

    if (!colon || n >= SLCAN_PATH_MAX || colon[1] == 0)
        return false;
    memcpy(host, address + bracket, n - 2u * bracket);
    host[n - 2u * bracket] = 0;
    *port = colon + 1;
    return strspn(*port, "0123456789") == strlen(*port);
}

static int listen_at(struct slcan_door *door, const struct addrinfo *a)
{
    int on = 1;

    door->listener = socket(a->ai_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (door->listener < 0)
        return BMS_ERR_IO;
    setsockopt(door->listener, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
    if (bind(door->listener, a->ai_addr, a->ai_addrlen) == 0 && listen(door->listener, SLCAN_HOSTS_MAX) == 0)
        return BMS_ERR_OK;
    int why = errno;

    close(door->listener);
    door->listener = -1;
    errno = why;
    return BMS_ERR_IO;
}

static uint16_t port_of(int fd)
{
    struct sockaddr_storage at;
    socklen_t n = sizeof(at);

    if (getsockname(fd, (struct sockaddr *)&at, &n) != 0)
        return 0;
    if (at.ss_family == AF_INET6)
        return ntohs(((const struct sockaddr_in6 *)&at)->sin6_port);
    return ntohs(((const struct sockaddr_in *)&at)->sin_port);
}

int slcan_door_open_tcp(struct slcan_door *door, const char *address, struct can_bus *bus)
{
    struct addrinfo hints = { .ai_socktype = SOCK_STREAM, .ai_flags = AI_PASSIVE };
    struct addrinfo *found;
    char host[SLCAN_PATH_MAX];
    const char *port;

    begin(door, bus);
    if (!split_address(address, host, &port) || getaddrinfo(host[0] ? host : NULL, port, &hints, &found) != 0)
        return BMS_ERR_RANGE;
    int err = listen_at(door, found);

    freeaddrinfo(found);
    if (err)
        return err;
    door->port = port_of(door->listener);
    return attach(door);
}

int slcan_door_open_pty(struct slcan_door *door, const char *link, struct can_bus *bus)
{
    int master;

    begin(door, bus);
    int err = pty_open(link, &master, &door->slave);

    if (err)
        return err;
    memcpy(door->link, link, strlen(link) + 1);
    join(door, master);
    return attach(door);
}

void slcan_door_close(struct slcan_door *door)
{
    for (int i = 0; i < SLCAN_HOSTS_MAX; i++) {
        if (door->host[i].fd >= 0)
            leave(&door->host[i]);
    }
    if (door->listener >= 0)
        close(door->listener);
    if (door->slave >= 0)
        close(door->slave);
    if (door->link[0])
        unlink(door->link);
    door->listener = -1;
    door->slave = -1;
    door->link[0] = 0;
}
