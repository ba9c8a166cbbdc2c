/* SPDX-License-Identifier: Apache-2.0 */
/* board_model.h -- a small BIU for tests: a ring of samples, the cursor that sends them as frames, and the answers to UDS requests. */
#ifndef TESTS_UNIT_DTU_BOARD_MODEL_H
#define TESTS_UNIT_DTU_BOARD_MODEL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/can.h"
#include "common/isotp.h"
#include "proto/sample.h"
#include "proto/tables.h"

enum { BOARD_FRAMES_MAX = 160, BOARD_RING = 64 };

/* A sample whose every value follows from boot and no, so that tests can tell it from all others. */
struct sample board_sample(uint32_t boot, uint32_t no, uint8_t cells, uint8_t temps);

/* Its frames in the order of the bus; returns how many. */
size_t board_frames(const struct sample *s, struct can_frame out[BOARD_FRAMES_MAX]);

struct board {
    uint32_t boot, taken, cursor;   /* samples taken since the start; next to be sent */
    uint32_t ring;                  /* samples it can hold, <= BOARD_RING */
    struct sample held[BOARD_RING]; /* sample no is in held[no % BOARD_RING] */
    uint8_t cells, temps;
    bool deaf;         /* does not answer requests */
    unsigned pendings; /* answers "pending" so often before each answer */
    uint8_t refuse;    /* NRC for every write, 0 = takes it */
    int32_t running[PARAMS], stored[PARAMS];
    unsigned requests, resends, restarts, stores;
    struct isotp tp;
    uint8_t rx[ISOTP_MAX], tx[ISOTP_MAX];
    uint8_t answer[ISOTP_MAX]; /* waiting behind the pendings */
    size_t answer_n;
    unsigned pending_left;
};

void board_init(struct board *b, uint32_t boot, uint32_t ring, uint8_t cells, uint8_t temps);
void board_restart(struct board *b);                       /* the ring is gone, boot counts up, running = stored */
struct sample *board_take(struct board *b);                /* one more sample; the caller may change it at once */
size_t board_send(struct board *b, struct can_frame *out); /* frames of the sample at the cursor, 0 when all are sent */
uint32_t board_resend(struct board *b, uint32_t from);     /* moves the cursor; returns the first number it still has */
void board_hear(struct board *b, const struct can_frame *f, uint32_t now_ms);
int board_say(struct board *b, uint32_t now_ms, struct can_frame *out); /* 1: an ISO-TP frame to the bus */

#endif
