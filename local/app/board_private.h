/* SPDX-License-Identifier: Apache-2.0 */
/* board_private.h -- what board*.c share. Fields below `lock` are used under it; the cable belongs to its thread alone. */
#ifndef LOCAL_APP_BOARD_PRIVATE_H
#define LOCAL_APP_BOARD_PRIVATE_H

#include "local/app/board.h"

#include <pthread.h>
#include <stdatomic.h>

#include "local/app/board_tables.h"
#include "local/app/cable.h"
#include "local/core/catalogue_upload.h"
#include "local/core/did_values.h"
#include "server/ingest/ingest.h"

enum board_job { BOARD_JOB_NONE, BOARD_JOB_READ, BOARD_JOB_OP, BOARD_JOB_UPGRADE, BOARD_JOB_SIMULATE, BOARD_JOB_OTHER };

struct board_op {
    struct op op;
    struct op_value values[OP_VALUES_MAX];
    size_t count;
};

struct board_reading { /* of the board's own tables and values, while it lasts; the cable's thread alone */
    int step;
    struct catalogue_upload upload;
    uint8_t *packed;
    struct board_tables tables;
    struct board_other_row *rows;
    size_t count, at;
    uint8_t request[DID_VALUES_REQUEST_MAX];
    size_t request_n;
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
    struct board_reading reading;

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
    struct board_other other;
};

/* board_work.c, on the cable's thread. Begin what is waiting, when nothing is under way; take the end of what was. */
void board_begin_work(struct board *b, uint32_t now_ms);
void board_end_work(struct board *b, uint32_t now_ms);
void board_note_progress(struct board *b, uint32_t now_ms);

/* board_ops.c: operations, and reading the parameters. begin: true when something was begun. */
bool board_begin_op(struct board *b);
void board_end_op(struct board *b);
bool board_begin_reading(struct board *b, uint32_t now_ms);
void board_end_reading(struct board *b, uint32_t now_ms);

/* Without samples nothing tells that the board has started anew: read when it has had the time. */
void board_read_after_start(struct board *b);

/* The link went: what was under way has failed. */
void board_drop_work(struct board *b);

/* board_other.c, on the cable's thread: the next request of a reading, true when there was one; its answer; the hash of the board's tables when they
 * are not ours, else 0. */
bool board_begin_other(struct board *b);
void board_end_other(struct board *b);
void board_other_seen(struct board *b, uint32_t hash);
void board_other_deinit(struct board *b); /* after the thread */

/* Tell listeners; none of these may be called with the lock held. */
void board_tell(struct board *b, enum event_kind kind, const struct op *op);

#endif
