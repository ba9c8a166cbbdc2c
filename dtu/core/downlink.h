/* SPDX-License-Identifier: Apache-2.0 */
/* downlink.h -- commands of the server: checked, queued, carried out on the board one at a time, and answered with a Result.
 *
 *   down/cmd ──> downlink_command() ──> queue ──> downlink_request() / downlink_outcome() ──> downlink_result() ──> up/res
 *
 * The server repeats a command until its Result came, so an id that is known is not carried out again: its Result is sent again (the last
 * DOWNLINK_RESULTS of them), or it is still under way and nothing happens. Bytes that are no command, and commands for another device, are
 * counted and get no Result. A command that finds the queue full is not remembered: its repetition will find room.
 *
 * The DTU reads the board's parameters by the same way, for itself: after the start, after each restart of the board, every
 * DOWNLINK_RETRY_MS until it succeeds. Static memory, about 170 kB, more than half of it the Results.
 */
#ifndef DTU_CORE_DOWNLINK_H
#define DTU_CORE_DOWNLINK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "dtu/core/command.h"
#include "proto/tables.h"
#include "proto/topics.h"

enum {
    DOWNLINK_QUEUE = 4,
    DOWNLINK_RESULTS = 16,
    DOWNLINK_RESULT_MAX = 256 + 24 * PARAMS, /* a ParamValue of each, all fields at their longest */
    DOWNLINK_ARENA = 32768,
    DOWNLINK_WATCH_MAX_S = 3600,
    DOWNLINK_RETRY_MS = 5000,
    DOWNLINK_REFILL_MAX = 4096, /* record numbers */
    DOWNLINK_REFILL_MS = 120000,
};

struct downlink_result {
    uint64_t id;
    uint32_t age;  /* order of making */
    bool due;      /* to be published */
    bool borrowed; /* by the MQTT client */
    size_t n;
    uint8_t bytes[DOWNLINK_RESULT_MAX];
};

struct downlink_refill { /* records that the server asks for again; the uplink serves them, the caller carries it over */
    uint64_t id;         /* of the command, 0 = none */
    bool started;        /* the caller's */
    uint32_t from_ms;    /* when it came */
    uint64_t epoch, first, last;
};

struct downlink_counts { /* since init; read them */
    uint32_t commands, malformed, foreign, repeated, no_room, results;
};

struct downlink { /* allocated by the caller, fields private but for those marked */
    char device[DEVICE_NAME_MAX + 1];
    uint32_t boot;              /* set it: the board's, for the Results */
    struct board_params params; /* read it, when complete */
    struct downlink_counts counts;
    struct command queue[DOWNLINK_QUEUE];
    size_t queued;
    bool running;
    struct command_run run;
    bool refresh; /* our own reading is wanted */
    uint32_t refresh_at_ms;
    struct downlink_refill refill; /* read it */
    bool watched;
    uint32_t watch_from_ms, watch_ms;
    uint32_t age;
    struct downlink_result result[DOWNLINK_RESULTS];
    struct {
        size_t used;
        uint64_t bytes[DOWNLINK_ARENA / 8];
    } arena; /* one decoded command */
};

/* device: copied, at most DEVICE_NAME_MAX characters. */
void downlink_init(struct downlink *d, const char *device);

/* The payload of `down/cmd` as it came from outside. utc_ms 0: not known, nothing expires. */
void downlink_command(struct downlink *d, const uint8_t *payload, size_t n, uint32_t now_ms, uint64_t utc_ms);

/* Read the board's parameters soon. */
void downlink_refresh(struct downlink *d, uint32_t now_ms);

/* Nothing but our own reading is under way or waiting: it can stand back for missing samples. */
bool downlink_only_reads(const struct downlink *d);

/* The next request for the board into out[UDS_REQUEST_MAX]: its length, or 0. After it was sent, outcome must follow. */
size_t downlink_request(struct downlink *d, uint8_t *out, uint32_t now_ms, uint64_t utc_ms);
void downlink_outcome(struct downlink *d, enum uds_outcome outcome, const uint8_t *answer, size_t n, uint8_t nrc, uint32_t now_ms);

/* The refill is over: its Result. `other`: the journal is another one; `late`: it took longer than DOWNLINK_REFILL_MS. */
enum downlink_refill_end { DOWNLINK_REFILL_SERVED, DOWNLINK_REFILL_OTHER, DOWNLINK_REFILL_LATE };
void downlink_refilled(struct downlink *d, enum downlink_refill_end end, uint64_t served);

/* A Result to be published: its token (0 to DOWNLINK_RESULTS - 1) with *bytes and *n, or -1. Borrowed until downlink_published(). */
int downlink_result(struct downlink *d, const uint8_t **bytes, size_t *n);
void downlink_published(struct downlink *d, uint32_t token);

/* Somebody looks at the vehicle now. */
bool downlink_is_watched(struct downlink *d, uint32_t now_ms);

#endif
