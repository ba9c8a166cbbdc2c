/* SPDX-License-Identifier: Apache-2.0 */
/* stream_lwip.h -- stream_port over lwIP, altcp and mbedTLS: the embedded DTU's stack, here on a user-mode network (libslirp).
 *
 * The same third-party code and options as on a board; only the network interface, the clock and the random source are Linux. One per
 * process, because lwIP's and mbedTLS's own state is global: a second create before destroy is BMS_ERR_STATE. All TLS state and all packets
 * out live in one static arena (lwIP's heap), packets in and connections in fixed pools, so nothing is allocated while it runs; libslirp,
 * which stands for the network, has its own heap.
 *
 * "localhost" and 127.x reach this computer's loopback; other names are looked up by DNS through slirp.
 */
#ifndef DTU_PORT_LWIP_STREAM_LWIP_H
#define DTU_PORT_LWIP_STREAM_LWIP_H

#include <stddef.h>

#include "dtu/port/stream_port.h"
#include "dtu/port/tls_files.h"

struct stream_lwip;

/* Start the network and load keys and certificates. Returns 0, BMS_ERR_STATE when there is one already, BMS_ERR_IO or BMS_ERR_RANGE with a
 * sentence in why[why_n]. */
int stream_lwip_create(struct stream_lwip **out, const struct tls_files *files, char *why, size_t why_n);

const struct stream_port *stream_lwip_port(struct stream_lwip *s);

/* Most bytes of the arena ever used, and its size. */
size_t stream_lwip_arena_peak(const struct stream_lwip *s);
size_t stream_lwip_arena_size(const struct stream_lwip *s);

void stream_lwip_destroy(struct stream_lwip *s);

#endif
