/* SPDX-License-Identifier: Apache-2.0 */
/* assembler.h -- frames of CAN0 in, whole samples out, each exactly once and in their order.
 *
 * Pure logic. The board sends its samples oldest first and never hears whether they arrived. So this keeps the number that must come next and
 * takes only that one (go-back-N): after a gap, an incomplete sample, the start, or silence it wants `resend from next`, which the caller
 * carries to the board (UDS routine 0x0202). What the board answers it no longer holds is counted as dropped, and the stream goes on from the
 * first one it has. A board that has started anew begins at 1.
 *
 *   frame ──> assembler_feed() ──> 1: *out is the next sample ──> stored? ──> assembler_taken()
 *   every step: assembler_wants() ──> request ──> assembler_answer() or assembler_no_answer()
 *
 * Who only looks on (a cable beside the DTU, or instead of it) calls assembler_listen(): then every newer whole sample comes out, what was missed is
 * counted as dropped, and nothing is ever asked for, because a resend would move the board's stream for everybody.
 *
 * A sample is complete when BIU_SampleEnd has come, all its frames were seen (frame_count) and the arrays have all their elements. A frame is
 * rejected, and counted, when its checksum is wrong, when its counter does not belong to the sample that it closes, or when it says something else
 * than a frame of the same number and sample before (a counter that is stuck).
 */
#ifndef DTU_CORE_ASSEMBLER_H
#define DTU_CORE_ASSEMBLER_H

#include <stdbool.h>
#include <stdint.h>

#include "common/can.h"
#include "proto/sample.h"

enum {
    ASSEMBLER_FRAME_MS = 1000, /* longest silence inside a sample */
    ASSEMBLER_HOLD_MS = 250,   /* after an answer: time for the stream to come back */
    ASSEMBLER_GAP_MS = 50,     /* after an answer: shortest time to the next request, once the stream is back */
    ASSEMBLER_RETRY_MS = 200,  /* after no answer; doubles up to */
    ASSEMBLER_RETRY_MAX_MS = 5000,
    ASSEMBLER_ATTEMPTS = 300,    /* a sample that never comes whole is given up, and counted as dropped: the stream must go on */
    ASSEMBLER_SILENCE_MS = 5000, /* without a sample: ask whether there is one, the last frame may have been lost */
};

struct assembler_counts { /* since init */
    uint32_t frames;      /* of the stream, good */
    uint32_t crc;         /* rejected: checksum or length */
    uint32_t counter;     /* rejected: counter */
    uint32_t foreign;     /* not of the board: ignored */
    uint32_t repeated;    /* the same frame again: ignored */
    uint32_t incomplete;  /* samples closed with frames missing */
    uint32_t known;       /* whole samples that had been taken before */
    uint32_t taken;
    uint32_t requests;
    uint32_t boots; /* changes of the boot counter */
};

struct assembler {                  /* allocated by the caller, fields private but for those marked */
    uint32_t boot;                  /* read it: of the board, 0 = not heard yet */
    uint32_t next;                  /* read it: number that must come next */
    uint64_t dropped;               /* read it: samples that the board no longer had */
    struct assembler_counts counts; /* read it */
    uint32_t jump;                  /* first number that the board still has, if beyond next */
    bool want;                      /* read it: a resend is needed */
    bool asking;                    /* a request is out */
    bool anew;                      /* the board refused the number: ask from 1 */
    bool listens;                   /* see assembler_listen() */
    uint32_t not_before_ms, answered_ms, retry_ms, heard_ms;
    uint32_t attempts; /* times that sample `next` came with frames missing */
    /* the sample that is coming in */
    bool open;
    uint8_t counter;
    uint32_t frame_ms; /* when its newest frame came */
    uint32_t seen_n;
    uint32_t seen[8];      /* bit per message number */
    uint64_t payload[256]; /* 48 bits per message number */
};

/* boot and no: the last sample that is safe in the journal, 0 and 0 when there is none; dropped: counted so far. */
void assembler_init(struct assembler *a, uint32_t boot, uint32_t no, uint64_t dropped, uint32_t now_ms);

/* From now on take what comes and ask for nothing. */
void assembler_listen(struct assembler *a);

/* Hand in one frame of CAN0, in the order of the bus. Returns 1 when it completes the sample that must come next, in *out, else 0. */
int assembler_feed(struct assembler *a, const struct can_frame *f, uint32_t now_ms, struct sample *out);

/* The sample of the last feed is stored. Without this call it will be asked for again. */
void assembler_taken(struct assembler *a, const struct sample *s, uint32_t now_ms);

/* True when `resend from *from` must be sent to the board now; answer or no_answer must follow. */
bool assembler_wants(struct assembler *a, uint32_t now_ms, uint32_t *from);
void assembler_answer(struct assembler *a, uint32_t first, uint32_t now_ms);
void assembler_no_answer(struct assembler *a, uint32_t now_ms);

/* The board has never had that number: it has started anew. It is asked for all it has, and its samples will tell. */
void assembler_refused(struct assembler *a, uint32_t now_ms);

/* The bus was away: what was half received is forgotten, and a resend is wanted at once. */
void assembler_restart(struct assembler *a, uint32_t now_ms);

#endif
