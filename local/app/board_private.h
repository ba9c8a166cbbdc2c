/* SPDX-License-Identifier: Apache-2.0 */
/* board_private.h -- what board*.c share. Fields below `lock` are used under it; the cable belongs to its thread alone. */
#ifndef LOCAL_APP_BOARD_PRIVATE_H
#define LOCAL_APP_BOARD_PRIVATE_H

#include "local/app/board.h"

#include <pthread.h>
#include <stdatomic.h>

#include "local/app/cable.h"
#include "server/ingest.h"

enum board_job { BOARD_JOB_NONE, BOARD_JOB_READ, BOARD_JOB_OP, BOARD_JOB_UPGRADE, BOARD_JOB_SIMULATE };

struct board_op {
    struct op op;
    struct op_value values[OP_VALUES_MAX];
    size_t count;
};

struct board {
    struct cable cable;
    char device[DEVICE_NAME_MAX + 1];
    struct fleet *fleet;
    struct events events;
    struct ingest_parts publish; /* only fleet and events are set */
    pthread_t thread;
    bool thread_runs;
    atomic_bool stopping;

    enum board_job job; /* that the tester works on */
    struct board_op *at_work;
    bool linked;
    bool read_wanted;
    uint32_t read_after_ms; /* not before */
    uint32_t told_ms;       /* progress was noted */
    uint32_t simulated_ms;  /* the board was asked about simulated failures */

    pthread_mutex_t lock;
    struct sample window[BOARD_WINDOW];
    size_t window_first, window_count;
    struct board_values values;
    struct board_op ops[BOARD_OPS]; /* a ring: the oldest that has ended makes room */
    size_t ops_next;
    uint64_t next_id;
    uint8_t *image;
    struct board_progress progress;
    struct board_simulation simulation;
    uint8_t simulate_alarm;
    uint16_t simulate_seconds;
    bool simulate_stop;
};

/* board_work.c, on the cable's thread. Begin what is waiting, when nothing is under way; take the end of what was. */
void board_begin_work(struct board *b, uint32_t now_ms);
void board_end_work(struct board *b, uint32_t now_ms);
void board_note_progress(struct board *b, uint32_t now_ms);

/* The link went: what was under way has failed. */
void board_drop_work(struct board *b);

/* Tell listeners; none of these may be called with the lock held. */
void board_tell(struct board *b, enum event_kind kind, const struct op *op);

#endif
