/* SPDX-License-Identifier: Apache-2.0 */
/* ctl.c -- cellwarden-ctl: the board on the cable, from the shell. */
#include "local/app/ctl.h"

#include <signal.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "common/err.h"

#define OUT_MAX (4u << 20) /* bytes of JSON */

enum { TIMEOUT_S = 5, TIMEOUT_MAX_S = 600, TASK_MS = 600000, WAIT_MS = 10 };

static volatile sig_atomic_t stopping;

static const struct {
    const char *name, *arguments, *text;
    ctl_fn *run;
} commands[] = {
    { "status", "", "what the pack is doing: figures, alarms, relays", ctl_status },
    { "cells", "", "every cell and probe, the extremes named", ctl_cells },
    { "watch", "[--count N]", "a line for each sample, until stopped", ctl_watch },
    { "params", "get [NAME..]", "running and stored value of all or some parameters", ctl_params },
    { "params", "set NAME=VALUE..", "the same as calibrate", NULL },
    { "params", "export FILE", "all parameters as a .json file, - is standard output", NULL },
    { "params", "diff FILE", "what an import would change; exit 1 when it would", NULL },
    { "params", "import FILE [--flash]", "write what differs, and store it", NULL },
    { "calibrate", "NAME=VALUE..", "take effect now, until restart; proved by reading back", ctl_calibrate },
    { "flash", "[NAME=VALUE..]", "write, then store the running copy for good", ctl_flash },
    { "restart", "", "restart the board", ctl_restart },
    { "dtc", "list | clear", "trouble codes", ctl_dtc },
    { "soc", "set PERCENT", "say what the state of charge is", ctl_soc },
    { "selftest", "", "the board's own check", ctl_selftest },
    { "inject", "ALARM [--seconds N] | off | list", "simulate a failure while this runs (needs the key)", ctl_inject },
    { "catalogue", "[--out FILE]", "the board's own tables, hash checked, as JSON", ctl_catalogue },
    { "upgrade", "FILE", "load a program into the second slot, check it, restart", ctl_upgrade },
};

static void help(FILE *to)
{
    fputs(
        "usage: cellwarden-ctl CABLE [--json] [--timeout S] [--use-board-tables] COMMAND ...\n\nThe board at the other end of a cable.\n\n",
        to);
    for (size_t i = 0; i < sizeof(commands) / sizeof(commands[0]); i++)
        fprintf(to, "  %-9s %-32s %s\n", commands[i].name, commands[i].arguments, commands[i].text);
    fputs("\n", to);
    options_cable_help(to);
    fputs("\n  --json               one JSON document on standard output\n"
          "  --timeout S          how long to wait for the link and for a sample (default 5)\n"
          "  --use-board-tables   write to a board with other tables than this program's, by the board's own names and ranges\n"
          "  --help\n\nexit status: 0 done, 1 failed or refused, 2 wrong usage\n",
          to);
}

int ctl_fail(const char *format, ...)
{
    va_list args;

    fputs("error: ", stderr);
    va_start(args, format);
    vfprintf(stderr, format, args);
    va_end(args);
    fputc('\n', stderr);
    return EXIT_FAILED;
}

int ctl_usage(const char *format, ...)
{
    va_list args;

    fputs("cellwarden-ctl: ", stderr);
    va_start(args, format);
    vfprintf(stderr, format, args);
    va_end(args);
    fputs(" (--help)\n", stderr);
    return EXIT_USAGE;
}

bool ctl_is_stopping(void)
{
    return stopping != 0;
}

static void on_signal(int number)
{
    (void)number;
    stopping = 1;
}

static void on_sample(void *ctx, const struct sample *sample)
{
    struct ctl *c = ctx;

    c->sample = *sample;
    c->has_sample = true;
    c->samples++;
}

int ctl_wait_link(struct ctl *c)
{
    uint32_t began = cable_now_ms();

    while (!cable_is_up(&c->cable)) {
        if (stopping || cable_now_ms() - began > c->timeout_s * 1000)
            return ctl_fail("no link: %s", c->cable.wire.why);
        cable_step(&c->cable, WAIT_MS);
    }
    return EXIT_DONE;
}

int ctl_wait_sample(struct ctl *c)
{
    uint32_t began = cable_now_ms();
    unsigned before = c->samples;

    if (!cable_has_samples(&c->cable))
        return ctl_fail("not available on this cable: RS485 carries no samples; use a CAN cable (--serial, --can, --slcan)");

    if (ctl_wait_link(c) != EXIT_DONE)
        return EXIT_FAILED;
    while (c->samples == before) {
        if (stopping || cable_now_ms() - began > c->timeout_s * 1000)
            return ctl_fail("no sample within %u s: is there a board on this bus, at this bit rate?", c->timeout_s);
        cable_step(&c->cable, WAIT_MS);
    }
    return EXIT_DONE;
}

