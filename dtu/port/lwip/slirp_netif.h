/* SPDX-License-Identifier: Apache-2.0 */
/* slirp_netif.h -- lwIP's Ethernet interface on libslirp: a network of one, 10.0.2.15, that reaches the outside as this process.
 *
 * Needs no privilege. 10.0.2.2 is this computer's loopback, 10.0.2.3 answers DNS. One per process, as lwIP. libslirp writes to
 * sockets that the other side has closed, so the process ignores SIGPIPE from the start on.
 */
#ifndef DTU_PORT_LWIP_SLIRP_NETIF_H
#define DTU_PORT_LWIP_SLIRP_NETIF_H

#include <stddef.h>
#include <stdint.h>

#include "dtu/port/stream_port.h"

/* Call lwip_init() before. Returns 0 or BMS_ERR_IO. */
int slirp_netif_start(void);

/* Move frames both ways until nothing more moves; never waits. */
void slirp_netif_poll(void);

/* As stream_port.wait. */
size_t slirp_netif_wait(struct stream_fd *fds, size_t max, uint32_t *wait_ms);

void slirp_netif_stop(void);

#endif
