/* SPDX-License-Identifier: Apache-2.0 */
#define _DEFAULT_SOURCE /* cfmakeraw, struct ifreq, the higher rates */
#define can_frame       kernel_can_frame
#include <linux/can.h>
#include <linux/can/raw.h>
#undef can_frame

#include "local/port/wire_open.h"

#include <errno.h>
#include <fcntl.h>
#include <net/if.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <termios.h>
#include <unistd.h>

enum { HOST_MAX = 160 };

static const struct {
    unsigned baud;
    speed_t speed;
} rates[] = {
    { 9600, B9600 },     { 19200, B19200 },   { 38400, B38400 },   { 57600, B57600 },     { 115200, B115200 },
    { 230400, B230400 }, { 460800, B460800 }, { 921600, B921600 }, { 1000000, B1000000 }, { 2000000, B2000000 },
};

static const speed_t *speed_of(unsigned baud)
{
    for (size_t i = 0; i < sizeof(rates) / sizeof(rates[0]); i++)
        if (rates[i].baud == baud)
            return &rates[i].speed;
    return NULL;
}

bool wire_is_baud(unsigned baud)
{
    return speed_of(baud) != NULL;
}

static int fail(int fd, char *why, size_t n, const char *what)
{
    snprintf(why, n, "%s: %s", what, strerror(errno));
    if (fd >= 0)
        close(fd);
    return -1;
}

int wire_open_serial(const char *port, unsigned baud, char *why, size_t n)
{
    struct termios line;
    int fd = open(port, O_RDWR | O_NOCTTY | O_NONBLOCK | O_CLOEXEC);

    if (fd < 0 || tcgetattr(fd, &line) != 0)
        return fail(fd, why, n, port);
    cfmakeraw(&line);
    line.c_cflag |= CLOCAL | CREAD;
    line.c_cflag &= ~(tcflag_t)CRTSCTS;
    cfsetspeed(&line, *speed_of(baud));
    if (tcsetattr(fd, TCSANOW, &line) != 0)
        return fail(fd, why, n, port);
    tcflush(fd, TCIOFLUSH);
    return fd;
}

bool wire_is_address(const char *address)
{
    const char *colon = strrchr(address, ':');
    char *end = NULL;
    unsigned long port = colon && colon[1] >= '0' && colon[1] <= '9' ? strtoul(colon + 1, &end, 10) : 0;

    return colon && colon > address && colon - address < HOST_MAX && port > 0 && port <= 65535 && *end == '\0';
}

static int dial(const struct addrinfo *to, char *why, size_t n, const char *address)
{
    int on = 1, fd = socket(to->ai_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

    if (fd < 0 || (connect(fd, to->ai_addr, to->ai_addrlen) != 0 && errno != EINPROGRESS))
        return fail(fd, why, n, address);
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
    return fd;
}

int wire_open_tcp(const char *address, char *why, size_t n)
{
    struct addrinfo want = { .ai_socktype = SOCK_STREAM }, *found = NULL;
    const char *colon = strrchr(address, ':');
    char host[HOST_MAX];
    bool bracket = address[0] == '[' && colon[-1] == ']';

    snprintf(host, sizeof(host), "%.*s", (int)(colon - address) - 2 * bracket, address + bracket);
    int err = getaddrinfo(host, colon + 1, &want, &found);

    if (err != 0 || found == NULL) {
        snprintf(why, n, "%s: %s", address, gai_strerror(err));
        return -1;
    }
    int fd = dial(found, why, n, address);

    freeaddrinfo(found);
    return fd;
}

bool wire_tcp_is_up(int fd, char *why, size_t n)
{
    int err = 0;
    socklen_t size = sizeof(err);

    if (getsockopt(fd, SOL_SOCKET, SO_ERROR, &err, &size) == 0 && err == 0)
        return true;
    snprintf(why, n, "%s", strerror(err));
    return false;
}

int wire_open_can(const char *interface, char *why, size_t n)
{
    struct sockaddr_can at = { .can_family = AF_CAN };
    int fd = socket(PF_CAN, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK, CAN_RAW);

    if (fd < 0)
        return fail(fd, why, n, "this kernel has no CAN");
    at.can_ifindex = (int)if_nametoindex(interface);
    if (at.can_ifindex == 0 || bind(fd, (const struct sockaddr *)&at, sizeof(at)) != 0)
        return fail(fd, why, n, interface);
    return fd;
}
