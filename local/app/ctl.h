/* SPDX-License-Identifier: Apache-2.0 */
/* ctl.h -- what the commands of cellwarden-ctl share: the cable with waits that end, and output as text or JSON. */
#ifndef LOCAL_APP_CTL_H
#define LOCAL_APP_CTL_H

#include <stdbool.h>

#include "local/app/board_tables.h"
#include "local/app/cable.h"
#include "local/app/options.h"
#include "server/http/jsonw.h"

struct ctl {
    struct cable cable;
    bool json;
    unsigned timeout_s; /* for the link and for a sample */
    bool has_sample;
    struct sample sample; /* the newest */
    unsigned samples;
    bool use_board_tables;      /* write by the board's tables when these are not ours */
    uint32_t board_hash;        /* of its tables, when asked for */
    struct board_tables tables; /* when loaded */
    struct jsonw out;           /* of --json; printed at the end */
};

/* The commands: argv[0] is the command's own name. Each returns EXIT_*. */
typedef int ctl_fn(struct ctl *c, int argc, char *const argv[]);
ctl_fn ctl_status, ctl_cells, ctl_watch;                        /* ctl_show.c */
ctl_fn ctl_params, ctl_calibrate, ctl_flash;                    /* ctl_params.c */
ctl_fn ctl_restart;                                             /* ctl_restart.c */
ctl_fn ctl_dtc, ctl_soc, ctl_inject, ctl_upgrade, ctl_selftest; /* ctl_board.c */

ctl_fn ctl_catalogue; /* ctl_tables.c */

/* ctl_params.c. Write, store if asked, read back, show. EXIT_*, said. */
int ctl_carry_out(struct ctl *c, const struct command *cmd);

/* ctl_file.c. Files of parameters; `path` of an export may be "-". EXIT_*, said. */
int ctl_export(struct ctl *c, const char *path);
int ctl_diff(struct ctl *c, const char *path); /* EXIT_FAILED when something differs */
int ctl_import(struct ctl *c, const char *path, bool store);

/* ctl_tables.c. Does the board have others than ours? Refuse when it has; read and write by its own. EXIT_*, said. */
int ctl_ask_tables(struct ctl *c, bool *others);
int ctl_need_our_tables(struct ctl *c);
int ctl_get_by_board(struct ctl *c, int argc, char *const argv[]);               /* argv[argc]: names, none = all */
int ctl_write_by_board(struct ctl *c, int argc, char *const argv[], bool store); /* argv[1..]: NAME=VALUE */

/* Say "error: ..." on standard error; returns EXIT_FAILED, for `return ctl_fail(...)`. ctl_usage() returns EXIT_USAGE. */
#if defined(__GNUC__)
__attribute__((format(printf, 1, 2)))
#endif
int ctl_fail(const char *format, ...);
#if defined(__GNUC__)
__attribute__((format(printf, 1, 2)))
#endif
int ctl_usage(const char *format, ...);

/* Wait for the link, then for the next sample. EXIT_DONE or EXIT_FAILED, said. */
int ctl_wait_link(struct ctl *c);
int ctl_wait_sample(struct ctl *c);

/* Run the task that was begun (err: what tester_*() returned). EXIT_DONE, or EXIT_FAILED with the reason said unless `quiet`. */
int ctl_run(struct ctl *c, int err, bool quiet);

/* One request. The answer is in c->cable.tester. */
int ctl_ask(struct ctl *c, const uint8_t *request, size_t n, enum tester_access access);

/* Read both copies of all parameters, and how long it took. */
int ctl_read_params(struct ctl *c, double *seconds);

/* Has somebody asked us to stop (SIGINT, SIGTERM)? */
bool ctl_is_stopping(void);

#endif
