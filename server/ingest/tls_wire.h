/* SPDX-License-Identifier: Apache-2.0 */
/* tls_wire.h -- a TLS 1.2 stream to a broker by OpenSSL, made for few and large reads and writes. Not thread-safe: one owner.
 *
 * Our certificate is shown, the peer's must be signed by `ca` and carry the name that we connect to. One read of the socket takes all records that are
 * there (up to 128 kB), one write makes one TLS record of up to 16 kB: a system call and a seal for many messages.
 */
#ifndef SERVER_TLS_WIRE_H
#define SERVER_TLS_WIRE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct tls_wire;

struct tls_wire_files { /* PEM; borrowed for the call */
    const char *ca, *cert, *key;
};

/* Connect and shake hands; at most wait_ms for each. NULL with the reason in why[size]. */
struct tls_wire *tls_wire_open(const struct tls_wire_files *files, const char *host, int port, int wait_ms, char *why, size_t size);

/* Say goodbye without waiting for an answer, and free. NULL is allowed. */
void tls_wire_close(struct tls_wire *wire);

/* Returns the bytes taken (at most n), 0 when it would have to wait, BMS_ERR_IO when the stream has ended. */
int tls_wire_read(struct tls_wire *wire, uint8_t *out, size_t n);
int tls_wire_write(struct tls_wire *wire, const uint8_t *bytes, size_t n);

/* Wait until there is something to read, or room when `writing`, or `wake_fd` (-1: none) is readable; at most ms. Returns 0 or BMS_ERR_IO. */
int tls_wire_wait(struct tls_wire *wire, bool writing, int wake_fd, int ms);

#endif
