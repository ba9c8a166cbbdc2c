/* SPDX-License-Identifier: Apache-2.0 */
/* tls_why.c -- see tls_why.h. */
#include "dtu/port/tls_why.h"

#include <stdio.h>

#include <mbedtls/ssl.h>
#include <mbedtls/x509.h>

/* clang-format off */
static const struct { /* the first that applies is told: the root cause before its consequences */
    uint32_t flag;
    const char *text;
} verify[] = {
    { MBEDTLS_X509_BADCERT_MISSING,       "the server showed no certificate" },
    { MBEDTLS_X509_BADCERT_NOT_TRUSTED,   "server certificate: unknown CA" },
    { MBEDTLS_X509_BADCERT_REVOKED,       "server certificate is revoked" },
    { MBEDTLS_X509_BADCERT_EXPIRED,       "server certificate has expired" },
    { MBEDTLS_X509_BADCERT_FUTURE,        "server certificate is not valid yet" },
    { MBEDTLS_X509_BADCERT_CN_MISMATCH,   "server name does not match its certificate" },
    { MBEDTLS_X509_BADCERT_KEY_USAGE,     "server certificate: wrong key usage" },
    { MBEDTLS_X509_BADCERT_EXT_KEY_USAGE, "server certificate is not one for servers" },
    { MBEDTLS_X509_BADCERT_BAD_KEY,       "server certificate: key too weak" },
    { MBEDTLS_X509_BADCERT_BAD_MD,        "server certificate: hash not allowed" },
    { MBEDTLS_X509_BADCERT_BAD_PK,        "server certificate: key type not allowed" },
};

static const struct { /* RFC 5246 7.2, RFC 8446 6 */
    uint8_t alert;
    const char *text;
} alerts[] = {
    {  40, "handshake failure (no client certificate, or no common cipher)" },
    {  42, "our certificate is bad" },
    {  43, "our certificate is of an unsupported kind" },
    {  44, "our certificate is revoked" },
    {  45, "our certificate has expired" },
    {  46, "our certificate is unacceptable" },
    {  48, "our certificate is of an unknown CA" },
    {  49, "access denied" },
    {  70, "TLS version not supported" },
    {  71, "insufficient security" },
    {  80, "internal error of the server" },
    { 112, "unknown server name" },
    { 116, "client certificate required" },
};
/* clang-format on */

static const char *verify_text(uint32_t flags)
{
    for (size_t i = 0; i < sizeof verify / sizeof verify[0]; i++)
        if (flags & verify[i].flag)
            return verify[i].text;
    return "server certificate is not acceptable";
}

void tls_why(char *why, size_t n, int err, uint32_t verify_flags, uint8_t alert)
{
    if (verify_flags || err == MBEDTLS_ERR_X509_CERT_VERIFY_FAILED) {
        snprintf(why, n, "%s", verify_text(verify_flags));
        return;
    }
    if (err == MBEDTLS_ERR_SSL_FATAL_ALERT_MESSAGE) {
        for (size_t i = 0; i < sizeof alerts / sizeof alerts[0]; i++) {
            if (alerts[i].alert == alert) {
                snprintf(why, n, "refused by the server: %s", alerts[i].text);
                return;
            }
        }
        snprintf(why, n, "refused by the server: TLS alert %u", alert);
        return;
    }
    switch (err) {
    case MBEDTLS_ERR_SSL_CONN_EOF:
    case 0:
        snprintf(why, n, "ended by the server");
        break;
    case MBEDTLS_ERR_SSL_PEER_CLOSE_NOTIFY:
        snprintf(why, n, "closed by the server");
        break;
    case MBEDTLS_ERR_SSL_INVALID_MAC:
        snprintf(why, n, "a TLS record was damaged on the way");
        break;
    case MBEDTLS_ERR_SSL_ALLOC_FAILED:
        snprintf(why, n, "not enough memory for TLS");
        break;
    default:
        snprintf(why, n, "TLS error -0x%04X", (unsigned)-err);
        break;
    }
}
