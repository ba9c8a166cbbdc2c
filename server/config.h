/* SPDX-License-Identifier: Apache-2.0 */
/* config.h -- the server's options, one row each in config.c.
 *
 * A row names the field, the flag (`--batch-ms 50` or `--batch-ms=50`), its default and its help; the environment name is made from the flag
 * (CELLWARDEN_BATCH_MS) and `--help` is printed from the rows. A flag wins over the environment, the environment over the default.
 * Strings are borrowed from argv, the environment or the table: they live as long as the program.
 */
#ifndef SERVER_CONFIG_H
#define SERVER_CONFIG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

enum server_role { ROLE_INGEST = 1, ROLE_API = 2, ROLE_JOBS = 4, ROLE_ALL = ROLE_INGEST | ROLE_API | ROLE_JOBS };

struct config {
    const char *listen;      /* HTTP, HOST:PORT */
    const char *database;    /* libpq conninfo */
    const char *broker;      /* HOST:PORT */
    const char *server_name; /* name in the broker's certificate */
    const char *ca;          /* PEM files for MQTT */
    const char *cert;
    const char *key;
    const char *client_id;           /* "" = cellwarden-server-<pid>, so that several may run */
    const char *migrations;          /* folder of *.sql */
    const char *web;                 /* folder of the console's files; "" = none */
    const char *catalogue;           /* catalogue.json made by the generator; "" = none */
    const char *admin_password_file; /* read on the first start, "" = none */
    const char *roles;               /* all, ingest, api or jobs */
    const char *log_level;
    int64_t retention_days;
    int64_t rollup_days;
    int64_t alarm_days;
    int64_t poison_days;
    int64_t poison_per_device;
    int64_t jobs_period_s;
    int64_t rollup_period_s;
    int64_t refill_period_s;
    int64_t refill_settle_s;
    int64_t batch_records;
    int64_t batch_ms;
    int64_t ring_records;
    int64_t ring_kB;
    int64_t receive_max;
    int64_t device_records; /* a second, that one device may have stored; 0 = no limit */
    int64_t device_kB;
    int64_t tenant_records; /* all devices of a tenant together */
    int64_t tenant_kB;
    int64_t lane;
    int64_t op_expiry_s;
    unsigned role; /* ROLE_*, made from `roles` by config_load() */
};

/* Fill `cfg`. `env` answers for the environment (getenv in the program, a fake in tests).
 * Returns 0; 1 when --help was asked for (print config_help()); BMS_ERR_RANGE with a sentence in why[size] that names the option. */
int config_load(struct config *cfg, int argc, char *const argv[], char *(*env)(const char *), char *why, size_t size);

/* The help text, from the rows. */
void config_help(FILE *to);

#endif
