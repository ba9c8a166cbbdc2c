/* SPDX-License-Identifier: Apache-2.0 */
/* local.c -- cellwarden-local: the console's vehicle pages from the board on a cable. No server, no broker, no database. */
#include <signal.h>
#include <string.h>
#include <unistd.h>

#include "common/err.h"
#include "local/app/options.h"
#include "local/app/serve.h"
#include "server/ingest/decode.h"
#include "server/log.h"

struct options {
    struct wire_config wire;
    struct serve_config serve;
    const char *name;
    bool help;
};

static const struct {
    const char *name, *value, *dflt, *text;
    size_t at;
} rows[] = {
    { "listen", "HOST:PORT", "127.0.0.1:8090", "address of this computer; port 0 takes a free one",
      offsetof(struct options, serve.listen) },
    { "name", "TENANT.VEHICLE", "local.board", "what the vehicle is called on the pages", offsetof(struct options, name) },
    { "web", "FOLDER", "server/web/dist", "the built console", offsetof(struct options, serve.web) },
    { "catalogue", "FILE", "build/release/proto/catalogue.json", "the tables", offsetof(struct options, serve.catalogue) },
};

enum { ROWS = sizeof(rows) / sizeof(rows[0]) };

static void help(FILE *to)
{
    fputs("usage: cellwarden-local CABLE [OPTIONS]\n\nThe vehicle pages of the console for the board on a cable, in a browser on this "
          "computer.\n\n",
          to);
    options_cable_help(to);
    fputs("\n", to);
    for (unsigned i = 0; i < ROWS; i++)
        fprintf(to, "  --%-10s %-15s %s (default %s)\n", rows[i].name, rows[i].value, rows[i].text, rows[i].dflt);
    fputs("  --help\n\nexit status: 0 stopped, 1 failed, 2 wrong usage\n", to);
}

/* 1 taken, 0 not one of these, or BMS_ERR_RANGE. */
static int take(struct options *o, int argc, char *const argv[], int *at, char *why, size_t n)
{
    for (unsigned i = 0; i < ROWS; i++) {
        const char *value = options_value(rows[i].name, argc, argv, at, why, n);

        if (value == NULL && why[0])
            return BMS_ERR_RANGE;
        if (value == NULL)
            continue;
        memcpy((char *)o + rows[i].at, &value, sizeof(value));
        return 1;
    }
    return 0;
}

static bool read_options(struct options *o, int argc, char *const argv[], char *why, size_t n)
{
    memset(o, 0, sizeof(*o));
    options_cable_init(&o->wire);
    for (unsigned i = 0; i < ROWS; i++)
        memcpy((char *)o + rows[i].at, &rows[i].dflt, sizeof(rows[i].dflt));
    for (int at = 1; at < argc; at++) {
        if (strcmp(argv[at], "--help") == 0 || strcmp(argv[at], "-h") == 0) {
            o->help = true;
            return true;
        }
        const char *arg = argv[at];
        int taken = options_cable(&o->wire, argc, argv, &at, why, n);

        if (taken == 0)
            taken = take(o, argc, argv, &at, why, n);
        if (taken == 0)
            snprintf(why, n, "there is no option '%s'", arg);
        if (taken != 1)
            return false;
    }
    if (!device_name_is_valid(o->name, strlen(o->name))) {
        snprintf(why, n, "--name must be TENANT.VEHICLE of letters, digits, - and _, not '%s'", o->name);
        return false;
    }
    return options_cable_check(&o->wire, why, n);
}

/* Until SIGINT or SIGTERM. */
static void wait_for_signal(const sigset_t *stop)
{
    int number = 0;

    sigwait(stop, &number);
    log_info("local", "stopping", "signal=%d", number);
}

static int run(const struct options *o, const sigset_t *stop)
{
    static struct serve serve;
    struct board *board = NULL;
    char why[WIRE_WHY] = "no memory";
    int err = serve_init(&serve, &o->serve, why, sizeof(why));

    if (err == BMS_ERR_OK)
        err = board_start(&board, &o->wire, o->name, api_events_tell, &serve.teller, why, sizeof(why));
    if (err == BMS_ERR_OK)
        err = serve_start(&serve, board, why, sizeof(why));
    if (err == BMS_ERR_OK) {
        printf("http://127.0.0.1:%u/v/%s\n", serve_port(&serve), o->name);
        fflush(stdout);
        log_info("local", "open the page in a browser on this computer", "url=http://127.0.0.1:%u/v/%s", serve_port(&serve), o->name);
        wait_for_signal(stop);
    } else {
        fprintf(stderr, "cellwarden-local: error: %s\n", why);
    }
    board_stop(board); /* first: it tells the streams */
    serve_stop(&serve);
    return err == BMS_ERR_OK ? EXIT_DONE : err == BMS_ERR_RANGE ? EXIT_USAGE : EXIT_FAILED;
}

int main(int argc, char *argv[])
{
    struct options o;
    char why[WIRE_WHY];
    sigset_t stop;

    if (!read_options(&o, argc, argv, why, sizeof(why))) {
        fprintf(stderr, "cellwarden-local: %s (--help)\n", why);
        return EXIT_USAGE;
    }
    if (o.help) {
        help(stdout);
        return EXIT_DONE;
    }
    sigemptyset(&stop);
    sigaddset(&stop, SIGINT);
    sigaddset(&stop, SIGTERM);
    pthread_sigmask(SIG_BLOCK, &stop, NULL); /* before the threads, so that sigwait() alone sees them */
    signal(SIGPIPE, SIG_IGN);
    return run(&o, &stop);
}
