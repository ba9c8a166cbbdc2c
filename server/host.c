/* SPDX-License-Identifier: Apache-2.0 */
/* host.c -- getaddrinfo() and two loops. */
#include "server/host.h"

#include "common/err.h"

#include <netdb.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

int host_split(const char *text, char *host, size_t size)
{
    const char *colon = strrchr(text, ':');
    const char *from = text;
    char *end = NULL;

    if (!colon || colon == text)
        return BMS_ERR_RANGE;
    size_t n = (size_t)(colon - text);

    if (from[0] == '[' && from[n - 1] == ']') {
        from++;
        n -= 2;
    }
    long port = strtol(colon + 1, &end, 10);

    if (n == 0 || n >= size || end == colon + 1 || *end || port < 0 || port > 65535)
        return BMS_ERR_RANGE;
    memcpy(host, from, n);
    host[n] = '\0';
    return (int)port;
}

bool host_is_same(const char *a, const char *b)
{
    struct addrinfo hints, *of_a = NULL, *of_b = NULL;
    bool same = false;

    if (strcmp(a, b) == 0)
        return true;
    memset(&hints, 0, sizeof hints);
    hints.ai_socktype = SOCK_STREAM;
    if (getaddrinfo(a, NULL, &hints, &of_a) == 0 && getaddrinfo(b, NULL, &hints, &of_b) == 0)
        for (struct addrinfo *p = of_a; p; p = p->ai_next)
            for (struct addrinfo *q = of_b; q; q = q->ai_next)
                same |= p->ai_addrlen == q->ai_addrlen && memcmp(p->ai_addr, q->ai_addr, p->ai_addrlen) == 0;
    if (of_a)
        freeaddrinfo(of_a);
    if (of_b)
        freeaddrinfo(of_b);
    return same;
}
