/* SPDX-License-Identifier: Apache-2.0 */
/* net.h -- moves bytes between a stream port and the MQTT client, and carries out what the link orders. No threads, never waits.
 *
 * Small packets are gathered into one buffer, so that a message costs one TLS record and one segment.
 */
#ifndef DTU_APP_NET_H
#define DTU_APP_NET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "dtu/core/link.h"
#include "dtu/port/stream_port.h"

enum { NET_OUT = 1360, NET_IN = 512, NET_WHY = 160 };

struct net { /* allocated by the caller; all but link.state and why private */
    const struct stream_port *stream;
    const char *host;
    uint16_t port;
    struct mqtt *mqtt;
    struct link link;
    uint8_t out[NET_OUT]; /* taken from the client, not yet by the stream: out[out_at] .. out[out_n - 1] */
    size_t out_at, out_n;
    bool refused;      /* the port did not even begin to open */
    char why[NET_WHY]; /* why the last session or stream ended, "" before the first end */
};

/* host and port: the broker, borrowed. seed differs between devices. Returns 0 or BMS_ERR_RANGE. */
int net_init(struct net *net, const struct stream_port *stream, const char *host, uint16_t port, struct mqtt *mqtt, uint32_t seed);

/* Do all that can be done now. Call it after publishing, when a descriptor of the stream's wait() is ready, and at least every 100 ms.
 * Returns true when the link state has changed; then net->link.state and net->why tell what happened. */
bool net_poll(struct net *net, uint32_t now_ms);

#endif
