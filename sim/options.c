/* SPDX-License-Identifier: Apache-2.0 */
#include "sim/options.h"

#include <ctype.h>
#include <errno.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/err.h"

enum kind { TEXT, NUMBER, SPEED, FLAG };

/* clang-format off */
static const struct option_row {
    const char *name, *value, *dflt;
    enum kind kind;
    size_t at;
    int64_t min, max; /* of a NUMBER */
    const char *help;
} rows[] = {
    { "name",      "NAME",      "demo.pack", TEXT,   offsetof(struct pack_options, name),      0, 0, "<tenant>.<vehicle>: letters, digits, - and _, one dot" },
    { "scenario",  "WORD",      "drive",     TEXT,   offsetof(struct pack_options, scenario),  0, 0, "drive, mixed or charge" },
    { "cells",     "N",         "48",        NUMBER, offsetof(struct pack_options, cells),     4, 160, "cells in series" },
    { "chemistry", "WORD",      "nmc",       TEXT,   offsetof(struct pack_options, chemistry), 0, 0, "nmc, lfp, nimh or scap" },
    { "ambient",   "DEGC",      "22",        NUMBER, offsetof(struct pack_options, ambient_C), -40, 60, "temperature of pack and air at the start; not with --replay" },
    { "charger",   "WORD",      "slow",      TEXT,   offsetof(struct pack_options, charger),   0, 0, "slow, or gbt: a DC charger on CAN2 by GB/T 27930" },
    { "hub",       "PATH",      NULL,        TEXT,   offsetof(struct pack_options, hub),       0, 0, "socket of CAN0, made here (needed)" },
    { "slcan-tcp", "HOST:PORT", NULL,        TEXT,   offsetof(struct pack_options, slcan_tcp), 0, 0, "SLCAN for other tools; port 0 takes a free one and logs it" },
    { "slcan-pty", "LINK",      NULL,        TEXT,   offsetof(struct pack_options, slcan_pty), 0, 0, "SLCAN on a pseudo-terminal; LINK will point to it" },
    { "socketcan", "INTERFACE", NULL,        TEXT,   offsetof(struct pack_options, socketcan), 0, 0, "CAN0 on a CAN interface of the kernel as well" },
    { "hub1",      "PATH",      NULL,        TEXT,   offsetof(struct pack_options, hub1),      0, 0, "socket of CAN1, the vehicle bus" },
    { "slcan1-tcp","HOST:PORT", NULL,        TEXT,   offsetof(struct pack_options, slcan1_tcp), 0, 0, "SLCAN on CAN1" },
    { "socketcan1","INTERFACE", NULL,        TEXT,   offsetof(struct pack_options, socketcan1), 0, 0, "CAN1 on a CAN interface of the kernel as well" },
    { "hub2",      "PATH",      NULL,        TEXT,   offsetof(struct pack_options, hub2),      0, 0, "socket of CAN2, the DC charger's bus" },
    { "slcan2-tcp","HOST:PORT", NULL,        TEXT,   offsetof(struct pack_options, slcan2_tcp), 0, 0, "SLCAN on CAN2" },
    { "socketcan2","INTERFACE", NULL,        TEXT,   offsetof(struct pack_options, socketcan2), 0, 0, "CAN2 on a CAN interface of the kernel as well" },
    { "nvm",       "FILE",      NULL,        TEXT,   offsetof(struct pack_options, nvm),       0, 0, "the board's memory: parameters and count of starts (needed)" },
    { "rs485-pty", "LINK",      NULL,        TEXT,   offsetof(struct pack_options, rs485_pty), 0, 0, "RS485 (Modbus RTU, cable tool) on a pseudo-terminal; LINK will point to it" },
    { "slot",      "FILE",      NULL,        TEXT,   offsetof(struct pack_options, slot),      0, 0, "the board's second program slot, where a tester can load a program" },
    { "replay",    "CSV[.gz]",  NULL,        TEXT,   offsetof(struct pack_options, replay),    0, 0, "a recorded log instead of a scenario; decides the number of cells" },
    { "speed",     "N|max",     "1",         SPEED,  offsetof(struct pack_options, speed),     0, 0, "times real time" },
    { "sample-ms", "MS",        "-1",        NUMBER, offsetof(struct pack_options, sample_ms), -1, 60000, "time between samples; -1 = as the board has it" },
    { "samples",   "N",         "0",         NUMBER, offsetof(struct pack_options, samples),   0, INT64_MAX, "stop after N samples; 0 = never" },
    { "truth",     "FILE",      NULL,        TEXT,   offsetof(struct pack_options, truth),     0, 0, "write what the world was and what was measured" },
    { "record",    "FILE",      NULL,        TEXT,   offsetof(struct pack_options, record),    0, 0, "write every step of the BIU, for cellwarden-biu-replay" },
    { "fault",     "LIST",      NULL,        TEXT,   offsetof(struct pack_options, fault),     0, 0, "KIND[:A[:B]]@FROM[-TO][,...]: what breaks, and when, in seconds (docs/simulation.md)" },
    { "seed",      "N",         "0",         NUMBER, offsetof(struct pack_options, seed),      0, INT64_MAX, "another seed, another pack and road; 0 = from the name" },
    { "utc-start", "MS",        "0",         NUMBER, offsetof(struct pack_options, utc_start), 0, INT64_MAX, "the board's clock at the start (of the log: at t_s = 0), ms since 1970; 0 = now, or so that a log that is replayed faster ends now" },
    { "lossless",  NULL,        NULL,        FLAG,   offsetof(struct pack_options, lossless),  0, 0, "wait for the hub's clients instead of dropping frames; starts with the first client" },
};
/* clang-format on */

