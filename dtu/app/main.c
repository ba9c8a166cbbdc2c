/* SPDX-License-Identifier: Apache-2.0 */
/* main.c -- cellwarden-dtu: the core of the DTU between the CAN hub, a journal file and a TLS stream. One thread, one poll(). */
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>

#include "common/err.h"
#include "dtu/app/log.h"
#include "dtu/app/net.h"
#include "dtu/app/options.h"
#include "dtu/app/streams.h"
#include "dtu/core/dtu.h"
#include "dtu/port/posix/can_client.h"
#include "dtu/port/posix/clock.h"
#include "dtu/port/posix/flash_file.h"

#ifndef CW_VERSION
#define CW_VERSION "0"
#endif

enum {
    SECTOR = 65536,
    SECTORS_MAX = 4096,
    WRITE_SIZE = 4,
    FRAMES = 1024,
    FDS = 8,
    IDLE_MS = 100,
    BUSY_MS = 10,
    GOODBYE_MS = 3000,
    LOCK_MS = 5000
};

struct app {
    struct options options;
    struct flash_file flash;
    struct journal_sector index[SECTORS_MAX];
    struct journal journal;
    struct can_client can;
    struct dtu_config config;
    struct dtu dtu;
    struct net net;
    struct streams streams;
    struct can_frame in[FRAMES];
    struct dtu_out out;
    bool can_up, more;
    uint32_t boot;
};

static volatile sig_atomic_t stop_wanted;

static void on_signal(int signal_no)
{
    (void)signal_no;
    stop_wanted = 1;
}

static void catch_signals(void)
{
    struct sigaction stop = { .sa_handler = on_signal }, ignore = { .sa_handler = SIG_IGN };

    sigaction(SIGTERM, &stop, NULL);
    sigaction(SIGINT, &stop, NULL);
    sigaction(SIGPIPE, &ignore, NULL);
}

static bool open_journal(struct app *a)
{
    struct flash_geometry geometry = { SECTOR, a->options.journal_kB * 1024 / SECTOR, WRITE_SIZE };
    bool fresh = false;
    int err = flash_file_open(&a->flash, a->options.journal, &geometry, &fresh);

    for (uint32_t from_ms = clock_now_ms(); err == BMS_ERR_STATE && clock_now_ms() - from_ms < LOCK_MS && !stop_wanted;) {
        poll(NULL, 0, BUSY_MS); /* the one before may be on its way out */
        err = flash_file_open(&a->flash, a->options.journal, &geometry, &fresh);
    }
    if (err) {
        log_line("error", "journal", "cannot be opened", "file=%s why=\"%s\"", a->options.journal,
                 err == BMS_ERR_IO      ? strerror(errno)
                 : err == BMS_ERR_STATE ? "another DTU has it"
                                        : "not a journal file");
        return false;
    }
    err = fresh ? BMS_ERR_UNKNOWN : journal_mount(&a->journal, &a->flash.port, a->index, SECTORS_MAX);
    if (err == BMS_ERR_UNKNOWN) {
        uint64_t epoch = clock_random();

        if (!fresh)
            log_line("warn", "journal", "holds nothing that can be read: starting over", "file=%s", a->options.journal);
        err = journal_format(&a->journal, &a->flash.port, a->index, SECTORS_MAX, epoch);
    }
    if (err) {
        log_line("error", "journal", "cannot be used", "file=%s why=\"%s\"", a->options.journal, bms_err_text(err));
        return false;
    }
    log_line("info", "journal", "open", "epoch=%016llx next_seq=%llu waiting=%u boot=%u last_no=%u corrupt=%u",
             (unsigned long long)a->journal.epoch, (unsigned long long)a->journal.next_seq, a->journal.unacked, a->journal.note.boot,
             a->journal.note.no, a->journal.corrupt);
    return true;
}

static bool start(struct app *a)
{
    char why[256] = "";
    const struct options *o = &a->options;

    if (!dtu_is_name(o->name)) {
        log_line("error", "dtu", "the name must be <tenant>.<vehicle>", "name=%s", o->name);
        return false;
    }
    if (can_client_init(&a->can, o->hub) != BMS_ERR_OK) {
        log_line("error", "can", "the path of the hub is too long", "hub=%s", o->hub);
        return false;
    }
    struct tls_files files = { .ca_file = o->ca, .cert_file = o->cert, .key_file = o->key, .server_name = o->server_name };

    if (streams_create(&a->streams, o->lwip, &files, why, sizeof(why)) != BMS_ERR_OK) {
        log_line("error", "net", "no stream", "why=\"%s\"", why);
        return false;
    }
    if (!open_journal(a))
        return false;
    a->config = (struct dtu_config) { .device = o->name, .version = CW_VERSION, .batch = o->batch, .journal = &a->journal };
    int err = dtu_init(&a->dtu, &a->config, clock_now_ms());

    if (!err)
        err = net_init(&a->net, streams_port(&a->streams), o->host, o->port, &a->dtu.mqtt, (uint32_t)clock_random());
    if (err)
        log_line("error", "dtu", "cannot start", "why=\"%s\"", bms_err_text(err));
    return err == BMS_ERR_OK;
}

