/* SPDX-License-Identifier: Apache-2.0 */
/* param_file.h -- parameters as a .json file, the same that the console exports and imports (UC-4).
 *
 *   { "format": "cellwarden-parameters", "version": 1, "vehicle", "chemistry", "cells", "table", .., "values": { name: value }, "stored": { .. } }
 *
 * "values" is what runs, "stored" is for people. A file of another table, chemistry or number of cells is refused, as is any value that is no whole
 * number or outside its range: everything that is wrong is said at once, nothing is half read. Unknown names are left out and said.
 */
#ifndef LOCAL_APP_PARAM_FILE_H
#define LOCAL_APP_PARAM_FILE_H

#include <stddef.h>
#include <stdio.h>

#include "dtu/core/board_params.h"
#include "dtu/core/command.h"
#include "server/http/jsonw.h"

enum { PARAM_FILE_MAX = 1000000 }; /* bytes */

/* Append the document to *out. now_ms: UTC. */
void param_file_write(struct jsonw *out, const struct board_params *params, const char *vehicle, const char *by, long long now_ms);

/* What differs from what runs, as writes into *cmd (cmd->writes, cmd->write). Notes and faults go to `say`, one line each. Returns 0 or
 * BMS_ERR_RANGE (refused), BMS_ERR_NOSPACE (more than COMMAND_WRITES_MAX differ). */
int param_file_read(const char *text, size_t n, const struct board_params *params, struct command *cmd, FILE *say);

#endif
