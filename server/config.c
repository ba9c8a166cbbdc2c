/* SPDX-License-Identifier: Apache-2.0 */
/* config.c -- the table of options and the three things that walk it: load, check, help. */
#include "server/config.h"

#include "common/err.h"
#include "server/log.h"

#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

enum option_kind { TEXT, NUMBER };

struct option {
    const char *flag; /* without the dashes */
    enum option_kind kind;
    size_t offset;
    const char *dflt; /* NULL = must be given */
    int64_t min, max; /* NUMBER only */
    const char *help;
};

#define AT(field) offsetof(struct config, field)

/* clang-format off */
static const struct option options[] = {
    { "listen",              TEXT,   AT(listen),              "127.0.0.1:8080", 0, 0, "HOST:PORT of the HTTP server" },
    { "database",            TEXT,   AT(database),            NULL,             0, 0, "PostgreSQL, a libpq connection string" },
    { "broker",              TEXT,   AT(broker),              "127.0.0.1:8883", 0, 0, "HOST:PORT of the MQTT broker (TLS)" },
    { "server-name",         TEXT,   AT(server_name),         "localhost",      0, 0, "name that the broker's certificate must carry" },
    { "ca",                  TEXT,   AT(ca),                  NULL,             0, 0, "file of the CA that signed the broker's certificate (PEM)" },
    { "cert",                TEXT,   AT(cert),                NULL,             0, 0, "file of our client certificate (PEM)" },
    { "key",                 TEXT,   AT(key),                 NULL,             0, 0, "file of its private key (PEM)" },
    { "client-id",           TEXT,   AT(client_id),           "",               0, 0, "MQTT client id; empty: one made from the process id" },
    { "migrations",          TEXT,   AT(migrations),          "deploy/sql",     0, 0, "folder of the SQL migrations" },
    { "web",                 TEXT,   AT(web),                 "",               0, 0, "folder of the console's files; empty: none" },
    { "catalogue",           TEXT,   AT(catalogue),           "",               0, 0, "catalogue.json made from the tables; empty: none" },
    { "admin-password-file", TEXT,   AT(admin_password_file), "",               0, 0, "first password of the user admin; empty: none" },
    { "roles",               TEXT,   AT(roles),               "all",            0, 0, "all, ingest, api or jobs" },
    { "log-level",           TEXT,   AT(log_level),           "info",           0, 0, "error, warn, info or debug" },
    { "retention-days",      NUMBER, AT(retention_days),      "400",            1, 36500, "records older than this are refused, and dropped day by day" },
    { "rollup-days",         NUMBER, AT(rollup_days),         "3660",           1, 36500, "hours of roll-ups are kept so long; a tenant may have its own (tenant_retention)" },
    { "alarm-days",          NUMBER, AT(alarm_days),          "3650",           1, 36500, "alarms are kept so long after their end; a tenant may have its own (tenant_retention)" },
    { "poison-days",         NUMBER, AT(poison_days),         "30",             1, 36500, "refused records are kept aside so long" },
    { "poison-per-device",   NUMBER, AT(poison_per_device),   "1000",           1, 1000000, "and at most so many of one device, the newest" },
    { "jobs-period-s",       NUMBER, AT(jobs_period_s),       "600",            1, 86400, "time between two passes of the jobs" },
    { "rollup-period-s",     NUMBER, AT(rollup_period_s),     "60",             1, 3600, "time between two looks for hours that are over or got late records" },
    { "refill-period-s",     NUMBER, AT(refill_period_s),     "900",            0, 86400, "time between two looks for records that a journal is asked for again; 0: never" },
    { "refill-settle-s",     NUMBER, AT(refill_settle_s),     "600",            1, 86400, "records that are missing for less are waited for" },
    { "batch-records",       NUMBER, AT(batch_records),       "4096",           1, 16384, "most records in one transaction" },
    { "batch-ms",            NUMBER, AT(batch_ms),            "20",             1, 10000, "longest time that a record waits for its transaction" },
    { "ring-records",        NUMBER, AT(ring_records),        "16384",          16, 1048576, "messages waiting for the ingest thread" },
    { "ring-kB",             NUMBER, AT(ring_kB),             "65536",          64, 4194304, "their memory" },
    { "receive-max",         NUMBER, AT(receive_max),         "1000",           1, 65535, "MQTT Receive Maximum: messages in flight from the broker" },
    { "device-records-per-s", NUMBER, AT(device_records),     "500",            0, 1000000, "records of one device; more are delayed, never lost; 0: no limit" },
    { "device-kB-per-s",     NUMBER, AT(device_kB),           "2048",           0, 1000000, "their size" },
    { "tenant-records-per-s", NUMBER, AT(tenant_records),     "50000",          0, 1000000, "records of all devices of a tenant; 0: no limit" },
    { "tenant-kB-per-s",     NUMBER, AT(tenant_kB),           "131072",         0, 1000000, "their size" },
    { "lane",                NUMBER, AT(lane),                "1",              0, 1, "1: records come and acks go over a connection of their own; 0: over Paho's" },
    { "op-expiry-s",         NUMBER, AT(op_expiry_s),         "60",             1, 86400, "operations without a result expire after this" },
};
/* clang-format on */