static size_t receive(struct app *a)
{
    size_t n = 0;

    while (n < FRAMES && can_client_receive(&a->can, &a->in[n]) == 1)
        n++;
    a->more = n == FRAMES;
    return n;
}

static void transmit(struct app *a)
{
    size_t n = 0;

    while (n < a->out.n && can_client_send(&a->can, &a->out.frames[n]) == BMS_ERR_OK)
        n++;
    a->out.n -= n;
    memmove(a->out.frames, a->out.frames + n, a->out.n * sizeof(a->out.frames[0]));
}

static void run_can(struct app *a, uint32_t now_ms)
{
    bool up = can_client_step(&a->can, now_ms);
    struct dtu_in in = { .now_ms = now_ms, .utc_ms = clock_utc_ms(), .can_up = up, .frames = a->in, .n = up ? receive(a) : 0 };

    up = can_client_fd(&a->can) >= 0;
    if (up != a->can_up)
        log_line(up ? "info" : "warn", "can", up ? "hub is there" : "hub is away", "hub=%s", a->options.hub);
    if (!up)
        a->out.n = 0;
    a->can_up = up;
    dtu_step(&a->dtu, &in, &a->out);
    transmit(a);
    if (a->dtu.boot != a->boot) {
        a->boot = a->dtu.boot;
        log_line("info", "can", "board heard", "boot=%u next_no=%u", a->boot, a->dtu.assembler.next);
    }
}

static void run_net(struct app *a, uint32_t now_ms)
{
    if (!net_poll(&a->net, now_ms))
        return;
    enum link_state s = a->net.link.state;

    if (s == LINK_UP)
        log_line("info", "net", "session with the broker is up", "broker=%s waiting=%u", a->options.broker, a->journal.unacked);
    else if (s == LINK_WAIT)
        log_line("warn", "net", "no session", "broker=%s why=\"%s\" retry_ms=%u", a->options.broker, a->net.why,
                 link_retry_in_ms(&a->net.link, now_ms));
}

static void sleep_until_something(struct app *a)
{
    const struct stream_port *s = streams_port(&a->streams);
    struct stream_fd want[FDS - 1];
    struct pollfd fds[FDS];
    uint32_t wait_ms = a->more ? 0 : dtu_is_busy(&a->dtu) || a->out.n ? BUSY_MS : IDLE_MS;
    size_t n = s->wait(s->ctx, want, FDS - 1, &wait_ms);

    for (size_t i = 0; i < n; i++)
        fds[i] = (struct pollfd) { .fd = want[i].fd,
                                   .events = (short)((want[i].events & STREAM_FD_IN ? POLLIN : 0) |
                                                     (want[i].events & STREAM_FD_OUT ? POLLOUT : 0)) };
    fds[n++] = (struct pollfd) { .fd = can_client_fd(&a->can), .events = POLLIN };
    poll(fds, (nfds_t)n, (int)wait_ms);
}

static void run(struct app *a)
{
    uint32_t stop_ms = 0;
    bool stopping = false;

    for (;;) {
        uint32_t now_ms = clock_now_ms();

        if (stop_wanted && !stopping) {
            stopping = true;
            stop_ms = now_ms;
            if (dtu_flush(&a->dtu) != BMS_ERR_OK)
                log_line("warn", "journal", "could not be flushed; the board will be asked again", "%s", "");
            link_stop(&a->net.link, true);
        }
        run_net(a, now_ms);
        if (!stopping)
            run_can(a, now_ms);
        size_t pending = mqtt_pending(&a->dtu.mqtt);

        run_net(a, now_ms);
        a->more = a->more || mqtt_pending(&a->dtu.mqtt) != pending; /* room for the next records */
        if (stopping && (a->net.link.state == LINK_STOPPED || now_ms - stop_ms >= GOODBYE_MS))
            return;
        sleep_until_something(a);
    }
}

int main(int argc, char *argv[])
{
    static struct app app; /* over 1 MB: not for the stack */
    char why[256];

    if (options_read(&app.options, argc, argv, why, sizeof(why)) != BMS_ERR_OK) {
        fprintf(stderr, "cellwarden-dtu: %s (--help lists the options)\n", why);
        return 2;
    }
    if (app.options.help) {
        options_help(stdout);
        return 0;
    }
    catch_signals();
    if (!start(&app))
        return 1;
    run(&app);
    log_line("info", "dtu", "stopped", "samples=%u records=%llu waiting=%u", app.dtu.assembler.counts.taken,
             (unsigned long long)app.journal.next_seq - 1, app.journal.unacked);
    can_client_deinit(&app.can);
    streams_destroy(&app.streams);
    flash_file_close(&app.flash);
    return 0;
}
