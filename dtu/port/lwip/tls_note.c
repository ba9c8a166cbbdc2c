/* SPDX-License-Identifier: Apache-2.0 */
/* tls_note.c -- see tls_note.h. */
#include "dtu/port/lwip/tls_note.h"

#include "mbedtls/ssl.h"

static struct tls_note note;

struct tls_note tls_note_get(void)
{
    return note;
}

void tls_note_clear(void)
{
    note = (struct tls_note) { 0 };
}

static int take(const mbedtls_ssl_context *ssl, int ret)
{
    if (ret < 0 && ret != MBEDTLS_ERR_SSL_WANT_READ && ret != MBEDTLS_ERR_SSL_WANT_WRITE && !note.err) {
        note.err = ret;
        note.alert = ret == MBEDTLS_ERR_SSL_FATAL_ALERT_MESSAGE ? ssl->in_msg[1] : 0;
    }
    return ret;
}

int tls_note_handshake(mbedtls_ssl_context *ssl)
{
    return take(ssl, mbedtls_ssl_handshake(ssl));
}

int tls_note_read(mbedtls_ssl_context *ssl, unsigned char *buf, size_t n)
{
    return take(ssl, mbedtls_ssl_read(ssl, buf, n));
}