enum { OPTIONS = sizeof options / sizeof options[0] };

static void env_name(const struct option *o, char *out, size_t size)
{
    size_t n = (size_t)snprintf(out, size, "CELLWARDEN_");

    for (const char *p = o->flag; *p && n + 1 < size; p++)
        out[n++] = *p == '-' ? '_' : (char)toupper((unsigned char)*p);
    out[n] = '\0';
}

static int set(struct config *cfg, const struct option *o, const char *value, char *why, size_t size)
{
    char *field = (char *)cfg + o->offset;
    char *end = NULL;

    if (o->kind == TEXT) {
        memcpy(field, &value, sizeof value);
        return 0;
    }
    errno = 0;
    long long n = strtoll(value, &end, 10);

    if (errno || end == value || *end || n < o->min || n > o->max) {
        snprintf(why, size, "--%s: '%.40s' is not a number from %lld to %lld", o->flag, value, (long long)o->min, (long long)o->max);
        return BMS_ERR_RANGE;
    }
    int64_t wide = n;

    memcpy(field, &wide, sizeof wide);
    return 0;
}

static const struct option *find(const char *arg, size_t len)
{
    for (size_t i = 0; i < OPTIONS; i++)
        if (strlen(options[i].flag) == len && strncmp(options[i].flag, arg, len) == 0)
            return &options[i];
    return NULL;
}

static int load_args(struct config *cfg, int argc, char *const argv[], bool *given, char *why, size_t size)
{
    for (int i = 1; i < argc; i++) {
        const char *arg = argv[i];

        if (strcmp(arg, "--help") == 0)
            return 1;
        const struct option *o = strncmp(arg, "--", 2) == 0 ? find(arg + 2, strcspn(arg + 2, "=")) : NULL;

        if (!o) {
            snprintf(why, size, "unknown option '%.60s' (see --help)", arg);
            return BMS_ERR_RANGE;
        }
        const char *value = strchr(arg, '=');

        value = value ? value + 1 : i + 1 < argc ? argv[++i] : NULL;
        if (!value) {
            snprintf(why, size, "--%s needs a value", o->flag);
            return BMS_ERR_RANGE;
        }
        int err = set(cfg, o, value, why, size);

        if (err)
            return err;
        given[o - options] = true;
    }
    return 0;
}

static int load_rest(struct config *cfg, const bool *given, char *(*env)(const char *), char *why, size_t size)
{
    for (size_t i = 0; i < OPTIONS; i++) {
        const struct option *o = &options[i];
        char name[64];

        if (given[i])
            continue;
        env_name(o, name, sizeof name);
        const char *value = env(name);

        if (!value)
            value = o->dflt;
        if (!value) {
            snprintf(why, size, "--%s (or %s) must be given", o->flag, name);
            return BMS_ERR_RANGE;
        }
        int err = set(cfg, o, value, why, size);

        if (err)
            return err;
    }
    return 0;
}

static int check(struct config *cfg, char *why, size_t size)
{
    static const struct {
        const char *word;
        unsigned role;
    } roles[] = { { "all", ROLE_ALL }, { "ingest", ROLE_INGEST }, { "api", ROLE_API }, { "jobs", ROLE_JOBS } };
    enum log_level level;

    cfg->role = 0;
    for (size_t i = 0; i < sizeof roles / sizeof roles[0]; i++)
        if (strcmp(cfg->roles, roles[i].word) == 0)
            cfg->role = roles[i].role;
    if (!cfg->role) {
        snprintf(why, size, "--roles: '%.20s' is not all, ingest, api or jobs", cfg->roles);
        return BMS_ERR_RANGE;
    }
    if (!log_level_of(cfg->log_level, &level)) {
        snprintf(why, size, "--log-level: '%.20s' is not error, warn, info or debug", cfg->log_level);
        return BMS_ERR_RANGE;
    }
    return 0;
}

int config_load(struct config *cfg, int argc, char *const argv[], char *(*env)(const char *), char *why, size_t size)
{
    bool given[OPTIONS] = { false };

    *cfg = (struct config) { 0 };
    int err = load_args(cfg, argc, argv, given, why, size);

    if (!err)
        err = load_rest(cfg, given, env, why, size);
    return err ? err : check(cfg, why, size);
}

void config_help(FILE *to)
{
    fprintf(to, "cellwarden-server: takes records from the broker into the database, and serves the API and the console.\n\n"
                "Each option may also be given in the environment, as CELLWARDEN_<NAME> (CELLWARDEN_BATCH_MS for --batch-ms).\n\n");
    for (size_t i = 0; i < OPTIONS; i++) {
        const struct option *o = &options[i];

        fprintf(to, "  --%-20s %s", o->flag, o->help);
        if (!o->dflt)
            fprintf(to, " (must be given)\n");
        else if (*o->dflt)
            fprintf(to, " (default %s)\n", o->dflt);
        else
            fprintf(to, "\n");
    }
}
