/* SPDX-License-Identifier: Apache-2.0 */
/* tls_note.h -- what mbedTLS told lwIP's altcp_tls, which keeps it to itself.
 *
 * altcp_tls 2.1.3 drops the reason of a failed handshake, and swallows errors of a read (a damaged record, an alert) so that the stream
 * would hang. It is compiled with its two calls renamed to the functions here, which do the same and take notes.
 */
#ifndef DTU_PORT_LWIP_TLS_NOTE_H
#define DTU_PORT_LWIP_TLS_NOTE_H

#include <stddef.h>
#include <stdint.h>

struct mbedtls_ssl_context;

struct tls_note {
    int err; /* fatal error of the last call, 0 when none */
    uint8_t alert;
};

/* The notes since tls_note_clear(). One connection at a time. */
struct tls_note tls_note_get(void);
void tls_note_clear(void);

int tls_note_handshake(struct mbedtls_ssl_context *ssl);
int tls_note_read(struct mbedtls_ssl_context *ssl, unsigned char *buf, size_t n);

#endif
