/* SPDX-License-Identifier: Apache-2.0 */
/* record_file.h -- a recorded BIU as a file: the records of firmware/core/biu/biu_log.h in blocks.
 *
 * file:  magic "CWBIULOG" (8), then blocks        block:  length of the records (4), their CRC-32C (4), the records (1 to 65,536); little-endian
 *
 * A block is written when it is full and when the file is closed. A recorder that is killed leaves a file that ends early: what is whole can be read.
 */
#ifndef SIM_RECORD_FILE_H
#define SIM_RECORD_FILE_H

#include <stdio.h>

#include "firmware/core/biu/biu_log.h"
#include "firmware/port/trace_port.h"

struct record_file { /* to write */
    FILE *file;      /* NULL = nothing is recorded */
    bool failed;     /* a write failed; nothing more is written */
    uint64_t steps;
    struct biu_log_writer log;
    struct writer w;
    uint8_t block[BIU_LOG_BLOCK_MAX];
    struct trace_port port; /* hand this to the board */
};

/* Create the file, or empty it. version: of the firmware that is recorded. Returns 0 or BMS_ERR_IO (errno tells). Must not be moved while in use. */
int record_file_create(struct record_file *r, const char *path, const char *version);

/* Returns 0, or BMS_ERR_IO when not all is on the disk. */
int record_file_close(struct record_file *r);

struct record_reader {
    FILE *file;
    uint64_t blocks; /* read so far */
    struct biu_log_reader log;
    struct reader r;
    uint8_t block[BIU_LOG_BLOCK_MAX];
};

/* Returns 0, BMS_ERR_IO (errno tells), or BMS_ERR_CORRUPT when it is some other file. */
int record_reader_open(struct record_reader *r, const char *path);

/* The next record, as biu_log_next(); BIU_LOG_NONE at the end of the file; BMS_ERR_TRUNCATED when it ends inside a block; BMS_ERR_CORRUPT when the
 * checksum of a block is wrong. */
int record_reader_next(struct record_reader *r);
void record_reader_close(struct record_reader *r);

#endif
