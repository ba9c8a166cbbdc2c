/* SPDX-License-Identifier: Apache-2.0 */
/* tcp.h -- one non-blocking TCP connection to the first address of a name that answers. Used by stream_tls.c. */
#ifndef DTU_PORT_POSIX_TCP_H
#define DTU_PORT_POSIX_TCP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { TCP_ENDED = -1000 }; /* the peer has closed its side; no BMS_ERR_* has this value */

struct addrinfo;

struct tcp {
    int fd; /* -1: none; set it before the first use */
    struct addrinfo *found, *next;
    char why[128]; /* "" while nothing failed */
};

/* Look the name up and begin with its first address. 0 or BMS_ERR_IO. */
int tcp_open(struct tcp *t, const char *host, uint16_t port);

/* 1 connected, 0 not yet, BMS_ERR_IO when no address is left. */
int tcp_step(struct tcp *t);

/* Give this address up and begin with the next; false when none is left. */
bool tcp_next(struct tcp *t);

/* Count, 0 when it would wait, TCP_ENDED, or BMS_ERR_IO. */
int tcp_send(struct tcp *t, const void *buf, size_t n);
int tcp_receive(struct tcp *t, void *buf, size_t n);

void tcp_close(struct tcp *t);

#endif
