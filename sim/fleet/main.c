/* SPDX-License-Identifier: Apache-2.0 */
/* main.c -- cellwarden-fleet: thousands of packs with their DTUs in one process, each with a TLS connection of its own. One thread, one epoll. */
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <time.h>

#include "sim/fleet/unit.h"

enum { EVENTS = 256, IDLE_MS = 5, STAGGER_US = 10000, FINISH_S = 180, UNITS_MAX = 10000, FDS = 1 };

struct options {
    struct unit_config unit;
    unsigned devices, garbage, greedy, seconds, settle_s, journal_kB;
    uint64_t seed;
};

struct fleet {
    struct options options;
    struct unit **units;
    int *fds; /* watched descriptor of each unit, -1 = none */
    uint32_t *want;
    int poll;
    struct unit_totals good, bad;
};

static volatile sig_atomic_t stop_wanted;

static void on_signal(int number)
{
    (void)number;
    stop_wanted = 1;
}

static uint64_t clock_us(clockid_t id)
{
    struct timespec t;

    clock_gettime(id, &t);
    return (uint64_t)t.tv_sec * 1000000u + (uint64_t)t.tv_nsec / 1000u;
}

/* A stream may have another descriptor after each step. */
static void watch(struct fleet *f, unsigned i)
{
    const struct stream_port *s = f->units[i]->net.stream;
    struct stream_fd fd = { .fd = -1 };
    uint32_t wait_ms = IDLE_MS;
    size_t n = s->wait(s->ctx, &fd, FDS, &wait_ms);
    struct epoll_event e = { .data.u32 = i };

    if (n == 0)
        fd.fd = -1;
    e.events = (fd.events & STREAM_FD_IN ? (uint32_t)EPOLLIN : 0) | (fd.events & STREAM_FD_OUT ? (uint32_t)EPOLLOUT : 0);
    if (fd.fd == f->fds[i] && e.events == f->want[i])
        return;
    if (fd.fd >= 0 && epoll_ctl(f->poll, EPOLL_CTL_MOD, fd.fd, &e) != 0)
        epoll_ctl(f->poll, EPOLL_CTL_ADD, fd.fd, &e); /* a closed descriptor has left by itself */
    f->fds[i] = fd.fd;
    f->want[i] = e.events;
}

static void step(struct fleet *f, unsigned i)
{
    unit_step(f->units[i], clock_us(CLOCK_MONOTONIC), clock_us(CLOCK_REALTIME) / 1000);
    watch(f, i);
}

static void step_due(struct fleet *f)
{
    uint64_t now = clock_us(CLOCK_MONOTONIC);

    for (unsigned i = 0; i < f->options.devices; i++)
        if (unit_due_us(f->units[i]) <= now)
            step(f, i);
}

static void turn(struct fleet *f)
{
    struct epoll_event events[EVENTS];
    int n = epoll_wait(f->poll, events, EVENTS, IDLE_MS);

    for (int i = 0; i < n; i++)
        step(f, events[i].data.u32);
    step_due(f);
}

static bool create(struct fleet *f)
{
    const struct options *o = &f->options;
    uint64_t now = clock_us(CLOCK_MONOTONIC);
    char why[256] = "";

    f->units = calloc(o->devices, sizeof(struct unit *));
    f->fds = calloc(o->devices, sizeof *f->fds);
    f->want = calloc(o->devices, sizeof *f->want);
    f->poll = epoll_create1(EPOLL_CLOEXEC);
    if (!f->units || !f->fds || !f->want || f->poll < 0)
        return false;
    for (unsigned i = 0; i < o->devices; i++) {
        enum unit_kind kind = i < o->garbage ? UNIT_GARBAGE : i < o->garbage + o->greedy ? UNIT_GREEDY : UNIT_GOOD;
        uint64_t begin = now + (uint64_t)i * STAGGER_US + (uint64_t)(i * 7919u % 1000u);

        f->fds[i] = -1;
        f->units[i] =
            unit_create(&o->unit, kind, i, o->seed * 100003u + i + 1, begin, kind == UNIT_GOOD ? &f->good : &f->bad, why, sizeof why);
        if (!f->units[i]) {
            fprintf(stderr, "cellwarden-fleet: %s\n", why);
            return false;
        }
    }
    return true;
}

