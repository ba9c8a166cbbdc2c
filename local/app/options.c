/* SPDX-License-Identifier: Apache-2.0 */
#include "local/app/options.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "common/err.h"

enum { KBIT_DEFAULT = 500, BAUD_DEFAULT = 115200 };

static const struct {
    const char *name, *value, *environment, *text;
    enum wire_kind kind;
} cables[] = {
    { "serial", "PORT", "CELLWARDEN_SERIAL", "serial CAN adapter that speaks SLCAN (as slcand uses it)", WIRE_SERIAL },
    { "can", "IF", "CELLWARDEN_CAN", "CAN interface of the kernel (SocketCAN)", WIRE_CAN },
    { "slcan", "HOST:PORT", "CELLWARDEN_SLCAN", "SLCAN over TCP", WIRE_SLCAN },
    { "rs485", "PORT", "CELLWARDEN_RS485", "RS485 line of the board: parameters, trouble codes, upgrade; no samples", WIRE_RS485 },
    { "hub", "PATH", "CELLWARDEN_HUB", "socket of a simulated pack's CAN0", WIRE_HUB },
};

enum { CABLES = sizeof(cables) / sizeof(cables[0]) };

void options_cable_help(FILE *to)
{
    fputs("the cable, one of:\n", to);
    for (unsigned i = 0; i < CABLES; i++)
        fprintf(to, "  --%-7s %-10s %s\n", cables[i].name, cables[i].value, cables[i].text);
    fputs("  --bitrate KBIT       of the bus, told to an SLCAN adapter (default 500)\n"
          "  --baud N             of the serial line (default 115200)\n"
          "environment: CELLWARDEN_SERIAL, _CAN, _SLCAN, _RS485 or _HUB name the cable when no option does\n",
          to);
}

void options_cable_init(struct wire_config *c)
{
    *c = (struct wire_config) { .kind = WIRE_NONE, .kbit = KBIT_DEFAULT, .baud = BAUD_DEFAULT };
}

const char *options_value(const char *name, int argc, char *const argv[], int *at, char *why, size_t n)
{
    const char *arg = argv[*at];
    size_t len = strlen(name);

    why[0] = '\0';
    if (strncmp(arg, "--", 2) != 0 || strncmp(arg + 2, name, len) != 0)
        return NULL;
    if (arg[2 + len] == '=')
        return arg + 3 + len;
    if (arg[2 + len] != '\0')
        return NULL;
    if (*at + 1 >= argc) {
        snprintf(why, n, "--%s needs a value", name);
        return NULL;
    }
    return argv[++*at];
}

bool options_number(const char *text, long min, long max, long *out)
{
    char *end;

    errno = 0;
    *out = strtol(text, &end, 10);
    return *text != '\0' && *end == '\0' && errno == 0 && *out >= min && *out <= max;
}

/* A number option. 1 taken, 0 another option, or BMS_ERR_RANGE. */
static int take_number(const char *name, unsigned *to, long max, int argc, char *const argv[], int *at, char *why, size_t n)
{
    const char *value = options_value(name, argc, argv, at, why, n);
    long number;

    if (value == NULL)
        return why[0] ? BMS_ERR_RANGE : 0;
    if (!options_number(value, 1, max, &number)) {
        snprintf(why, n, "--%s must be a number from 1 to %ld, not '%s'", name, max, value);
        return BMS_ERR_RANGE;
    }
    *to = (unsigned)number;
    return 1;
}

int options_cable(struct wire_config *c, int argc, char *const argv[], int *at, char *why, size_t n)
{
    for (unsigned i = 0; i < CABLES; i++) {
        const char *value = options_value(cables[i].name, argc, argv, at, why, n);

        if (value == NULL && why[0])
            return BMS_ERR_RANGE;
        if (value == NULL)
            continue;
        if (c->kind != WIRE_NONE) {
            snprintf(why, n, "only one cable: --serial, --can, --slcan, --rs485 or --hub");
            return BMS_ERR_RANGE;
        }
        c->kind = cables[i].kind;
        c->target = value;
        return 1;
    }
    int taken = take_number("bitrate", &c->kbit, 1000, argc, argv, at, why, n);

    return taken ? taken : take_number("baud", &c->baud, 2000000, argc, argv, at, why, n);
}

bool options_cable_check(struct wire_config *c, char *why, size_t n)
{
    for (unsigned i = 0; i < CABLES && c->kind == WIRE_NONE; i++) {
        const char *value = getenv(cables[i].environment);

        if (value != NULL && value[0] != '\0') {
            c->kind = cables[i].kind;
            c->target = value;
        }
    }
    if (c->kind == WIRE_NONE)
        snprintf(why, n, "say which cable: --serial PORT, --can IF, --slcan HOST:PORT, --rs485 PORT or --hub PATH");
    return c->kind != WIRE_NONE;
}
