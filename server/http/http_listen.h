/* SPDX-License-Identifier: Apache-2.0 */
/* http_listen.h -- addresses: "HOST:PORT" to a socket address, and a peer's address to text. Only http.c calls this. */
#ifndef SERVER_HTTP_LISTEN_H
#define SERVER_HTTP_LISTEN_H

#include <microhttpd.h>
#include <stddef.h>
#include <sys/socket.h>

/* "127.0.0.1:8080", "[::1]:8080", "localhost:8080", ":8080" (every IPv4 address). Returns 0, or BMS_ERR_RANGE. */
int http_listen_address(const char *listen, struct sockaddr_storage *address);

/* The port a socket is bound to; 0 when it cannot be told. */
unsigned http_listen_port(int fd);

/* The peer's numeric address without its port, "" when unknown. */
void http_peer_address(struct MHD_Connection *connection, char *text, size_t size);

#endif
