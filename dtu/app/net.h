/* SPDX-License-Identifier: Apache-2.0 */
/* net.h -- moves bytes between a stream port and the MQTT client, and carries out what the link orders. No threads, never waits. */
#ifndef DTU_APP_NET_H
#define DTU_APP_NET_H

#include <stdbool.h>
#include <stdint.h>

#include "dtu/core/link.h"
#include "dtu/port/stream_port.h"

struct net { /* allocated by the caller */
    const struct stream_port *stream;
    const char *host;
    uint16_t port;
    struct mqtt *mqtt;
    struct link link;
    char why[128]; /* why the last session or stream ended, "" before the first end */
};

/* host is borrowed. Returns 0 or BMS_ERR_RANGE. */
int net_init(struct net *net, const struct stream_port *stream, const char *host, uint16_t port, struct mqtt *mqtt, uint32_t seed);

/* Do all that can be done now. Returns true when the link state has changed; then net->link.state and net->why tell what happened. */
bool net_poll(struct net *net, uint32_t now_ms);

#endif
