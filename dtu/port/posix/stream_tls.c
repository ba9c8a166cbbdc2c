/* SPDX-License-Identifier: Apache-2.0 */
/* stream_tls.c -- see stream_tls.h: TLS and the port's functions; TCP is in tcp.c. */
#include "dtu/port/posix/stream_tls.h"

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <mbedtls/ctr_drbg.h>
#include <mbedtls/ecp.h>
#include <mbedtls/entropy.h>
#include <mbedtls/pk.h>
#include <mbedtls/ssl.h>
#include <mbedtls/ssl_ciphersuites.h>
#include <mbedtls/x509_crt.h>

#include "common/err.h"
#include "dtu/port/posix/tcp.h"
#include "dtu/port/tls_why.h"

enum { TCP_MAX_MS = 10000, TLS_MAX_MS = 10000, RESUME_MAX_MS = 12 * 3600 * 1000 };

enum step { STEP_TCP, STEP_TLS };

struct stream_tls {
    struct stream_port port;
    mbedtls_entropy_context entropy;
    mbedtls_ctr_drbg_context random;
    mbedtls_x509_crt ca, cert;
    mbedtls_pk_context key;
    mbedtls_ssl_config config;
    mbedtls_ssl_context ssl;
    mbedtls_ssl_session session; /* of the last handshake, offered again */
    bool have_session;
    uint32_t session_ms; /* when it was a full handshake */
    char server_name[254];

    enum stream_state state;
    enum step step;
    bool started;        /* polled since open */
    uint32_t started_ms; /* this step */
    uint32_t now_ms;
    struct tcp tcp;
    int want;        /* what the handshake waits for */
    size_t begun;    /* bytes of the TLS record that the socket has not taken yet */
    uint32_t verify; /* MBEDTLS_X509_BADCERT_* of the server's chain */
    char why[160];
};

static void fail(struct stream_tls *s, const char *why)
{
    if (why != s->why)
        snprintf(s->why, sizeof s->why, "%s", why);
    s->state = STREAM_FAILED;
}

static void fail_tls(struct stream_tls *s, int err)
{
    uint8_t alert = err == MBEDTLS_ERR_SSL_FATAL_ALERT_MESSAGE ? s->ssl.in_msg[1] : 0;

    if (s->tcp.why[0] && (err == MBEDTLS_ERR_SSL_INTERNAL_ERROR || err == MBEDTLS_ERR_SSL_CONN_EOF))
        snprintf(s->why, sizeof s->why, "%s", s->tcp.why);
    else
        tls_why(s->why, sizeof s->why, err, s->verify, alert);
    fail(s, s->why);
}

/* Collects what is wrong with any certificate of the chain; mbedTLS refuses by itself. */
static int on_verify(void *ctx, mbedtls_x509_crt *cert, int depth, uint32_t *flags)
{
    struct stream_tls *s = ctx;

    (void)cert;
    (void)depth;
    s->verify |= *flags;
    return 0;
}

static int send_bytes(void *ctx, const unsigned char *buf, size_t n)
{
    int sent = tcp_send(ctx, buf, n);

    return sent > 0 ? sent : sent == 0 ? MBEDTLS_ERR_SSL_WANT_WRITE : MBEDTLS_ERR_SSL_INTERNAL_ERROR;
}

static int receive_bytes(void *ctx, unsigned char *buf, size_t n)
{
    int got = tcp_receive(ctx, buf, n);

    if (got > 0)
        return got;
    return got == 0 ? MBEDTLS_ERR_SSL_WANT_READ : got == TCP_ENDED ? MBEDTLS_ERR_SSL_CONN_EOF : MBEDTLS_ERR_SSL_INTERNAL_ERROR;
}

static void enter(struct stream_tls *s, enum step step)
{
    s->step = step;
    s->started_ms = s->now_ms;
}

static int on_open(void *ctx, const char *host, uint16_t port)
{
    struct stream_tls *s = ctx;

    if (s->state != STREAM_CLOSED)
        return BMS_ERR_STATE;
    if (!host[0] || strlen(host) > 253 || port == 0)
        return BMS_ERR_RANGE;
    s->why[0] = '\0';
    s->verify = 0;
    s->begun = 0;
    s->state = STREAM_CONNECTING;
    s->step = STEP_TCP;
    s->started = false; /* the time is not known before the first poll */
    if (tcp_open(&s->tcp, host, port) != BMS_ERR_OK)
        fail(s, s->tcp.why);
    return BMS_ERR_OK;
}

static void start_tls(struct stream_tls *s)
{
    int err = mbedtls_ssl_setup(&s->ssl, &s->config);

    if (!err)
        err = mbedtls_ssl_set_hostname(&s->ssl, s->server_name);
    if (err) {
        fail_tls(s, err);
        return;
    }
    if (s->have_session && s->now_ms - s->session_ms < RESUME_MAX_MS)
        mbedtls_ssl_set_session(&s->ssl, &s->session);
    mbedtls_ssl_set_bio(&s->ssl, &s->tcp, send_bytes, receive_bytes, NULL);
    enter(s, STEP_TLS);
}

