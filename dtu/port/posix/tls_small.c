/* SPDX-License-Identifier: Apache-2.0 */
/* tls_small.c -- what the embedded DTU's mbedTLS leaves to its platform: random bytes, time, and files, which it is built without. */
#include <mbedtls/entropy.h>
#include <mbedtls/entropy_poll.h>
#include <mbedtls/pk.h>
#include <mbedtls/x509_crt.h>

#include <stdio.h>
#include <stdlib.h>
#include <sys/random.h>

enum { FILE_MAX = 16384, ASKED_MAX = 256 }; /* getrandom gives less than asked only above this */

int mbedtls_hardware_poll(void *data, unsigned char *output, size_t n, size_t *got)
{
    (void)data;
    if (n > ASKED_MAX)
        n = ASKED_MAX;
    if (getrandom(output, n, 0) != (ssize_t)n)
        return MBEDTLS_ERR_ENTROPY_SOURCE_FAILED;
    *got = n;
    return 0;
}

time_t tls_platform_time(time_t *t)
{
    return time(t);
}

/* The file with a zero behind it, as the parsers of PEM want it, into out[FILE_MAX]. Returns the length with the zero; 0: it cannot be read or is too long. */
static size_t read_text(const char *path, unsigned char *out)
{
    FILE *f = fopen(path, "rb");
    size_t n = f ? fread(out, 1, FILE_MAX, f) : 0;

    if (f)
        fclose(f);
    if (n == 0 || n == FILE_MAX)
        return 0;
    out[n] = '\0';
    return n + 1;
}

int mbedtls_x509_crt_parse_file(mbedtls_x509_crt *chain, const char *path)
{
    unsigned char text[FILE_MAX];
    size_t n = read_text(path, text);

    return n ? mbedtls_x509_crt_parse(chain, text, n) : MBEDTLS_ERR_X509_FILE_IO_ERROR;
}

int mbedtls_pk_parse_keyfile(mbedtls_pk_context *key, const char *path, const char *password)
{
    unsigned char text[FILE_MAX];
    size_t n = read_text(path, text);

    (void)password; /* none of ours has one */
    return n ? mbedtls_pk_parse_key(key, text, n, NULL, 0) : MBEDTLS_ERR_PK_FILE_IO_ERROR;
}