enum { ROWS = sizeof(rows) / sizeof(rows[0]) };

static void help(void)
{
    printf("usage: cellwarden-pack --hub PATH --nvm FILE [OPTIONS]\n\n"
           "One simulated battery pack: cells, AFE chips, BIU firmware, CAN0. Each option is also an environment variable, such as "
           "CELLWARDEN_SPEED.\n\n");
    for (size_t i = 0; i < ROWS; i++) {
        const struct option_row *r = &rows[i];
        char left[32];

        snprintf(left, sizeof(left), "--%s %s", r->name, r->value ? r->value : "");
        printf("  %-22s %s%s%s%s\n", left, r->help, r->dflt ? " (" : "", r->dflt ? r->dflt : "", r->dflt ? ")" : "");
    }
}

static int refuse(const char *what, const char *name, const char *value)
{
    fprintf(stderr, "cellwarden-pack: --%s %s: %s (cellwarden-pack --help)\n", name, value ? value : "", what);
    return BMS_ERR_RANGE;
}

static int set_number(int64_t *at, const struct option_row *r, const char *text)
{
    char *end;

    errno = 0;
    long long v = strtoll(text, &end, 10);

    if (*text == 0 || *end || errno || v < r->min || v > r->max)
        return refuse(r->max == INT64_MAX ? "is no whole number from 0" : "is no whole number in its range", r->name, text);
    *at = v;
    return BMS_ERR_OK;
}

static int set_speed(double *at, const struct option_row *r, const char *text)
{
    char *end;
    double v = strtod(text, &end);

    if (strcmp(text, "max") == 0)
        *at = 0;
    else if (*text == 0 || *end || !(v >= 0.1 && v <= 10000))
        return refuse("is neither a number from 0.1 to 10000 nor max", r->name, text);
    else
        *at = v;
    return BMS_ERR_OK;
}

static int set(struct pack_options *o, const struct option_row *r, const char *text)
{
    void *at = (char *)o + r->at;

    switch (r->kind) {
    case TEXT:
        *(const char **)at = text;
        return BMS_ERR_OK;
    case NUMBER:
        return set_number(at, r, text);
    case SPEED:
        return set_speed(at, r, text);
    default:
        *(bool *)at = strcmp(text, "0") != 0;
        return BMS_ERR_OK;
    }
}

static const char *from_environment(const struct option_row *r)
{
    char name[64] = "CELLWARDEN_";
    size_t n = strlen(name);

    for (const char *p = r->name; *p; p++)
        name[n++] = *p == '-' ? '_' : (char)toupper((unsigned char)*p);
    name[n] = 0;
    return getenv(name);
}

static int set_defaults(struct pack_options *o)
{
    *o = (struct pack_options) { 0 };
    for (size_t i = 0; i < ROWS; i++) {
        const char *given = from_environment(&rows[i]);
        const char *text = given && *given ? given : rows[i].dflt;
        int err = text ? set(o, &rows[i], text) : BMS_ERR_OK;

        if (err)
            return err;
    }
    return BMS_ERR_OK;
}

static const struct option_row *row_of(const char *word)
{
    for (size_t i = 0; i < ROWS; i++) {
        if (strncmp(word, "--", 2) == 0 && strcmp(word + 2, rows[i].name) == 0)
            return &rows[i];
    }
    return NULL;
}

static bool is_device_name(const char *name)
{
    size_t n = strspn(name, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_");

    return n > 0 && name[n] == '.' && name[n + 1] != 0 &&
           strspn(name + n + 1, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_") == strlen(name + n + 1);
}

static int check(const struct pack_options *o)
{
    if (!o->hub)
        return refuse("is needed", "hub", "PATH");
    if (!o->nvm)
        return refuse("is needed", "nvm", "FILE");
    if (strcmp(o->charger, "slow") != 0 && strcmp(o->charger, "gbt") != 0)
        return refuse("is neither slow nor gbt", "charger", o->charger);
    if (!is_device_name(o->name))
        return refuse("is no <tenant>.<vehicle>", "name", o->name);
    return BMS_ERR_OK;
}

int pack_options_read(struct pack_options *o, int argc, char **argv)
{
    for (int i = 1; i < argc; i++) {
        if (strcmp(argv[i], "--help") == 0) {
            help();
            return 1;
        }
    }
    int err = set_defaults(o);

    for (int i = 1; i < argc && !err; i++) {
        const struct option_row *r = row_of(argv[i]);

        if (!r) {
            fprintf(stderr, "cellwarden-pack: there is no option '%s' (cellwarden-pack --help)\n", argv[i]);
            return BMS_ERR_RANGE;
        }
        if (r->kind == FLAG)
            err = set(o, r, "1");
        else if (i + 1 < argc)
            err = set(o, r, argv[++i]);
        else
            err = refuse("needs a value", r->name, NULL);
    }
    return err ? err : check(o);
}