static void forget_session(struct stream_tls *s)
{
    mbedtls_ssl_session_free(&s->session);
    mbedtls_ssl_session_init(&s->session);
    s->have_session = false;
}

static void keep_session(struct stream_tls *s)
{
    if (!s->have_session)
        s->session_ms = s->now_ms;
    mbedtls_ssl_session_free(&s->session);
    mbedtls_ssl_session_init(&s->session);
    s->have_session = mbedtls_ssl_get_session(&s->ssl, &s->session) == 0;
}

static void step_tcp(struct stream_tls *s)
{
    int done = tcp_step(&s->tcp);

    if (done < 0)
        fail(s, s->tcp.why);
    else if (done > 0)
        start_tls(s);
    else if (s->now_ms - s->started_ms > TCP_MAX_MS && tcp_next(&s->tcp))
        s->started_ms = s->now_ms;
    else if (s->now_ms - s->started_ms > TCP_MAX_MS)
        fail(s, "no TCP connection in time");
}

static void step_tls(struct stream_tls *s)
{
    int err = mbedtls_ssl_handshake(&s->ssl);

    if (err == 0) {
        keep_session(s);
        s->state = STREAM_OPEN;
    } else if (err == MBEDTLS_ERR_SSL_WANT_READ || err == MBEDTLS_ERR_SSL_WANT_WRITE) {
        s->want = err;
        if (s->now_ms - s->started_ms > TLS_MAX_MS)
            fail(s, "no TLS handshake in time");
    } else {
        forget_session(s); /* if it was the reason, the next attempt goes without */
        fail_tls(s, err);
    }
}

static enum stream_state on_poll(void *ctx, uint32_t now_ms)
{
    struct stream_tls *s = ctx;

    s->now_ms = now_ms;
    if (s->state != STREAM_CONNECTING)
        return s->state;
    if (!s->started) {
        s->started = true;
        s->started_ms = now_ms;
    }
    if (s->step == STEP_TCP)
        step_tcp(s);
    if (s->state == STREAM_CONNECTING && s->step == STEP_TLS)
        step_tls(s);
    return s->state;
}

static bool only_wait(int err)
{
    return err == MBEDTLS_ERR_SSL_WANT_READ || err == MBEDTLS_ERR_SSL_WANT_WRITE;
}

static int on_read(void *ctx, uint8_t *buf, size_t n)
{
    struct stream_tls *s = ctx;

    if (s->state != STREAM_OPEN)
        return BMS_ERR_STATE;
    int got = mbedtls_ssl_read(&s->ssl, buf, n);

    if (got > 0 || only_wait(got))
        return got > 0 ? got : 0;
    fail_tls(s, got);
    return BMS_ERR_IO;
}

static int on_write(void *ctx, const uint8_t *buf, size_t n)
{
    struct stream_tls *s = ctx;

    if (s->state != STREAM_OPEN)
        return BMS_ERR_STATE;
    if (s->begun && s->begun < n) /* mbedTLS must see the record that it has begun, and no more */
        n = s->begun;
    int sent = n ? mbedtls_ssl_write(&s->ssl, buf, n) : 0;

    if (only_wait(sent)) {
        s->begun = n;
        return 0;
    }
    s->begun = 0;
    if (sent >= 0)
        return sent;
    fail_tls(s, sent);
    return BMS_ERR_IO;
}

static void on_close(void *ctx)
{
    struct stream_tls *s = ctx;

    if (s->state == STREAM_OPEN && !s->begun)
        mbedtls_ssl_close_notify(&s->ssl);
    mbedtls_ssl_free(&s->ssl);
    mbedtls_ssl_init(&s->ssl);
    tcp_close(&s->tcp);
    s->state = STREAM_CLOSED;
}

static const char *on_reason(void *ctx)
{
    return ((struct stream_tls *)ctx)->why;
}

static size_t on_wait(void *ctx, struct stream_fd *fds, size_t max, uint32_t *wait_ms)
{
    struct stream_tls *s = ctx;
    bool out = s->state == STREAM_CONNECTING && (s->step == STEP_TCP || s->want == MBEDTLS_ERR_SSL_WANT_WRITE);

    if (s->state == STREAM_CONNECTING && *wait_ms > 100)
        *wait_ms = 100; /* the time-outs of the steps */
    if (max == 0 || s->tcp.fd < 0 || s->state == STREAM_FAILED)
        return 0;
    fds[0].fd = s->tcp.fd;
    fds[0].events = out ? STREAM_FD_OUT : s->begun ? STREAM_FD_IN | STREAM_FD_OUT : STREAM_FD_IN;
    return 1;
}

static int load_failed(char *why, size_t why_n, const char *what, const char *file, int err)
{
    snprintf(why, why_n, "cannot read the %s in %s (-0x%04X)", what, file, (unsigned)-err);
    return BMS_ERR_IO;
}

