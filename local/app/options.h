/* SPDX-License-Identifier: Apache-2.0 */
/* options.h -- the options that say which cable: shared by cellwarden-local and cellwarden-ctl. */
#ifndef LOCAL_APP_OPTIONS_H
#define LOCAL_APP_OPTIONS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

#include "local/port/wire.h"

enum { EXIT_DONE = 0, EXIT_FAILED = 1, EXIT_USAGE = 2 };

/* The lines of --help about the cable. */
void options_cable_help(FILE *to);

void options_cable_init(struct wire_config *c);

/* Take argv[*at] (and its value, then *at is moved on) when it is an option of the cable. 1 = taken, 0 = not one of these,
 * BMS_ERR_RANGE with why[n] set. */
int options_cable(struct wire_config *c, int argc, char *const argv[], int *at, char *why, size_t n);

/* After the last option: what the environment gives when no option named a cable. False with why[n] when there is none. */
bool options_cable_check(struct wire_config *c, char *why, size_t n);

/* The value of --NAME VALUE or --NAME=VALUE at argv[*at]; NULL when it is another option, or with why[n] set when the value is missing. */
const char *options_value(const char *name, int argc, char *const argv[], int *at, char *why, size_t n);

/* A whole number from min to max. */
bool options_number(const char *text, long min, long max, long *out);

#endif
