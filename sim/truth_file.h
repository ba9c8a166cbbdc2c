/* SPDX-License-Identifier: Apache-2.0 */
/* truth_file.h -- write the file of sim/truth.h: each entry whole, with one write(); an entry torn by a kill is cut off on opening. */
#ifndef SIM_TRUTH_FILE_H
#define SIM_TRUTH_FILE_H

#include <stdint.h>

#include "proto/sample.h"
#include "sim/truth.h"

struct truth_file {
    int fd;           /* -1 = none is written */
    uint64_t entries; /* written since opening */
};

/* Open for appending, or create. Returns 0, BMS_ERR_IO (errno tells), or BMS_ERR_CORRUPT when it is some other file. */
int truth_file_open(struct truth_file *t, const char *path);

/* world_mV[s->cells]. Returns 0 or BMS_ERR_IO. */
int truth_file_append(struct truth_file *t, const struct sample *s, const uint16_t *world_mV);

void truth_file_close(struct truth_file *t);

#endif
