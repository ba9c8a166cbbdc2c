/* SPDX-License-Identifier: Apache-2.0 */
/* tls_wire.c -- see tls_wire.h. */
#include "server/ingest/tls_wire.h"

#include "common/err.h"
#include "server/clock.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum { READ_AHEAD = 128 * 1024 };

struct tls_wire {
    int fd;
    SSL_CTX *ctx;
    SSL *ssl;
    bool wants_room; /* a read waits for room to write, in a handshake */
};

static void say_tls(char *why, size_t size, const char *what)
{
    unsigned long code = ERR_get_error();

    snprintf(why, size, "%s: %.120s", what, code ? ERR_reason_error_string(code) : "connection closed");
    ERR_clear_error();
}

static int wait_fd(int fd, short events, int ms)
{
    struct pollfd p = { .fd = fd, .events = events };

    return poll(&p, 1, ms) == 1 ? 0 : BMS_ERR_TIMEOUT;
}

static int connect_to(const struct addrinfo *to, int wait_ms)
{
    int fd = socket(to->ai_family, to->ai_socktype | SOCK_CLOEXEC, to->ai_protocol), yes = 1, err = 0;
    socklen_t size = sizeof err;

    if (fd < 0)
        return -1;
    fcntl(fd, F_SETFL, O_NONBLOCK);
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &yes, sizeof yes);
    if (connect(fd, to->ai_addr, to->ai_addrlen) != 0 && errno != EINPROGRESS)
        err = errno;
    if (err || wait_fd(fd, POLLOUT, wait_ms) != 0 || getsockopt(fd, SOL_SOCKET, SO_ERROR, &err, &size) != 0 || err) {
        close(fd);
        errno = err ? err : ETIMEDOUT;
        return -1;
    }
    return fd;
}

static int dial(const char *host, int port, int wait_ms, char *why, size_t size)
{
    struct addrinfo hints = { .ai_socktype = SOCK_STREAM }, *list = NULL;
    char service[12];
    int fd = -1;

    snprintf(service, sizeof service, "%d", port);
    int err = getaddrinfo(host, service, &hints, &list);

    if (err) {
        snprintf(why, size, "%s: %s", host, gai_strerror(err));
        return -1;
    }
    for (const struct addrinfo *to = list; to && fd < 0; to = to->ai_next)
        fd = connect_to(to, wait_ms);
    if (fd < 0)
        snprintf(why, size, "%s", strerror(errno));
    freeaddrinfo(list);
    return fd;
}

/* AES-128-GCM first, as the devices have it: strong enough by any standard, and it takes a quarter less time than AES-256. */
static bool prefer_fast(SSL_CTX *ctx)
{
    return SSL_CTX_set_ciphersuites(ctx, "TLS_AES_128_GCM_SHA256:TLS_AES_256_GCM_SHA384:TLS_CHACHA20_POLY1305_SHA256") == 1 &&
           SSL_CTX_set_cipher_list(ctx, "ECDHE+AESGCM+AES128:ECDHE+AESGCM:ECDHE+CHACHA20") == 1;
}

static int set_up(struct tls_wire *w, const struct tls_wire_files *files, const char *host)
{
    w->ctx = SSL_CTX_new(TLS_client_method());
    if (!w->ctx || !SSL_CTX_set_min_proto_version(w->ctx, TLS1_2_VERSION) || !prefer_fast(w->ctx) ||
        !SSL_CTX_load_verify_file(w->ctx, files->ca) || SSL_CTX_use_certificate_chain_file(w->ctx, files->cert) != 1 ||
        SSL_CTX_use_PrivateKey_file(w->ctx, files->key, SSL_FILETYPE_PEM) != 1)
        return BMS_ERR_RANGE;
    SSL_CTX_set_verify(w->ctx, SSL_VERIFY_PEER, NULL);
    SSL_CTX_set_mode(w->ctx, SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
    SSL_CTX_set_read_ahead(w->ctx, 1);
    SSL_CTX_set_default_read_buffer_len(w->ctx, READ_AHEAD);
    w->ssl = SSL_new(w->ctx);
    return w->ssl && SSL_set1_host(w->ssl, host) && SSL_set_tlsext_host_name(w->ssl, host) && SSL_set_fd(w->ssl, w->fd) ? 0
                                                                                                                        : BMS_ERR_NOSPACE;
}

static int shake_hands(struct tls_wire *w, int wait_ms)
{
    for (int64_t until = clock_mono_ms() + wait_ms;;) {
        int rc = SSL_connect(w->ssl), error = SSL_get_error(w->ssl, rc);
        int64_t left = until - clock_mono_ms();

        if (rc == 1)
            return 0;
        if ((error != SSL_ERROR_WANT_READ && error != SSL_ERROR_WANT_WRITE) || left <= 0)
            return BMS_ERR_IO;
        wait_fd(w->fd, error == SSL_ERROR_WANT_READ ? POLLIN : POLLOUT, (int)left);
    }
}

struct tls_wire *tls_wire_open(const struct tls_wire_files *files, const char *host, int port, int wait_ms, char *why, size_t size)
{
    struct tls_wire *w = calloc(1, sizeof *w);

    if (!w) {
        snprintf(why, size, "no memory");
        return NULL;
    }
    w->fd = dial(host, port, wait_ms, why, size);
    if (w->fd < 0) {
        free(w);
        return NULL;
    }
    ERR_clear_error();
    if (set_up(w, files, host) != 0)
        say_tls(why, size, "TLS files");
    else if (shake_hands(w, wait_ms) != 0)
        say_tls(why, size, "TLS handshake");
    else
        return w;
    tls_wire_close(w);
    return NULL;
}

void tls_wire_close(struct tls_wire *w)
{
    if (!w)
        return;
    if (w->ssl && SSL_is_init_finished(w->ssl))
        SSL_shutdown(w->ssl);
    SSL_free(w->ssl);
    SSL_CTX_free(w->ctx);
    close(w->fd);
    ERR_clear_error();
    free(w);
}

/* What a call of OpenSSL that did not succeed means. */
static int none(struct tls_wire *w, int rc)
{
    int error = SSL_get_error(w->ssl, rc);

    if (error == SSL_ERROR_WANT_READ || error == SSL_ERROR_WANT_WRITE) {
        w->wants_room = error == SSL_ERROR_WANT_WRITE;
        return 0;
    }
    ERR_clear_error();
    return BMS_ERR_IO;
}

int tls_wire_read(struct tls_wire *w, uint8_t *out, size_t n)
{
    int rc = SSL_read(w->ssl, out, n < INT_MAX ? (int)n : INT_MAX);

    return rc > 0 ? rc : none(w, rc);
}

int tls_wire_write(struct tls_wire *w, const uint8_t *bytes, size_t n)
{
    int rc = SSL_write(w->ssl, bytes, n < INT_MAX ? (int)n : INT_MAX);

    return rc > 0 ? rc : none(w, rc);
}

int tls_wire_wait(struct tls_wire *w, bool writing, int wake_fd, int ms)
{
    struct pollfd p[2] = { { .fd = w->fd, .events = (short)(POLLIN | (writing || w->wants_room ? POLLOUT : 0)) },
                           { .fd = wake_fd, .events = POLLIN } };

    w->wants_room = false;
    return poll(p, wake_fd < 0 ? 1 : 2, ms) < 0 && errno != EINTR ? BMS_ERR_IO : 0;
}
