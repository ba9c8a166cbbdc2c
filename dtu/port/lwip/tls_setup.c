/* SPDX-License-Identifier: Apache-2.0 */
/* tls_setup.c -- see tls_setup.h. */
#include "dtu/port/lwip/tls_setup.h"

#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "lwip/altcp_tls.h"
#include "mbedtls/pk.h"
#include "mbedtls/platform_util.h"
#include "mbedtls/ssl.h"
#include "mbedtls/x509_crt.h"

#include "common/err.h"

enum { PEM_MAX = 8192 }; /* a CA bundle of a few certificates */

struct pem {
    uint8_t text[PEM_MAX];
    size_t n; /* with the zero that mbedTLS wants at the end */
};

static int read_pem(struct pem *pem, const char *what, const char *file, char *why, size_t why_n)
{
    FILE *f = fopen(file, "rb");

    pem->n = f ? fread(pem->text, 1, PEM_MAX - 1, f) : 0;
    bool whole = f && feof(f) && !ferror(f);

    if (f)
        fclose(f);
    pem->text[pem->n++] = '\0';
    if (whole && pem->n > 1)
        return BMS_ERR_OK;
    snprintf(why, why_n, "cannot read the %s in %s%s", what, file, f && !whole ? " (too long)" : "");
    return BMS_ERR_IO;
}

/* altcp_tls would only say NULL, and its own clean-up frees what it must not: so everything is tried here before. */
static int check_certificate(const struct pem *pem, const char *what, const char *file, char *why, size_t why_n)
{
    mbedtls_x509_crt crt;

    mbedtls_x509_crt_init(&crt);
    int err = mbedtls_x509_crt_parse(&crt, pem->text, pem->n);

    mbedtls_x509_crt_free(&crt);
    if (!err)
        return BMS_ERR_OK;
    snprintf(why, why_n, "cannot read the %s in %s (-0x%04X)", what, file, (unsigned)-err);
    return BMS_ERR_IO;
}

static int check_pair(const struct pem *cert, const struct pem *key, const struct tls_files *files, char *why, size_t why_n)
{
    mbedtls_x509_crt crt;
    mbedtls_pk_context pk;

    mbedtls_x509_crt_init(&crt);
    mbedtls_pk_init(&pk);
    int err = mbedtls_pk_parse_key(&pk, key->text, key->n, NULL, 0);

    if (err) {
        snprintf(why, why_n, "cannot read the key in %s (-0x%04X)", files->key_file, (unsigned)-err);
        err = BMS_ERR_IO;
    } else if (mbedtls_x509_crt_parse(&crt, cert->text, cert->n) || mbedtls_pk_check_pair(&crt.pk, &pk)) {
        snprintf(why, why_n, "%s is not the key of %s", files->key_file, files->cert_file);
        err = BMS_ERR_RANGE;
    }
    mbedtls_pk_free(&pk);
    mbedtls_x509_crt_free(&crt);
    return err;
}

static int on_verify(void *ctx, mbedtls_x509_crt *cert, int depth, uint32_t *flags)
{
    (void)cert;
    (void)depth;
    *(uint32_t *)ctx |= *flags;
    return 0;
}

/* altcp_tls gives no way to its mbedTLS configuration, which is its first member (altcp_tls_mbedtls.c). */
static void harden(struct altcp_tls_config *config, uint32_t *verify_flags)
{
    mbedtls_ssl_config *ssl = (mbedtls_ssl_config *)(void *)config;

    mbedtls_ssl_conf_authmode(ssl, MBEDTLS_SSL_VERIFY_REQUIRED);
    mbedtls_ssl_conf_verify(ssl, on_verify, verify_flags);
    mbedtls_ssl_conf_max_frag_len(ssl, MBEDTLS_SSL_MAX_FRAG_LEN_4096);
    mbedtls_ssl_conf_session_tickets(ssl, MBEDTLS_SSL_SESSION_TICKETS_ENABLED);
}

static int load(struct pem pem[3], const struct tls_files *files, char *why, size_t why_n)
{
    int err = read_pem(&pem[0], "CA certificates", files->ca_file, why, why_n);

    if (!err)
        err = check_certificate(&pem[0], "CA certificates", files->ca_file, why, why_n);
    if (err || !files->cert_file)
        return err;
    err = read_pem(&pem[1], "certificate", files->cert_file, why, why_n);
    if (!err)
        err = check_certificate(&pem[1], "certificate", files->cert_file, why, why_n);
    if (!err)
        err = read_pem(&pem[2], "key", files->key_file, why, why_n);
    return err ? err : check_pair(&pem[1], &pem[2], files, why, why_n);
}

int tls_setup(struct altcp_tls_config **out, const struct tls_files *files, uint32_t *verify_flags, char *why, size_t why_n)
{
    static struct pem pem[3]; /* CA, certificate, key; wiped below */
    int err = load(pem, files, why, why_n);

    if (!err) {
        *out = files->cert_file
                   ? altcp_tls_create_config_client_2wayauth(pem[0].text, pem[0].n, pem[2].text, pem[2].n, NULL, 0, pem[1].text, pem[1].n)
                   : altcp_tls_create_config_client(pem[0].text, pem[0].n);
        if (*out) {
            harden(*out, verify_flags);
        } else {
            snprintf(why, why_n, "cannot configure TLS");
            err = BMS_ERR_NOSPACE;
        }
    }
    mbedtls_platform_zeroize(pem, sizeof pem);
    return err;
}