static void run_for(struct fleet *f, unsigned seconds)
{
    uint64_t until = clock_us(CLOCK_MONOTONIC) + (uint64_t)seconds * 1000000u;

    while (!stop_wanted && clock_us(CLOCK_MONOTONIC) < until)
        turn(f);
}

/* Everything that was taken goes out. Returns the records that the server has not acknowledged. */
static uint64_t finish(struct fleet *f)
{
    uint64_t until = clock_us(CLOCK_MONOTONIC) + (uint64_t)FINISH_S * 1000000u, waiting;
    bool all;

    do {
        all = true;
        turn(f);
        for (unsigned i = 0; i < f->options.devices; i++)
            all = unit_finish(f->units[i]) && all;
    } while (!all && clock_us(CLOCK_MONOTONIC) < until);
    waiting = 0;
    for (unsigned i = 0; i < f->options.devices; i++)
        waiting += f->units[i]->journal.unacked;
    return waiting;
}

/* Records that left a full journal unsent. */
static uint64_t dropped(const struct fleet *f)
{
    uint64_t n = 0;

    for (unsigned i = 0; i < f->options.devices; i++)
        n += f->units[i]->journal.dropped;
    return n;
}

static long resident_kB(void)
{
    FILE *status = fopen("/proc/self/statm", "r");
    long all = 0, resident = 0;

    if (!status)
        return 0;
    if (fscanf(status, "%ld %ld", &all, &resident) != 2)
        resident = 0;
    fclose(status);
    return resident * 4;
}

static void report(const struct fleet *f, uint64_t waiting, long kB)
{
    const struct unit_totals *g = &f->good, *b = &f->bad;

    printf("{\"devices\":%u,\"samples\":%" PRIu64 ",\"records\":%" PRIu64 ",\"acked\":%" PRIu64 ",\"waiting\":%" PRIu64
           ",\"dropped\":%" PRIu64 ",\"sessions\":%" PRIu64
           ",\"ack_p50_ms\":%.2f,\"ack_p99_ms\":%.2f,\"ack_max_ms\":%.2f,\"measured\":%" PRIu64 ",\"garbage\":%" PRIu64
           ",\"greedy_records\":%" PRIu64 ",\"kB_per_device\":%.1f}\n",
           f->options.devices, g->samples, g->records, g->acked, waiting, dropped(f), g->sessions, delays_ms(&g->ack, 500),
           delays_ms(&g->ack, 990), delays_ms(&g->ack, 1000), g->ack.all, b->garbage, b->records, (double)kB / f->options.devices);
}

static int usage(FILE *to, int code)
{
    fprintf(
        to,
        "usage: cellwarden-fleet --broker HOST:PORT --pki DIR [--tenant NAME] [--devices N] [--seconds S] [--settle S] [--seed N]\n"
        "         [--cells N] [--temps N] [--batch N] [--period-us N] [--watched 1] [--offline PERMILLE] [--garbage N] [--greedy N]\n"
        "         [--journal-kB N]\n"
        "\n"
        "Packs with their DTUs, <tenant>.unit-0000 on, each with the certificate DIR/<name>.crt and a TLS connection of its own: recorder, "
        "journal\n"
        "and MQTT client of the DTU; CAN is left out. They drive, charge, park, and with --offline lose their network and fill in later.\n"
        "--settle: seconds before delays are counted. --watched 1: each sample is a record. --garbage N, --greedy N: so many of the "
        "devices send\n"
        "nonsense as fast as the broker takes it, or samples 100 times as often; they are not counted among the others.\n"
        "--journal-kB: flash of each device, 48 to 1024 (256). --seed: another one for each run on a database, it numbers the boards' "
        "starts.\n"
        "Prints one JSON object: records, acknowledged, delay from sample to acknowledgement. Exit 1 when a record was not "
        "acknowledged.\n");
    return code;
}