static int load_files(struct stream_tls *s, const struct tls_files *files, char *why, size_t why_n)
{
    int err = mbedtls_x509_crt_parse_file(&s->ca, files->ca_file);

    if (err)
        return load_failed(why, why_n, "CA certificates", files->ca_file, err);
    if (!files->cert_file)
        return BMS_ERR_OK;
    err = mbedtls_x509_crt_parse_file(&s->cert, files->cert_file);
    if (err)
        return load_failed(why, why_n, "certificate", files->cert_file, err);
    err = mbedtls_pk_parse_keyfile(&s->key, files->key_file, NULL);
    if (err)
        return load_failed(why, why_n, "key", files->key_file, err);
    if (mbedtls_pk_check_pair(&s->cert.pk, &s->key)) {
        snprintf(why, why_n, "%s is not the key of %s", files->key_file, files->cert_file);
        return BMS_ERR_RANGE;
    }
    return BMS_ERR_OK;
}

static int configure(struct stream_tls *s, bool with_cert)
{
    static const int suites[] = { MBEDTLS_TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256, MBEDTLS_TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384, 0 };
    static const mbedtls_ecp_group_id curves[] = { MBEDTLS_ECP_DP_SECP256R1, MBEDTLS_ECP_DP_NONE };
    mbedtls_ssl_config *c = &s->config;

    if (mbedtls_ctr_drbg_seed(&s->random, mbedtls_entropy_func, &s->entropy, NULL, 0) ||
        mbedtls_ssl_config_defaults(c, MBEDTLS_SSL_IS_CLIENT, MBEDTLS_SSL_TRANSPORT_STREAM, MBEDTLS_SSL_PRESET_DEFAULT))
        return BMS_ERR_IO;
    mbedtls_ssl_conf_min_version(c, MBEDTLS_SSL_MAJOR_VERSION_3, MBEDTLS_SSL_MINOR_VERSION_3);
    mbedtls_ssl_conf_ciphersuites(c, suites);
    mbedtls_ssl_conf_curves(c, curves);
    mbedtls_ssl_conf_authmode(c, MBEDTLS_SSL_VERIFY_REQUIRED);
    mbedtls_ssl_conf_verify(c, on_verify, s);
    mbedtls_ssl_conf_ca_chain(c, &s->ca, NULL);
    mbedtls_ssl_conf_rng(c, mbedtls_ctr_drbg_random, &s->random);
    mbedtls_ssl_conf_max_frag_len(c, MBEDTLS_SSL_MAX_FRAG_LEN_4096);
    mbedtls_ssl_conf_session_tickets(c, MBEDTLS_SSL_SESSION_TICKETS_ENABLED);
    return with_cert ? mbedtls_ssl_conf_own_cert(c, &s->cert, &s->key) : 0;
}

int stream_tls_create(struct stream_tls **out, const struct tls_files *files, char *why, size_t why_n)
{
    *out = NULL;
    if (!files->server_name || !files->server_name[0] || strlen(files->server_name) > 253 || !files->ca_file ||
        !files->cert_file != !files->key_file) {
        snprintf(why, why_n, "CA file, server name, and certificate with key are needed");
        return BMS_ERR_RANGE;
    }
    struct stream_tls *s = calloc(1, sizeof *s);

    if (!s) {
        snprintf(why, why_n, "no memory");
        return BMS_ERR_NOSPACE;
    }
    s->port = (struct stream_port) { s, on_open, on_poll, on_read, on_write, on_close, on_reason, on_wait };
    s->tcp.fd = -1;
    snprintf(s->server_name, sizeof s->server_name, "%s", files->server_name);
    mbedtls_entropy_init(&s->entropy);
    mbedtls_ctr_drbg_init(&s->random);
    mbedtls_x509_crt_init(&s->ca);
    mbedtls_x509_crt_init(&s->cert);
    mbedtls_pk_init(&s->key);
    mbedtls_ssl_config_init(&s->config);
    mbedtls_ssl_init(&s->ssl);
    mbedtls_ssl_session_init(&s->session);
    int err = load_files(s, files, why, why_n);

    if (!err && configure(s, files->cert_file != NULL)) {
        snprintf(why, why_n, "cannot configure TLS");
        err = BMS_ERR_IO;
    }
    if (err)
        stream_tls_destroy(s);
    else
        *out = s;
    return err;
}

const struct stream_port *stream_tls_port(struct stream_tls *s)
{
    return &s->port;
}

void stream_tls_destroy(struct stream_tls *s)
{
    if (!s)
        return;
    on_close(s);
    mbedtls_ssl_session_free(&s->session);
    mbedtls_ssl_free(&s->ssl);
    mbedtls_ssl_config_free(&s->config);
    mbedtls_pk_free(&s->key);
    mbedtls_x509_crt_free(&s->cert);
    mbedtls_x509_crt_free(&s->ca);
    mbedtls_ctr_drbg_free(&s->random);
    mbedtls_entropy_free(&s->entropy);
    free(s);
}
