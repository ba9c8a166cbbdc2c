/* SPDX-License-Identifier: Apache-2.0 */
/* wire_open.h -- open one kind of cable. Used by wire.c alone. Each returns a non-blocking descriptor, or -1 with why[n] set. */
#ifndef LOCAL_PORT_WIRE_OPEN_H
#define LOCAL_PORT_WIRE_OPEN_H

#include <stdbool.h>
#include <stddef.h>

/* A raw line of `baud`, 8N1, no flow control. */
int wire_open_serial(const char *port, unsigned baud, char *why, size_t n);

/* The connection may still be under way: wait until it can be written, then ask wire_tcp_is_up(). */
int wire_open_tcp(const char *address, char *why, size_t n);
bool wire_tcp_is_up(int fd, char *why, size_t n);

int wire_open_can(const char *interface, char *why, size_t n);

/* Is there such a rate? */
bool wire_is_baud(unsigned baud);

/* "HOST:PORT" with a port from 1 to 65535. */
bool wire_is_address(const char *address);

#endif
