/* SPDX-License-Identifier: Apache-2.0 */
/* pty.h -- a pseudo-terminal with a name of its own, as the line to somebody's tool. It passes bytes as they are and never blocks. */
#ifndef SIM_PTY_H
#define SIM_PTY_H

enum { PTY_PATH_MAX = 108 };

/* Make `link` a symbolic link to a new pseudo-terminal; an older link is replaced, anything else is not (BMS_ERR_STATE). *slave is our own end, held
 * open so that the line stays up without a tool. Returns 0, BMS_ERR_RANGE for a bad name, BMS_ERR_IO (errno tells); on an error nothing is open. */
int pty_open(const char *link, int *master, int *slave);

#endif