static bool take(struct options *o, const char *flag, const char *value, char *host, size_t host_n)
{
    const struct {
        const char *flag;
        unsigned *number;
        unsigned min, max;
    } numbers[] = { { "--devices", &o->devices, 1, UNITS_MAX },
                    { "--seconds", &o->seconds, 1, 86400 },
                    { "--settle", &o->settle_s, 0, 3600 },
                    { "--batch", &o->unit.batch, 1, RECORD_SAMPLES_MAX },
                    { "--period-us", &o->unit.period_us, 1000, 60000000 },
                    { "--offline", &o->unit.life.offline_permille, 0, 900 },
                    { "--garbage", &o->garbage, 0, UNITS_MAX },
                    { "--greedy", &o->greedy, 0, UNITS_MAX },
                    { "--journal-kB", &o->journal_kB, 3 * UNIT_SECTOR / 1024, UNIT_SECTORS_MAX * UNIT_SECTOR / 1024 } };
    char *end;
    unsigned long n = strtoul(value, &end, 10);
    bool number = *value && !*end && n <= UINT32_MAX;

    for (size_t i = 0; i < sizeof numbers / sizeof numbers[0]; i++)
        if (strcmp(numbers[i].flag, flag) == 0) {
            *numbers[i].number = (unsigned)n;
            return number && n >= numbers[i].min && n <= numbers[i].max;
        }
    if (strcmp(flag, "--broker") == 0) {
        const char *colon = strrchr(value, ':');

        if (!colon || (size_t)(colon - value) >= host_n)
            return false;
        snprintf(host, host_n, "%.*s", (int)(colon - value), value);
        o->unit.port = (uint16_t)strtoul(colon + 1, NULL, 10);
        o->unit.host = host;
        return o->unit.port > 0;
    }
    if (strcmp(flag, "--pki") == 0)
        o->unit.pki = value;
    else if (strcmp(flag, "--tenant") == 0)
        o->unit.tenant = value;
    else if (strcmp(flag, "--seed") == 0)
        o->seed = n;
    else if (strcmp(flag, "--watched") == 0)
        o->unit.watched = n != 0;
    else if (strcmp(flag, "--cells") == 0 && n <= PACK_CELLS_MAX)
        o->unit.life.cells = (uint8_t)n;
    else if (strcmp(flag, "--temps") == 0 && n <= PACK_TEMPS_MAX)
        o->unit.life.temps = (uint8_t)n;
    else
        return false;
    return true;
}

int main(int argc, char *argv[])
{
    static struct fleet f = {
        .options = { .unit = { .tenant = "fleet", .life = { .cells = 48, .temps = 12 }, .batch = RECORDER_BATCH, .period_us = 1000000 },
                     .devices = 10,
                     .seconds = 10,
                     .journal_kB = 256,
                     .seed = 1 }
    };
    struct options *o = &f.options;
    struct sigaction stop = { .sa_handler = on_signal }, ignore = { .sa_handler = SIG_IGN };
    char host[256];

    for (int i = 1; i < argc; i += 2) {
        if (strcmp(argv[i], "--help") == 0)
            return usage(stdout, 0);
        if (i + 1 == argc || !take(o, argv[i], argv[i + 1], host, sizeof host))
            return usage(stderr, 2);
    }
    if (!o->unit.host || !o->unit.pki || o->garbage + o->greedy > o->devices)
        return usage(stderr, 2);
    o->unit.sectors = o->journal_kB * 1024 / UNIT_SECTOR;
    o->unit.life.boot = (uint32_t)o->seed;
    sigaction(SIGTERM, &stop, NULL);
    sigaction(SIGINT, &stop, NULL);
    sigaction(SIGPIPE, &ignore, NULL);
    long own_kB = resident_kB();

    if (!create(&f))
        return 1;
    run_for(&f, o->settle_s);
    f.good.ack = (struct delays) { .all = 0 };
    run_for(&f, o->seconds);
    long kB = resident_kB() - own_kB; /* of the devices alone */
    uint64_t waiting = finish(&f);

    report(&f, waiting, kB);
    for (unsigned i = 0; i < o->devices && f.units; i++)
        unit_destroy(f.units[i]);
    free(f.units);
    free(f.fds);
    free(f.want);
    return waiting ? 1 : 0;
}