int ctl_run(struct ctl *c, int err, bool quiet)
{
    uint32_t began = cable_now_ms();
    enum tester_state state = TESTER_BUSY;

    if (err != BMS_ERR_OK)
        return ctl_fail("%s", bms_err_text(err));
    if (ctl_wait_link(c) != EXIT_DONE)
        return EXIT_FAILED;
    for (state = cable_step(&c->cable, 0); state != TESTER_DONE; state = cable_step(&c->cable, WAIT_MS)) {
        if (stopping || cable_now_ms() - began > TASK_MS)
            return ctl_fail(stopping ? "stopped" : "not done within %d s", TASK_MS / 1000);
        if (!cable_is_up(&c->cable))
            return ctl_fail("the link is gone: %s", c->cable.wire.why);
    }
    if (c->cable.tester.end == TESTER_OK)
        return EXIT_DONE;
    return quiet ? EXIT_FAILED : ctl_fail("%s", c->cable.tester.detail);
}

int ctl_ask(struct ctl *c, const uint8_t *request, size_t n, enum tester_access access)
{
    return ctl_run(c, tester_ask(&c->cable.tester, request, n, access), false);
}

int ctl_read_params(struct ctl *c, double *seconds)
{
    static const struct command reading = { .act = COMMAND_READ };

    if (ctl_wait_link(c) != EXIT_DONE)
        return EXIT_FAILED;
    uint32_t began = cable_now_ms();
    int end = ctl_run(c, tester_params(&c->cable.tester, &reading), false);

    *seconds = (cable_now_ms() - began) / 1000.0;
    return end;
}

static ctl_fn *find(const char *name)
{
    for (size_t i = 0; i < sizeof(commands) / sizeof(commands[0]); i++)
        if (strcmp(commands[i].name, name) == 0 && commands[i].run)
            return commands[i].run;
    return NULL;
}

/* The options in front of the command. Returns the index of the command, 0 for --help, or -EXIT_USAGE. */
static int read_options(struct ctl *c, struct wire_config *wire, int argc, char *const argv[])
{
    char why[WIRE_WHY];
    long number;
    int at = 1;

    for (; at < argc && strncmp(argv[at], "--", 2) == 0; at++) {
        const char *value;
        int taken = options_cable(wire, argc, argv, &at, why, sizeof(why));

        if (taken < 0)
            return -ctl_usage("%s", why);
        if (taken > 0)
            continue;
        if (strcmp(argv[at], "--help") == 0)
            return 0;
        if (strcmp(argv[at], "--json") == 0)
            c->json = true;
        else if (strcmp(argv[at], "--use-board-tables") == 0)
            c->use_board_tables = true;
        else if ((value = options_value("timeout", argc, argv, &at, why, sizeof(why))) == NULL)
            return -(why[0] ? ctl_usage("%s", why) : ctl_usage("there is no option '%s'", argv[at]));
        else if (!options_number(value, 1, TIMEOUT_MAX_S, &number))
            return -ctl_usage("--timeout must be a number of seconds from 1 to %d", TIMEOUT_MAX_S);
        else
            c->timeout_s = (unsigned)number;
    }
    return at < argc ? at : -ctl_usage("say what to do: status, cells, watch, params, ..");
}

static int run(struct ctl *c, const struct wire_config *wire, int argc, char *const argv[])
{
    ctl_fn *command = find(argv[0]);

    if (command == NULL)
        return ctl_usage("there is no command '%s'", argv[0]);
    if (cable_init(&c->cable, wire) != BMS_ERR_OK)
        return ctl_usage("%s", c->cable.wire.why);
    c->cable.ctx = c;
    c->cable.on_sample = on_sample;
    int end = command(c, argc, argv);

    cable_close(&c->cable);
    board_tables_deinit(&c->tables);
    if (c->json && c->out.len > 0) {
        fwrite(c->out.buf, 1, c->out.len, stdout);
        fputc('\n', stdout);
    }
    return end;
}

int main(int argc, char *argv[])
{
    static struct ctl c = { .timeout_s = TIMEOUT_S };
    struct sigaction stop = { .sa_handler = on_signal };
    struct wire_config wire;
    char why[WIRE_WHY];

    options_cable_init(&wire);
    if (argc == 2 && strcmp(argv[1], "-h") == 0)
        argv[1] = "--help";
    int at = read_options(&c, &wire, argc, argv);

    if (at == 0) {
        help(stdout);
        return EXIT_DONE;
    }
    if (at < 0)
        return -at;
    if (!options_cable_check(&wire, why, sizeof(why)))
        return ctl_usage("%s", why);
    sigaction(SIGINT, &stop, NULL);
    sigaction(SIGTERM, &stop, NULL);
    signal(SIGPIPE, SIG_IGN);
    jsonw_init(&c.out, OUT_MAX);
    int end = run(&c, &wire, argc - at, argv + at);

    jsonw_deinit(&c.out);
    return end;
}
