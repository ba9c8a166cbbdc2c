/* SPDX-License-Identifier: Apache-2.0 */
/* slcan_host.h -- the computer's side of a serial CAN adapter (LAWICEL text protocol, as slcand speaks it). Bytes in, frames out; no I/O.
 *
 *   host ──> CR CR C CR Sn CR O CR ──> adapter        tiiildd.. / Tiiiiiiiildd..[tttt] CR, both ways
 * A line ends with CR (done) or BEL (refused). Time stamps are skipped, remote frames and lines that are no frame are counted.
 */
#ifndef LOCAL_CORE_SLCAN_HOST_H
#define LOCAL_CORE_SLCAN_HOST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/can.h"

enum {
    SLCAN_HOST_LINE = 1 + 8 + 1 + 16 + 4, /* the longest line with time stamp, without CR */
    SLCAN_HOST_FRAME = 1 + 8 + 1 + 16 + 1,
    SLCAN_HOST_START = 16,
};

struct slcan_host {
    char line[SLCAN_HOST_LINE];
    size_t len;
    bool too_long;
    uint32_t refused, malformed; /* BELs; lines that begin like a frame and are none */
};

void slcan_host_init(struct slcan_host *h);

/* What opens the channel: out[SLCAN_HOST_START], returns the length. kbit: 10, 20, 50, 100, 125, 250, 500, 800, 1000; 0 for any other. */
size_t slcan_host_start(unsigned kbit, char *out);

/* One byte of the adapter; true when it completed *frame. */
bool slcan_host_take(struct slcan_host *h, char byte, struct can_frame *frame);

/* A frame as a line: out[SLCAN_HOST_FRAME], returns the length. */
size_t slcan_host_put(const struct can_frame *f, char *out);

#endif
