/* SPDX-License-Identifier: Apache-2.0 */
/* biu_replay.h -- give the inputs of a recorded BIU (record_file.h) to this firmware, and compare what it does with what was recorded. */
#ifndef SIM_BIU_REPLAY_H
#define SIM_BIU_REPLAY_H

#include "sim/record_file.h"

struct biu_replay_alarm { /* one that has come or gone */
    uint64_t t_ms;        /* since the first start of the log */
    uint64_t utc_ms;      /* 0 = the board had no clock */
    bool came;
    const struct alarm_row *row;
    struct sample_alarm what; /* as it was raised, or gone */
};

struct biu_replay_watch { /* told while the log is played; may be NULL */
    void *ctx;
    void (*alarm)(void *ctx, const struct biu_replay_alarm *a);
};

struct biu_replay_result {
    uint64_t steps, starts, wakes;
    uint64_t differing;  /* steps whose outputs are not those recorded */
    uint64_t first_step; /* from 1: the first of them */
    uint64_t first_t_ms;
    const char *first_row; /* its first output that differs, by its name in biu_io.def */
    uint64_t recorded, replayed;
    uint64_t alarms; /* that came */
    uint64_t t_ms;   /* how long the log is */
    bool complete;   /* the log was closed by its recorder, and all its steps were there */
    int error;       /* why the log ended: 0, BMS_ERR_CORRUPT, BMS_ERR_TRUNCATED, BMS_ERR_SCHEMA, BMS_ERR_IO, BMS_ERR_NOSPACE (memory) */
};

/* Play the whole log from where the reader is. Bounded by the file. */
void biu_replay(struct record_reader *from, const struct biu_replay_watch *watch, struct biu_replay_result *result);

/* All was there and every output was the same, bit for bit. */
bool biu_replay_is_equal(const struct biu_replay_result *result);

#endif
