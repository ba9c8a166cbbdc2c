/* SPDX-License-Identifier: Apache-2.0 */
/* stream_lwip.c -- see stream_lwip.h: the port's functions and lwIP's callbacks. */
#include "dtu/port/lwip/stream_lwip.h"

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "lwip/altcp.h"
#include "lwip/altcp_tls.h"
#include "lwip/dns.h"
#include "lwip/init.h"
#include "lwip/priv/tcp_priv.h"
#include "lwip/stats.h"
#include "lwip/tcp.h"
#include "mbedtls/ssl.h"

#include "altcp_tls_mbedtls_mem.h" /* lwIP's, private: sets mbedTLS's allocator */

#include "common/err.h"
#include "dtu/port/lwip/ring.h"
#include "dtu/port/lwip/slirp_netif.h"
#include "dtu/port/lwip/system.h"
#include "dtu/port/lwip/tls_note.h"
#include "dtu/port/lwip/tls_setup.h"
#include "dtu/port/tls_why.h"

enum { NAME_MAX_MS = 10000, TCP_MAX_MS = 10000, TLS_MAX_MS = 10000, RESUME_MAX_MS = 12 * 3600 * 1000 };

enum step { STEP_NAME, STEP_TCP, STEP_TLS };

struct stream_lwip {
    bool used;
    bool initialised; /* lwip_init() was called; there is no way back */
    struct stream_port port;
    struct altcp_tls_config *tls;
    char server_name[254];
    mbedtls_ssl_session session; /* of the last handshake, offered again */
    bool have_session;
    uint32_t session_ms;

    enum stream_state state;
    enum step step;
    bool started; /* polled since open */
    uint32_t started_ms;
    uint32_t now_ms;
    uint32_t verify; /* MBEDTLS_X509_BADCERT_* of the server's chain */
    char host[254];
    uint16_t tcp_port;
    ip_addr_t address;
    bool have_address, no_address;
    struct altcp_pcb *conn; /* NULL once lwIP has freed it */
    bool ended;             /* the server has closed its side */
    bool blocked;           /* the last write did not take all */
    struct ring in;         /* received, not read */
    char why[160];
};

static struct stream_lwip world; /* one per process: lwIP and altcp_tls keep their own state in globals */

static void fail(struct stream_lwip *s, const char *why)
{
    if (!s->why[0])
        snprintf(s->why, sizeof s->why, "%s", why);
    s->state = STREAM_FAILED;
}

/* A fatal TLS error that altcp_tls kept to itself. */
static bool fail_noted(struct stream_lwip *s)
{
    struct tls_note note = tls_note_get();

    if (!note.err)
        return false;
    tls_why(s->why, sizeof s->why, note.err, s->verify, note.alert);
    s->state = STREAM_FAILED;
    return true;
}

static void enter(struct stream_lwip *s, enum step step)
{
    s->step = step;
    s->started_ms = s->now_ms;
}

static void on_err(void *arg, err_t err)
{
    struct stream_lwip *s = arg;

    s->conn = NULL; /* lwIP frees it */
    if (s->state == STREAM_CLOSED || fail_noted(s))
        return;
    bool before = s->state == STREAM_CONNECTING && s->step == STEP_TCP;

    fail(s, err == ERR_RST && before ? "cannot connect: refused"
            : err == ERR_RST         ? "connection reset by the server"
            : err == ERR_CLSD        ? "ended by the server"
            : before                 ? "cannot connect: no answer"
                                     : "connection lost");
}

static err_t on_recv(void *arg, struct altcp_pcb *conn, struct pbuf *p, err_t err)
{
    struct stream_lwip *s = arg;

    (void)conn;
    (void)err;
    if (!p) {
        s->ended = true;
        return ERR_OK;
    }
    if (p->tot_len > ring_room(&s->in))
        return ERR_MEM; /* altcp_tls keeps it and offers it again */
    for (const struct pbuf *part = p; part; part = part->next)
        ring_put(&s->in, part->payload, part->len);
    pbuf_free(p);
    return ERR_OK;
}

static void forget_session(struct stream_lwip *s)
{
    mbedtls_ssl_session_free(&s->session);
    mbedtls_ssl_session_init(&s->session);
    s->have_session = false;
}

static void keep_session(struct stream_lwip *s)
{
    if (!s->have_session)
        s->session_ms = s->now_ms;
    mbedtls_ssl_session_free(&s->session);
    mbedtls_ssl_session_init(&s->session);
    s->have_session = mbedtls_ssl_get_session(altcp_tls_context(s->conn), &s->session) == 0;
}

static err_t on_connected(void *arg, struct altcp_pcb *conn, err_t err)
{
    struct stream_lwip *s = arg;

    (void)conn;
    if (err != ERR_OK || s->state != STREAM_CONNECTING)
        return ERR_OK;
    keep_session(s);
    s->state = STREAM_OPEN;
    return ERR_OK;
}

