/* SPDX-License-Identifier: Apache-2.0 */
/* tcp.c -- see tcp.h. */
#include "dtu/port/posix/tcp.h"

#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "common/err.h"

static int failed(struct tcp *t, const char *what, int err)
{
    snprintf(t->why, sizeof t->why, "%s: %s", what, strerror(err));
    return BMS_ERR_IO;
}

bool tcp_next(struct tcp *t)
{
    for (; t->next; t->next = t->next->ai_next) {
        const struct addrinfo *a = t->next;
        int one = 1;

        if (t->fd >= 0)
            close(t->fd);
        t->fd = socket(a->ai_family, a->ai_socktype, a->ai_protocol);
        if (t->fd < 0 || fcntl(t->fd, F_SETFL, O_NONBLOCK) < 0 || fcntl(t->fd, F_SETFD, FD_CLOEXEC) < 0) {
            failed(t, "cannot make a socket", errno);
            continue;
        }
        setsockopt(t->fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
        if (connect(t->fd, a->ai_addr, a->ai_addrlen) == 0 || errno == EINPROGRESS) {
            t->next = a->ai_next;
            return true;
        }
        failed(t, "cannot connect", errno);
    }
    return false;
}

int tcp_open(struct tcp *t, const char *host, uint16_t port)
{
    struct addrinfo hints = { .ai_family = AF_UNSPEC, .ai_socktype = SOCK_STREAM, .ai_flags = AI_NUMERICSERV };
    char service[8];

    tcp_close(t);
    t->why[0] = '\0';
    snprintf(service, sizeof service, "%u", port);
    int err = getaddrinfo(host, service, &hints, &t->found);

    if (err) {
        t->found = NULL;
        snprintf(t->why, sizeof t->why, "cannot look up the server's address: %s", gai_strerror(err));
        return BMS_ERR_IO;
    }
    t->next = t->found;
    return tcp_next(t) ? BMS_ERR_OK : BMS_ERR_IO;
}

int tcp_step(struct tcp *t)
{
    struct pollfd p = { .fd = t->fd, .events = POLLOUT };
    int err = 0;
    socklen_t n = sizeof err;

    if (poll(&p, 1, 0) <= 0)
        return 0;
    if (getsockopt(t->fd, SOL_SOCKET, SO_ERROR, &err, &n) < 0)
        err = errno;
    if (!err) {
        t->why[0] = '\0';
        return 1;
    }
    failed(t, "cannot connect", err);
    return tcp_next(t) ? 0 : BMS_ERR_IO;
}

static int count(struct tcp *t, ssize_t n)
{
    if (n >= 0)
        return (int)n;
    if (errno == EAGAIN || errno == EWOULDBLOCK || errno == EINTR)
        return 0;
    return failed(t, "connection lost", errno);
}

int tcp_send(struct tcp *t, const void *buf, size_t n)
{
    ssize_t sent = send(t->fd, buf, n, MSG_NOSIGNAL);

    if (sent < 0 && errno == EPIPE) /* the peer has closed: why, is still to be read; what we say does not matter any more */
        return (int)n;
    return count(t, sent);
}

int tcp_receive(struct tcp *t, void *buf, size_t n)
{
    ssize_t got = recv(t->fd, buf, n, 0);

    return got == 0 ? TCP_ENDED : count(t, got);
}

void tcp_close(struct tcp *t)
{
    if (t->fd >= 0)
        close(t->fd);
    t->fd = -1;
    if (t->found)
        freeaddrinfo(t->found);
    t->found = t->next = NULL;
}
