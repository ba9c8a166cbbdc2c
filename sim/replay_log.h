/* SPDX-License-Identifier: Apache-2.0 */
/* replay_log.h -- read a recorded pack log: CSV, plain or gzip, `t_s,i_A[,pack_V],c<k>_mV..,t<k>_C..`, other columns ignored by name.
 *
 * Opening reads the whole file once and accepts all of it or nothing; then the rows are read one by one, in bounded memory.
 * A hole is a cell field that is empty or outside 0 to 5,000 mV, or a current or temperature field that is empty or cannot be: the last value
 * is held (before the first value: the first one), and it is counted. A temperature column without any value is a probe that is not
 * fitted. Refused, with file, line and column: text in a number, a row with another number of columns, time that goes backwards, no t_s,
 * i_A or c1_mV, a gap in the cell columns, a cell column without any value, fewer than 4 or more than 160 cells, a file cut short.
 */
#ifndef SIM_REPLAY_LOG_H
#define SIM_REPLAY_LOG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/units.h"

enum { REPLAY_COLUMNS_MAX = 1024, REPLAY_LINE_MAX = 65536, REPLAY_TEXT_MAX = 400 };

struct replay_row {
    double t_s;
    double current_A; /* positive on discharge */
    double pack_V;    /* the sum of the cells when the log has no such column */
    double cell_mV[PACK_CELLS_MAX];
    bool hole[PACK_CELLS_MAX];
    double temp_C[PACK_TEMPS_MAX];
};

struct replay_column {
    enum replay_kind { REPLAY_OTHER, REPLAY_TIME, REPLAY_CURRENT, REPLAY_PACK, REPLAY_CELL, REPLAY_TEMP } kind;
    int index;    /* of a cell or probe, 0-based */
    bool seen;    /* has had a value */
    double first; /* the first one */
};

struct replay_log {
    void *file;       /* gzFile */
    const char *path; /* borrowed */
    size_t columns;
    struct replay_column column[REPLAY_COLUMNS_MAX];
    int cells, temps; /* temps: highest t<k>, fitted or not */
    bool fitted[PACK_TEMPS_MAX];
    bool has_pack_V;
    uint32_t rows; /* in the file */
    double first_s, last_s;
    uint32_t line;         /* last read, 1-based */
    uint32_t holes;        /* in the rows given out so far */
    struct replay_row row; /* the last one, held for holes */
    char header[REPLAY_LINE_MAX];
    char text[REPLAY_LINE_MAX];
    char error[REPLAY_TEXT_MAX]; /* what is wrong, for the user */
};

/* Returns 0, or BMS_ERR_IO, BMS_ERR_TRUNCATED, BMS_ERR_CORRUPT, BMS_ERR_RANGE with log->error set. The struct is large: not on a stack. */
int replay_open(struct replay_log *log, const char *path);

/* The next row in log->row: 1, 0 at the end, or an error as above (the file was changed meanwhile). */
int replay_next(struct replay_log *log);

void replay_close(struct replay_log *log);

#endif
