/* SPDX-License-Identifier: Apache-2.0 */
/* downlink.h -- operations on a board: start them, send them until they are proved, keep what was reported.
 *
 *   queued --> sent --> done | failed      a Result came: every parameter was read back (a refill: the journal gave what it has)
 *      |        |
 *      +--------+-----> expired            no Result within the expiry (60 s)
 *
 * A command goes out at QoS 1 at once and is repeated after 2, 2, 4, 8, 15, 15 .. s; the DTU runs an id once and repeats its Result. State lives in
 * the tables `op`, `param_reported` and `audit`, so a restart goes on where it was and any process may take the Result. Runs in a thread of
 * its own with its own connection; every function may be called from any thread.
 */
#ifndef SERVER_DOWNLINK_H
#define SERVER_DOWNLINK_H

#include "server/api/events.h"
#include "server/config.h"
#include "server/store/db.h"

enum {
    OP_ID_LEN = 16, /* hexadecimal digits: Command.id */
    OP_VALUES_MAX = 512,
    OP_BY_MAX = 64,
    OP_REASON_MAX = 500,
    OP_DETAIL_MAX = 200,
};

enum op_kind { OP_CALIBRATE, OP_FLASH, OP_RESTART, OP_READ, OP_REFILL };
enum op_state { OP_QUEUED, OP_SENT, OP_DONE, OP_FAILED, OP_EXPIRED };

const char *op_kind_text(enum op_kind kind);    /* "calibrate" .. */
const char *op_state_text(enum op_state state); /* "queued" .. */
bool op_kind_of(const char *text, enum op_kind *out);

struct op_value {
    int64_t id; /* of params.def; 64 bits so that a bad number from outside is refused, not cut */
    int64_t value;
};

struct op_readback {
    uint16_t id;
    bool has_wanted, has_running, has_stored;
    bool ok; /* the copy that was to change reads as wanted */
    int32_t wanted, running, stored;
};

struct op_span { /* of OP_REFILL: records that are missing, and the first samples of those around them */
    uint64_t epoch, first, last;
    int64_t from_ms, to_ms;
};

struct op {
    char id[OP_ID_LEN + 1];
    char device[DEVICE_NAME_MAX + 1];
    enum op_kind kind;
    enum op_state state;
    char by[OP_BY_MAX + 1];
    char reason[OP_REASON_MAX + 1]; /* "" = none */
    char detail[OP_DETAIL_MAX + 1]; /* "" = none; why it failed */
    int64_t created_at_ms, changed_at_ms;
    struct op_readback readback[OP_VALUES_MAX];
    size_t readback_count;
    struct op_span span;
};

struct op_request {
    const char *device;
    enum op_kind kind;
    const struct op_value *values; /* calibrate: 1 or more; flash: 0 or more; restart, read: none */
    size_t count;                  /* at most OP_VALUES_MAX */
    const char *by;                /* user name, for `op` and `audit` */
    const char *reason;            /* NULL or "" = none */
};

struct op_problem {
    char code[24];    /* unknown_param, out_of_range, duplicate, read_only, no_values, too_many, unexpected_values */
    char field[48];   /* parameter name, or its id as text when unknown, or "values" */
    char detail[160]; /* a sentence */
};

/* A new Command.id into out[OP_ID_LEN + 1]; false when the system gives no random bytes. */
bool op_id_random(char *out);

struct downlink;

struct downlink_parts {          /* all borrowed until downlink_destroy() returns */
    const struct config *config; /* without ROLE_API nothing is sent: results are taken and reads are asked for through the table */
    struct fleet *fleet;
    const struct events *events;
    int (*publish)(void *ctx, const char *topic, const uint8_t *bytes, size_t size); /* 0 = handed to the broker */
    void *publish_ctx;
};

/* Make it; nothing runs yet, but operations may be started (they wait in the table). NULL when there is no memory. */
struct downlink *downlink_create(const struct downlink_parts *parts);

/* Start the thread, which takes up the open operations of the table. Returns 0 or BMS_ERR_NOSPACE. */
int downlink_run(struct downlink *downlink);

/* Stop the thread (at most about 1 s); open operations stay in the table. The functions below may still be called. */
void downlink_halt(struct downlink *downlink);

/* Halt and free. */
void downlink_destroy(struct downlink *downlink);

/* A Result message; copied and worked on later. Called on the MQTT thread. */
void downlink_take_result(struct downlink *downlink, const char *device, const uint8_t *bytes, size_t size);

/* A newer sample: when its hashes or its boot are not those that were reported, a read is started (after 3 s, and never more often than the
 * back-off of 10 s to 10 min allows). Called on the ingest thread. */
void downlink_observe(struct downlink *downlink, const struct fleet_vehicle *vehicle);

/* Only the checks: all problems of all values, at most `max`; returns how many there are. Pure. */
size_t op_check(const struct op_request *request, struct op_problem *problems, size_t max);

/* Check, write `op` and `audit` in one transaction, send. Returns 0 with the new row in *op; BMS_ERR_RANGE with problems (*problem_count of them, at
 * most max written); BMS_ERR_UNKNOWN for a vehicle that no table knows; BMS_ERR_IO when the database is away. May take a few ms. */
int downlink_start(struct downlink *downlink, const struct op_request *request, struct op *op, struct op_problem *problems, size_t max,
                   size_t *problem_count);

/* Somebody looks at the vehicle: its DTU sends every sample, until `on` is false. The lease is renewed each 10 s by this module while it is on.
 * Calls count: two that look need two that stop. Returns 0 or BMS_ERR_NOSPACE (more than 256 vehicles). */
int downlink_watch(struct downlink *downlink, const char *device, bool on);

/* Read one operation or the newest `max` of a vehicle from the table, on the caller's connection. BMS_ERR_UNKNOWN: no such id. */
int op_load(struct db *db, const char *id, struct op *out);

/* One row of param_reported, with what was last asked for and is not proved yet. */
struct param_reported {
    uint16_t id;
    bool has_running, has_stored, has_desired;
    int32_t running, stored, desired;
};

/* All reported parameters of a vehicle, by id. Returns the count (at most max), BMS_ERR_IO. *reported.known is false when none were ever read. */
int params_load(struct db *db, const char *device, struct param_reported *rows, size_t max, struct fleet_reported *reported);

#endif
