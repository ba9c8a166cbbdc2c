/* SPDX-License-Identifier: Apache-2.0 */
/* downlink_private.h -- what the three files of the downlink share. Nobody else includes it.
 *
 *   downlink.c         start an operation, notice that a board must be read, leases, the thread
 *   downlink_send.c    the list of open operations: send, repeat, expire, and what other processes did to them
 *   downlink_result.c  Results: judge, write down, tell
 *
 * `lock` guards the lists and is never held while the database, the broker or a listener is called. The list `open` holds what must be sent;
 * the table `op` is the truth, and every change of state is an UPDATE that names the state it comes from.
 */
#ifndef SERVER_DOWNLINK_PRIVATE_H
#define SERVER_DOWNLINK_PRIVATE_H

#include "server/downlink/downlink.h"
#include "server/downlink/op_command.h"
#include "server/downlink/reread.h"
#include "server/downlink/watch.h"

#include <pthread.h>

enum { OPEN_MAX = 1024, RESULTS_MAX = 256, READS_MAX = 256 };

struct open_op {
    char id[OP_ID_LEN + 1];
    char device[DEVICE_NAME_MAX + 1];
    int64_t expires_at_ms; /* UTC */
    int64_t send_at_ms;    /* monotonic */
    size_t sends;
    size_t size;
    uint8_t command[COMMAND_BYTES_MAX];
};

struct result {
    struct result *next;
    char device[DEVICE_NAME_MAX + 1];
    size_t size;
    uint8_t bytes[];
};

struct downlink {
    struct downlink_parts parts;
    bool sends; /* ROLE_API */
    bool runs;
    struct db db; /* the thread's */
    pthread_t thread;
    pthread_mutex_t lock;
    pthread_cond_t wake;
    bool stopping;
    struct open_op *open[OPEN_MAX];
    size_t open_count;
    struct result *results, **results_tail;
    size_t result_count;
    char reads[READS_MAX][DEVICE_NAME_MAX + 1]; /* devices to be read */
    size_t read_count;
    struct watches watches;
    struct rereads rereads;
    int64_t poll_at_ms;
    pthread_mutex_t start_lock; /* guards start_db, which the callers of downlink_start() share */
    struct db start_db;
};

/* downlink_send.c */
void open_add(struct downlink *d, const struct op *op, int64_t expires_at_ms); /* copies; takes the lock */
void open_remove(struct downlink *d, const char *id);
bool open_has_device(struct downlink *d, const char *device);
int downlink_publish(struct downlink *d, const char *device, const uint8_t *bytes, size_t size);
void downlink_tick_ops(struct downlink *d);
void downlink_poll_table(struct downlink *d);

/* downlink_result.c */
void downlink_take_results(struct downlink *d);
void downlink_drop_results(struct downlink *d);

/* Listeners. */
void tell_op(struct downlink *d, const struct op *op);
void tell_params(struct downlink *d, const char *device, const struct fleet_reported *reported);

#endif
