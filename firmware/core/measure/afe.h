/* SPDX-License-Identifier: Apache-2.0 */
/* afe.h -- run the AFE daisy chain: give the chips their addresses, set them up, scan them, find the one that is silent.
 *
 * A byte state machine without a clock: bytes in, bytes out, time as the span since the last call. An answer to a broadcast does not say
 * whose it is; only its place in the row does. So a scan counts as a whole or not at all: when one answer is missing or one is too many,
 * all of it is dropped, and the chips are asked one by one who is there.
 *
 *   ADDRESS ──> PROBE ──> RUN          PROBE: each chip in the chain reads its address back
 *      ^          ^  |     |           RUN: scan those that did
 *      |          |  |     +── answer missing, bytes too many, or the fault line ──> PROBE
 *      +──────────+──+── a chip is missing, at most every AFE_READDRESS_MS
 *
 * A chip that has been reset has lost its address, so addressing the chain again brings it back, within 100 ms. An answer with a wrong
 * CRC in its place is dropped alone: its chip grows old. Known weakness: a chip that passes frames on but takes no address shifts the names
 * of those above it; the chain then ends one short, so a chip is reported silent and the contactors stay open.
 */
#ifndef FIRMWARE_AFE_H
#define FIRMWARE_AFE_H

#include <stdbool.h>
#include <stdint.h>

#include "common/bytes.h"
#include "firmware/core/measure/afe_frame.h"
#include "firmware/core/measure/topology.h"

enum {
    AFE_ANSWER_MS = 20,     /* all answers are in by then */
    AFE_READDRESS_MS = 500, /* between addressings while a chip is missing */
    AFE_BALANCE_S = 10,     /* the chips end balancing when they hear nothing for so long */
    AFE_BALANCE_REFRESH_MS = 2000,
    AFE_FAULT_PROBE_MS = 1000,                        /* between probes while the fault line stays active */
    AFE_CHANNELS_MAX = AFE_CELLS_MAX + AFE_TEMPS + 1, /* and the die */
    AFE_AGE_MAX = 0x3FFFFFFF,                         /* ms; ages stay there */
};

enum afe_state { AFE_ADDRESS, AFE_PROBE, AFE_RUN };

struct afe_counts {      /* since the start */
    uint32_t bad_crc;    /* answers dropped */
    uint32_t missing;    /* scans that were not complete in time */
    uint32_t unexpected; /* bytes or answers that nobody had asked for, or of a wrong length */
    uint32_t addressed;  /* times the chain was given its addresses */
};

struct afe_chip {
    uint16_t raw[AFE_CHANNELS_MAX]; /* cell 1 first, then the fitted AUX inputs, lowest first, then the die; of the last good answer */
    uint32_t age_ms;                /* since the last good answer, or since the start */
    bool seen;                      /* raw[] has been filled since the start */
    uint32_t bad_crc, resets;       /* answers with a wrong CRC, and addresses lost, since the start */
    uint32_t crc_age_ms, reset_age_ms;
};

struct afe {
    const struct topology *topology;
    enum afe_state state;
    uint32_t waited_ms;    /* since the question that is open was sent */
    uint32_t scanned_ms;   /* since the last scan was sent */
    uint32_t addressed_ms; /* since the chain was addressed */
    uint32_t balanced_ms;  /* since the balancing command was sent */
    uint32_t faulted_ms;   /* since a probe for the fault line */
    uint16_t lost_address; /* bit k: chip k + 1 had answered before and was not there when the chain was last addressed */
    uint16_t alive;        /* bit k: chip k + 1 answered the last probe */
    uint16_t fresh;        /* bit k: chip k + 1 got new values in the last call */
    uint16_t good;         /* of the scan under way: answers with a right CRC */
    int8_t next;           /* of the scan under way: the chip whose answer comes next; -1 = all are in */
    bool waiting;          /* a question is open */
    bool lost;             /* framing is lost until the question is closed */
    bool dirty;            /* bytes that make no sense came since the question was opened */
    uint8_t probes;        /* in a row, spoiled by such bytes */
    uint8_t failed;        /* scans in a row that were not complete */
    uint16_t balance[AFE_DEVICES_MAX], balance_sent[AFE_DEVICES_MAX];
    uint16_t staged[AFE_DEVICES_MAX][AFE_CHANNELS_MAX];
    struct afe_chip chip[AFE_DEVICES_MAX];
    struct afe_parser parser;
    struct afe_counts counts;
};

/* Start, or start over: nothing has been measured, and the chain is addressed in the next step. `topology` is borrowed. The counts stay when
 * `afe` was in use (afe_restart). */
void afe_init(struct afe *afe, const struct topology *topology);
void afe_restart(struct afe *afe);

struct afe_in {
    uint32_t dt_ms;   /* since the last call */
    uint32_t scan_ms; /* between scans */
    struct reader rx; /* bytes from the chain */
    bool fault;       /* fault line active */
};

/* One step: take the answers, then append what to send to `tx` (room for BIU_AFE_TX_MAX bytes). afe->fresh says who has new values. */
void afe_step(struct afe *afe, const struct afe_in *in, struct writer *tx);

/* Balance these cells from now on: bit k of mask[device] = cell k + 1 of the chip. mask[AFE_DEVICES_MAX] */
void afe_balance(struct afe *afe, const uint16_t *mask);

/* The lowest chip (from 1) from which on none answers: the chain is broken in front of it. 0 = the last one answers. */
unsigned afe_broken_at(const struct afe *afe);

/* Frames rejected in all. */
uint32_t afe_errors(const struct afe *afe);

#endif
