/* SPDX-License-Identifier: Apache-2.0 */
/* stream_port.h -- a reliable, mutually authenticated byte stream to one server, as a board must provide it.
 *
 * What a port hides: name lookup, TCP, TLS with the server's certificate and name checked and the device's own certificate shown. What it
 * is not: a general socket. One stream at a time per port, used from one thread, nothing blocks except that `open` may compute for some
 * milliseconds. The port has hard time-outs of its own for every step from `open` to OPEN; once OPEN, silence is the session's business
 * (MQTT keep-alive).
 *
 *   CLOSED --open--> CONNECTING --poll--> OPEN --poll--> FAILED      close: any state --> CLOSED
 *                        |                                 ^
 *                        +---------------------------------+         refused, timed out, certificate refused, cut, ended by the peer
 */
#ifndef DTU_PORT_STREAM_PORT_H
#define DTU_PORT_STREAM_PORT_H

#include <stddef.h>
#include <stdint.h>

enum stream_state { STREAM_CLOSED, STREAM_CONNECTING, STREAM_OPEN, STREAM_FAILED };

enum { STREAM_FD_IN = 1, STREAM_FD_OUT = 2 };

/* A file descriptor that the port waits for; STREAM_FD_* mask. Only boards with an operating system have any. */
struct stream_fd {
    int fd;
    uint8_t events;
};

struct stream_port {
    void *ctx; /* handed back to every call, owned by the port */

    /* Start to connect. host is a name or a dotted address, at most 253 characters, copied. 0, or BMS_ERR_STATE when not CLOSED,
     * BMS_ERR_RANGE for a bad host or port 0; whatever fails later is told by poll. */
    int (*open)(void *ctx, const char *host, uint16_t port);

    /* Advance everything behind the port (timers, network stack, handshake) by what is ready now; never waits. now_ms is monotonic and may
     * wrap. Call it when a descriptor is ready, when wait_ms is over, and after each burst of writes. Returns the state after it. */
    enum stream_state (*poll)(void *ctx, uint32_t now_ms);

    /* Take up to n received bytes. Count, 0 when there are none now, BMS_ERR_STATE when not OPEN, BMS_ERR_IO when the stream just failed
     * (poll then says FAILED). */
    int (*read)(void *ctx, uint8_t *buf, size_t n);

    /* Hand over up to n bytes. Count taken, may be less than n and 0 when there is no room now; errors as read. What was offered and not
     * taken must come again, as the first bytes of the next call (the TLS record is begun). */
    int (*write)(void *ctx, const uint8_t *buf, size_t n);

    /* End at once and go to CLOSED; in OPEN a TLS close_notify is tried. Safe in every state. */
    void (*close)(void *ctx);

    /* Why the last stream ended or was refused, in words ("unknown CA", "certificate has expired", "server name does not match"). Never
     * NULL, "" when nothing failed; valid until the next open. */
    const char *(*reason)(void *ctx);

    /* What to sleep on before the next poll: up to max descriptors into fds[max], and *wait_ms lowered to the port's next timer. Returns
     * how many. Spurious wake-ups are harmless. */
    size_t (*wait)(void *ctx, struct stream_fd *fds, size_t max, uint32_t *wait_ms);
};

#endif