static err_t on_timer(void *arg, struct altcp_pcb *conn) /* altcp_tls uses the tick to try again what had no room */
{
    (void)arg;
    (void)conn;
    return ERR_OK;
}

static void on_name(const char *name, const ip_addr_t *address, void *arg)
{
    struct stream_lwip *s = arg;

    if (s->state != STREAM_CONNECTING || s->step != STEP_NAME || strcmp(name, s->host) != 0)
        return;
    s->no_address = !address;
    s->have_address = address != NULL;
    if (address)
        s->address = *address;
}

/* This computer's loopback is the gateway of slirp's network. */
static bool is_loopback(const char *host)
{
    return strcmp(host, "localhost") == 0 || strncmp(host, "127.", 4) == 0;
}

static void start_name(struct stream_lwip *s)
{
    if (is_loopback(s->host)) {
        IP_ADDR4(&s->address, 10, 0, 2, 2);
        s->have_address = true;
        return;
    }
    err_t err = dns_gethostbyname(s->host, &s->address, on_name, s); /* dotted addresses come back at once */

    s->have_address = err == ERR_OK;
    s->no_address = err != ERR_OK && err != ERR_INPROGRESS;
}

static int on_open(void *ctx, const char *host, uint16_t port)
{
    struct stream_lwip *s = ctx;

    if (s->state != STREAM_CLOSED)
        return BMS_ERR_STATE;
    if (!host[0] || strlen(host) > 253 || port == 0)
        return BMS_ERR_RANGE;
    snprintf(s->host, sizeof s->host, "%s", host);
    s->tcp_port = port;
    s->why[0] = '\0';
    s->verify = 0;
    s->in.at = s->in.n = 0;
    s->ended = s->blocked = s->have_address = s->no_address = s->started = false;
    tls_note_clear();
    s->state = STREAM_CONNECTING;
    s->step = STEP_NAME;
    return BMS_ERR_OK;
}

/* Connections closed before that still wait for their last acknowledgement: there is one stream, and it needs their memory. */
static void abort_leftovers(void)
{
    while (tcp_active_pcbs)
        tcp_abort(tcp_active_pcbs);
}

static void start_tcp(struct stream_lwip *s)
{
    enter(s, STEP_TCP);
    abort_leftovers();
    s->conn = altcp_tls_new(s->tls, IPADDR_TYPE_V4);
    if (!s->conn) {
        fail(s, "not enough memory for TLS");
        return;
    }
    altcp_arg(s->conn, s);
    altcp_err(s->conn, on_err);
    altcp_recv(s->conn, on_recv);
    altcp_poll(s->conn, on_timer, 1);
    altcp_nagle_disable(s->conn);
    mbedtls_ssl_context *ssl = altcp_tls_context(s->conn);

    if (mbedtls_ssl_set_hostname(ssl, s->server_name)) {
        fail(s, "not enough memory for TLS");
        return;
    }
    if (s->have_session && s->now_ms - s->session_ms < RESUME_MAX_MS)
        mbedtls_ssl_set_session(ssl, &s->session);
    if (altcp_connect(s->conn, &s->address, s->tcp_port, on_connected) != ERR_OK)
        fail(s, "cannot connect: no room");
}

static bool tls_has_begun(const struct stream_lwip *s)
{
    const mbedtls_ssl_context *ssl = altcp_tls_context(s->conn);

    return ssl->state > MBEDTLS_SSL_CLIENT_HELLO;
}

static void step_connecting(struct stream_lwip *s)
{
    static const struct {
        uint32_t max_ms;
        const char *late;
    } limit[] = {
        [STEP_NAME] = { NAME_MAX_MS, "no answer from DNS in time" },
        [STEP_TCP] = { TCP_MAX_MS, "no TCP connection in time" },
        [STEP_TLS] = { TLS_MAX_MS, "no TLS handshake in time" },
    };

    if (!s->started) {
        s->started = true;
        enter(s, STEP_NAME);
        start_name(s);
    }
    if (s->no_address)
        fail(s, "cannot look up the server's address");
    else if (s->step == STEP_NAME && s->have_address)
        start_tcp(s);
    else if (s->step == STEP_TCP && tls_has_begun(s))
        enter(s, STEP_TLS);
    if (s->state == STREAM_CONNECTING && s->now_ms - s->started_ms > limit[s->step].max_ms)
        fail(s, limit[s->step].late);
}

static enum stream_state on_poll(void *ctx, uint32_t now_ms)
{
    struct stream_lwip *s = ctx;
    bool handshake = s->state == STREAM_CONNECTING;

    s->now_ms = now_ms;
    system_set_now_ms(now_ms);
    slirp_netif_poll();
    if (s->state == STREAM_CONNECTING) {
        step_connecting(s);
        slirp_netif_poll();
    }
    if (s->state == STREAM_OPEN && s->in.n == 0 && !fail_noted(s) && s->ended)
        fail(s, "ended by the server");
    if (handshake && s->state == STREAM_FAILED)
        forget_session(s); /* if it was the reason, the next attempt goes without */
    return s->state;
}

