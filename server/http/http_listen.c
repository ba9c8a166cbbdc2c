/* SPDX-License-Identifier: Apache-2.0 */
/* http_listen.c -- see http_listen.h. */
#include "server/http/http_listen.h"

#include "common/err.h"

#include <netdb.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>

int http_listen_address(const char *listen, struct sockaddr_storage *address)
{
    char host[256];
    const char *colon = strrchr(listen, ':');
    size_t len = colon == NULL ? 0 : (size_t)(colon - listen);

    if (colon == NULL || colon[1] == '\0' || len >= sizeof host)
        return BMS_ERR_RANGE;
    if (len >= 2 && listen[0] == '[' && listen[len - 1] == ']')
        snprintf(host, sizeof host, "%.*s", (int)len - 2, listen + 1);
    else
        snprintf(host, sizeof host, "%.*s", (int)len, len > 0 ? listen : "");
    struct addrinfo hints = { .ai_socktype = SOCK_STREAM, .ai_flags = AI_PASSIVE | AI_NUMERICSERV };
    struct addrinfo *found = NULL;

    hints.ai_family = host[0] == '\0' ? AF_INET : AF_UNSPEC;
    if (getaddrinfo(host[0] == '\0' ? NULL : host, colon + 1, &hints, &found) != 0)
        return BMS_ERR_RANGE;
    memset(address, 0, sizeof *address);
    memcpy(address, found->ai_addr, found->ai_addrlen);
    freeaddrinfo(found);
    return 0;
}

unsigned http_listen_port(int fd)
{
    struct sockaddr_storage address = { .ss_family = AF_UNSPEC };
    socklen_t len = sizeof address;

    if (getsockname(fd, (struct sockaddr *)&address, &len) != 0)
        return 0;
    if (address.ss_family == AF_INET6)
        return ntohs(((struct sockaddr_in6 *)&address)->sin6_port);
    return ntohs(((struct sockaddr_in *)&address)->sin_port);
}

void http_peer_address(struct MHD_Connection *connection, char *text, size_t size)
{
    const union MHD_ConnectionInfo *info = MHD_get_connection_info(connection, MHD_CONNECTION_INFO_CLIENT_ADDRESS);

    text[0] = '\0';
    if (info == NULL || info->client_addr == NULL)
        return;
    socklen_t len = info->client_addr->sa_family == AF_INET6 ? sizeof(struct sockaddr_in6) : sizeof(struct sockaddr_in);

    if (getnameinfo(info->client_addr, len, text, (socklen_t)size, NULL, 0, NI_NUMERICHOST) != 0)
        text[0] = '\0';
}
