/* SPDX-License-Identifier: Apache-2.0 */
/* slcan.h -- the LAWICEL text protocol of one serial CAN adapter: bytes in, answers and frames out; frames in, lines out. No I/O.
 *
 *   S0..S8, sXXYY  bit rate: accepted, the bus has none      O, L, C  open, listen only, close
 *   tiiildd.., Tiiiiiiiildd..  send (open only)              r, R     remote frames: refused, there are none on this bus
 *   F  status flags   V, v  version   N  serial number       M, m, X  accepted   Z0, Z1  time stamps (ms, wrap at 60,000)
 * A line ends with CR. Answers: CR = done, BEL = refused, z / Z + CR = frame taken.
 */
#ifndef SIM_SLCAN_H
#define SIM_SLCAN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/can.h"

enum {
    SLCAN_LINE_MAX = 1 + 8 + 1 + 16, /* the longest command, without CR */
    SLCAN_ANSWER_MAX = 8,
    SLCAN_FRAME_MAX = SLCAN_LINE_MAX + 4 + 1, /* with time stamp and CR */
};

struct slcan {
    bool open, listen_only, stamps;
    char line[SLCAN_LINE_MAX];
    size_t len;
    bool too_long;    /* the rest of the line is skipped */
    uint32_t refused; /* lines answered with BEL */
};

struct slcan_result {
    char answer[SLCAN_ANSWER_MAX]; /* bytes to the host */
    size_t answer_len;
    bool has_frame;
    struct can_frame frame; /* to the bus */
};

/* Closed, as after power-on. */
void slcan_init(struct slcan *s);

/* One byte from the host. */
void slcan_take(struct slcan *s, char byte, struct slcan_result *out);

/* A frame of the bus as a line for the host; now_ms for the time stamp. Returns its length, 0 while the channel is closed. */
size_t slcan_give(const struct slcan *s, const struct can_frame *f, uint32_t now_ms, char line[SLCAN_FRAME_MAX]);

#endif
