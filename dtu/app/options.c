/* SPDX-License-Identifier: Apache-2.0 */
#include "dtu/app/options.h"

#include <errno.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include "common/err.h"

#define TEXT(field)   offsetof(struct options, field), 0, 0
#define NUMBER(field) offsetof(struct options, field)

static const struct option_row {
    const char *name;
    const char *value; /* what stands for it in the help */
    const char *dflt;  /* NULL: must be given */
    size_t at;
    uint32_t min, max; /* of a number; 0, 0: a text */
    const char *text;
} rows[] = {
    { "name", "TENANT.VEHICLE", NULL, TEXT(name), "who this is: the topic, the client id and the certificate's CN" },
    { "hub", "PATH", NULL, TEXT(hub), "socket of CAN0" },
    { "journal", "FILE", NULL, TEXT(journal), "flash journal; made when it is not there" },
    { "journal-kB", "N", "32768", NUMBER(journal_kB), 256, 262144, "size of a new journal" },
    { "broker", "HOST:PORT", NULL, TEXT(broker), "MQTT 5 broker" },
    { "server-name", "NAME", NULL, TEXT(server_name), "name that the broker's certificate must have" },
    { "ca", "FILE", NULL, TEXT(ca), "certificates that are trusted, PEM" },
    { "cert", "FILE", NULL, TEXT(cert), "this DTU's certificate, PEM" },
    { "key", "FILE", NULL, TEXT(key), "its key, PEM" },
    { "stream", "posix|lwip", "posix", TEXT(stream), "system sockets, or the embedded stack" },
    { "batch", "N", "10", NUMBER(batch), 1, 60, "samples of a record while driving" },
};

enum { ROWS = sizeof(rows) / sizeof(rows[0]), ENV_MAX = 64 };

void options_help(FILE *to)
{
    fputs(
        "usage: cellwarden-dtu OPTIONS\n\nTakes samples from CAN0, keeps them in a journal, publishes them until the server has them.\n\n",
        to);
    for (unsigned i = 0; i < ROWS; i++)
        fprintf(to, "  --%-12s %-15s %s%s%s%s\n", rows[i].name, rows[i].value, rows[i].text, rows[i].dflt ? " (default " : " (needed)",
                rows[i].dflt ? rows[i].dflt : "", rows[i].dflt ? ")" : "");
    fputs("  --help\n\nEach also as environment variable: CELLWARDEN_NAME, CELLWARDEN_JOURNAL_KB, ...\n", to);
}

static bool fail(char *why, size_t n, const char *name, const char *text)
{
    snprintf(why, n, "--%s %s", name, text);
    return false;
}

static bool set(struct options *o, const struct option_row *row, const char *value, char *why, size_t n)
{
    char *end;

    if (row->max == 0) {
        memcpy((char *)o + row->at, &value, sizeof(value));
        return value[0] ? true : fail(why, n, row->name, "is empty");
    }
    errno = 0;
    unsigned long v = strtoul(value, &end, 10);
    uint32_t number = (uint32_t)v;

    if (value[0] < '0' || value[0] > '9' || *end || errno || v < row->min || v > row->max) {
        snprintf(why, n, "--%s must be a number from %u to %u, not '%s'", row->name, row->min, row->max, value);
        return false;
    }
    memcpy((char *)o + row->at, &number, sizeof(number));
    return true;
}

static const char *from_environment(const struct option_row *row)
{
    char name[ENV_MAX] = "CELLWARDEN_";
    size_t at = strlen(name);

    for (const char *p = row->name; *p; p++)
        name[at++] = *p == '-' ? '_' : *p >= 'a' && *p <= 'z' ? (char)(*p - 'a' + 'A') : *p;
    name[at] = '\0';
    return getenv(name);
}

static const struct option_row *find(const char *name, size_t n)
{
    for (unsigned i = 0; i < ROWS; i++)
        if (strlen(rows[i].name) == n && strncmp(rows[i].name, name, n) == 0)
            return &rows[i];
    return NULL;
}

/* --name VALUE and --name=VALUE. given[i]: row i has its value. */
static bool read_arguments(struct options *o, int argc, char *const argv[], bool *given, char *why, size_t n)
{
    for (int i = 1; i < argc; i++) {
        const char *arg = argv[i];
        const char *equals = strchr(arg, '=');

        if (strcmp(arg, "--help") == 0 || strcmp(arg, "-h") == 0) {
            o->help = true;
            return true;
        }
        const struct option_row *row =
            strncmp(arg, "--", 2) == 0 ? find(arg + 2, equals ? (size_t)(equals - arg - 2) : strlen(arg + 2)) : NULL;

        if (row == NULL) {
            snprintf(why, n, "unknown option '%s'", arg);
            return false;
        }
        if (!equals && i + 1 == argc)
            return fail(why, n, row->name, "needs a value");
        if (!set(o, row, equals ? equals + 1 : argv[++i], why, n))
            return false;
        given[row - rows] = true;
    }
    return true;
}

static bool split_broker(struct options *o, char *why, size_t n)
{
    const char *colon = strrchr(o->broker, ':');
    size_t host_n = colon ? (size_t)(colon - o->broker) : 0;
    char *end = NULL;
    unsigned long port = colon && colon[1] >= '0' && colon[1] <= '9' ? strtoul(colon + 1, &end, 10) : 0;

    if (host_n == 0 || host_n >= sizeof(o->host) || port == 0 || port > UINT16_MAX || *end)
        return fail(why, n, "broker", "must be HOST:PORT");
    memcpy(o->host, o->broker, host_n);
    o->host[host_n] = '\0';
    o->port = (uint16_t)port;
    return true;
}

static bool check(struct options *o, char *why, size_t n)
{
    o->lwip = strcmp(o->stream, "lwip") == 0;
    if (!o->lwip && strcmp(o->stream, "posix") != 0)
        return fail(why, n, "stream", "must be posix or lwip");
    return split_broker(o, why, n);
}

int options_read(struct options *o, int argc, char *const argv[], char *why, size_t n)
{
    bool given[ROWS] = { false };

    memset(o, 0, sizeof(*o));
    if (!read_arguments(o, argc, argv, given, why, n))
        return BMS_ERR_RANGE;
    for (unsigned i = 0; i < ROWS && !o->help; i++) {
        const char *value = given[i] ? NULL : from_environment(&rows[i]);

        if (!given[i] && !value)
            value = rows[i].dflt;
        if (!given[i] && !value) {
            fail(why, n, rows[i].name, "is missing");
            return BMS_ERR_RANGE;
        }
        if (value && !set(o, &rows[i], value, why, n))
            return BMS_ERR_RANGE;
    }
    return o->help || check(o, why, n) ? BMS_ERR_OK : BMS_ERR_RANGE;
}
