/* SPDX-License-Identifier: Apache-2.0 */
/* slot_file.h -- a board's second program slot as a file: the slot_port of the simulated board. As in flash, only erased bytes can be written. */
#ifndef SIM_SLOT_FILE_H
#define SIM_SLOT_FILE_H

#include "firmware/port/slot_port.h"

enum { SLOT_FILE_SIZE = 512 * 1024 };

struct slot_file {
    int fd; /* -1 = none */
    struct slot_port port;
};

/* Open, or create erased (FF). Returns 0 or BMS_ERR_IO (errno tells). Must not be moved while in use. */
int slot_file_open(struct slot_file *slot, const char *path);
void slot_file_close(struct slot_file *slot);

#endif