static int on_read(void *ctx, uint8_t *buf, size_t n)
{
    struct stream_lwip *s = ctx;

    if (s->state != STREAM_OPEN)
        return BMS_ERR_STATE;
    n = ring_get(&s->in, buf, n);
    if (n && s->conn)
        altcp_recved(s->conn, (u16_t)n);
    return (int)n;
}

static int on_write(void *ctx, const uint8_t *buf, size_t n)
{
    struct stream_lwip *s = ctx;

    if (s->state != STREAM_OPEN)
        return BMS_ERR_STATE;
    size_t room = s->conn && !tls_note_get().err ? altcp_sndbuf(s->conn) : 0;

    s->blocked = n > room;
    if (n > room)
        n = room;
    if (n == 0)
        return 0;
    err_t err = altcp_write(s->conn, buf, (u16_t)n, TCP_WRITE_FLAG_COPY);

    if (err == ERR_MEM)
        return 0;
    if (err != ERR_OK) {
        fail(s, "connection lost");
        return BMS_ERR_IO;
    }
    altcp_output(s->conn);
    return (int)n;
}

static void on_close(void *ctx)
{
    struct stream_lwip *s = ctx;
    struct altcp_pcb *conn = s->conn;
    bool polite = s->state == STREAM_OPEN && !tls_note_get().err;

    s->conn = NULL;
    s->state = STREAM_CLOSED;
    if (!conn)
        return;
    altcp_arg(conn, s);
    altcp_recv(conn, NULL);
    if (polite) {
        mbedtls_ssl_close_notify(altcp_tls_context(conn));
        altcp_output(conn);
    }
    if (!polite || altcp_close(conn) != ERR_OK)
        altcp_abort(conn);
    slirp_netif_poll();
}

static const char *on_reason(void *ctx)
{
    return ((struct stream_lwip *)ctx)->why;
}

static size_t on_wait(void *ctx, struct stream_fd *fds, size_t max, uint32_t *wait_ms)
{
    struct stream_lwip *s = ctx;

    if (s->state == STREAM_CONNECTING && *wait_ms > 100)
        *wait_ms = 100; /* the time-outs of the steps */
    if (s->state == STREAM_CONNECTING && !s->started)
        *wait_ms = 0;
    if (s->state == STREAM_OPEN && (s->in.n || s->ended || (s->blocked && s->conn && altcp_sndbuf(s->conn))))
        *wait_ms = 0; /* lwIP already has bytes, or room again: no descriptor tells */
    return slirp_netif_wait(fds, max, wait_ms);
}

int stream_lwip_create(struct stream_lwip **out, const struct tls_files *files, char *why, size_t why_n)
{
    struct stream_lwip *s = &world;

    *out = NULL;
    if (s->used) {
        snprintf(why, why_n, "there is one lwIP stream in each process");
        return BMS_ERR_STATE;
    }
    if (!files->server_name || !files->server_name[0] || strlen(files->server_name) > 253 || !files->ca_file ||
        !files->cert_file != !files->key_file) {
        snprintf(why, why_n, "CA file, server name, and certificate with key are needed");
        return BMS_ERR_RANGE;
    }
    bool initialised = s->initialised;

    *s = (struct stream_lwip) { .used = true, .initialised = true };
    s->port = (struct stream_port) { s, on_open, on_poll, on_read, on_write, on_close, on_reason, on_wait };
    snprintf(s->server_name, sizeof s->server_name, "%s", files->server_name);
    mbedtls_ssl_session_init(&s->session);
    if (!initialised)
        lwip_init();
    altcp_mbedtls_mem_init(); /* mbedTLS allocates from lwIP's heap, also while the files are read */
    int err = tls_setup(&s->tls, files, &s->verify, why, why_n);

    if (!err && slirp_netif_start()) {
        snprintf(why, why_n, "cannot start the user-mode network");
        altcp_tls_free_config(s->tls);
        err = BMS_ERR_IO;
    }
    s->used = !err;
    *out = err ? NULL : s;
    return err;
}

const struct stream_port *stream_lwip_port(struct stream_lwip *s)
{
    return &s->port;
}

size_t stream_lwip_arena_peak(const struct stream_lwip *s)
{
    (void)s;
    return lwip_stats.mem.max;
}

size_t stream_lwip_arena_size(const struct stream_lwip *s)
{
    (void)s;
    return MEM_SIZE;
}

void stream_lwip_destroy(struct stream_lwip *s)
{
    if (!s || !s->used)
        return;
    on_close(s);
    forget_session(s);
    altcp_tls_free_config(s->tls);
    slirp_netif_stop();
    s->used = false;
}
