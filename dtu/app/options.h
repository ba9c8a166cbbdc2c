/* SPDX-License-Identifier: Apache-2.0 */
/* options.h -- the command line and the environment of cellwarden-dtu, from one table. The command line wins. */
#ifndef DTU_APP_OPTIONS_H
#define DTU_APP_OPTIONS_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

enum { OPTIONS_HOST = 254 };

struct options { /* texts are borrowed from argv and the environment */
    const char *name, *hub, *journal, *broker, *server_name, *ca, *cert, *key, *stream;
    uint32_t journal_kB, batch;
    char host[OPTIONS_HOST]; /* of broker */
    uint16_t port;
    bool lwip, help;
};

/* Returns 0, or BMS_ERR_RANGE with a sentence in why[n]. */
int options_read(struct options *o, int argc, char *const argv[], char *why, size_t n);

void options_help(FILE *to);

#endif
