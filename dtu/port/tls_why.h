/* SPDX-License-Identifier: Apache-2.0 */
/* tls_why.h -- why a TLS handshake failed, in words that a technician can act on. Shared by the TLS streams; needs mbedTLS 2.28's headers. */
#ifndef DTU_PORT_TLS_WHY_H
#define DTU_PORT_TLS_WHY_H

#include <stddef.h>
#include <stdint.h>

/* err: what mbedTLS returned. verify_flags: MBEDTLS_X509_BADCERT_* seen while the server's chain was checked. alert: description byte of the
 * fatal alert received, when err is MBEDTLS_ERR_SSL_FATAL_ALERT_MESSAGE. Writes into why[n]. */
void tls_why(char *why, size_t n, int err, uint32_t verify_flags, uint8_t alert);

#endif
