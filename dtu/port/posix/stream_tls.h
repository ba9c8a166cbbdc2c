/* SPDX-License-Identifier: Apache-2.0 */
/* stream_tls.h -- stream_port over POSIX sockets and mbedTLS: the Linux gateway.
 *
 * TLS 1.2, mutual, server certificate and name required. The last TLS session is kept in memory and offered again at the next open. Name
 * lookup uses getaddrinfo() and may block for the resolver's time-out; give an address or a hosts entry where that matters. Heap is used
 * (sockets, mbedTLS); the lwIP stream is the one that does without.
 */
#ifndef DTU_PORT_POSIX_STREAM_TLS_H
#define DTU_PORT_POSIX_STREAM_TLS_H

#include <stddef.h>

#include "dtu/port/stream_port.h"
#include "dtu/port/tls_files.h"

struct stream_tls;

/* Load keys and certificates and make a port in *out. Returns 0, BMS_ERR_IO or BMS_ERR_RANGE with a sentence in why[why_n]. */
int stream_tls_create(struct stream_tls **out, const struct tls_files *files, char *why, size_t why_n);

/* The port's functions; valid until destroy. */
const struct stream_port *stream_tls_port(struct stream_tls *s);

void stream_tls_destroy(struct stream_tls *s);

#endif
