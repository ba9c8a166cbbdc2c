/* SPDX-License-Identifier: Apache-2.0 */
#include "dtu/port/posix/can_client.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "common/err.h"

int can_client_init(struct can_client *c, const char *path)
{
    size_t n = strlen(path);

    *c = (struct can_client) { .fd = -1 };
    if (n == 0 || n >= sizeof(c->path) || n >= sizeof(((struct sockaddr_un *)0)->sun_path))
        return BMS_ERR_RANGE;
    memcpy(c->path, path, n + 1);
    return BMS_ERR_OK;
}

void can_client_deinit(struct can_client *c)
{
    if (c->fd >= 0)
        close(c->fd);
    c->fd = -1;
    c->in_len = 0;
    c->in_at = 0;
}

/* A local connect() is done at once or fails at once. */
static void link_up(struct can_client *c)
{
    struct sockaddr_un to = { .sun_family = AF_UNIX };
    int fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

    memcpy(to.sun_path, c->path, strlen(c->path) + 1);
    if (fd >= 0 && connect(fd, (const struct sockaddr *)&to, sizeof(to)) == 0) {
        c->fd = fd;
        c->links++;
        c->why = 0;
        return;
    }
    c->why = errno;
    if (fd >= 0)
        close(fd);
}

bool can_client_step(struct can_client *c, uint32_t now_ms)
{
    if (c->fd < 0 && (!c->tried || now_ms - c->tried_ms >= CAN_CLIENT_RETRY_MS)) {
        c->tried = true;
        c->tried_ms = now_ms;
        link_up(c);
    }
    return c->fd >= 0;
}

int can_client_fd(const struct can_client *c)
{
    return c->fd;
}

static bool must_wait(void)
{
    return errno == EAGAIN || errno == EINTR || errno == ENOBUFS;
}

/* The next packet into c->in: 1, 0 when none waits, BMS_ERR_IO. */
static int next_packet(struct can_client *c)
{
    for (;;) {
        struct iovec part = { .iov_base = c->in, .iov_len = sizeof(c->in) };
        struct msghdr message = { .msg_iov = &part, .msg_iovlen = 1 };
        ssize_t n = recvmsg(c->fd, &message, 0);

        if (n < 0 && must_wait())
            return 0;
        if (n <= 0) {
            can_client_deinit(c);
            return BMS_ERR_IO;
        }
        if (n % CAN_HUB_FRAME == 0 && !(message.msg_flags & MSG_TRUNC)) {
            c->in_len = (size_t)n;
            c->in_at = 0;
            return 1;
        }
        c->malformed++;
    }
}

int can_client_receive(struct can_client *c, struct can_frame *f)
{
    for (;;) {
        if (c->in_at == c->in_len) {
            int got = c->fd < 0 ? BMS_ERR_IO : next_packet(c);

            if (got != 1)
                return got;
        }
        const uint8_t *p = c->in + c->in_at;

        c->in_at += CAN_HUB_FRAME;
        if (can_hub_decode(p, f))
            return 1;
        c->malformed++;
    }
}

int can_client_send(struct can_client *c, const struct can_frame *f)
{
    uint8_t wire[CAN_HUB_FRAME];

    if (c->fd < 0)
        return BMS_ERR_IO;
    can_hub_encode(f, wire);
    if (send(c->fd, wire, sizeof(wire), MSG_NOSIGNAL) == (ssize_t)sizeof(wire))
        return BMS_ERR_OK;
    if (must_wait())
        return BMS_ERR_NOSPACE;
    can_client_deinit(c);
    return BMS_ERR_IO;
}
