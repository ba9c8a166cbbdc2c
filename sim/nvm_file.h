/* SPDX-License-Identifier: Apache-2.0 */
/* nvm_file.h -- a board's non-volatile memory as a file: the nvm_port of the simulated board. A write is on the disk when it returns. */
#ifndef SIM_NVM_FILE_H
#define SIM_NVM_FILE_H

#include "firmware/port/nvm_port.h"

struct nvm_file {
    int fd;
    struct nvm_port port; /* hand this to the firmware */
};

/* Open, or create erased (FF). Returns 0 or BMS_ERR_IO (errno tells). Must not be moved while in use. */
int nvm_file_open(struct nvm_file *nvm, const char *path);
void nvm_file_close(struct nvm_file *nvm);

#endif
