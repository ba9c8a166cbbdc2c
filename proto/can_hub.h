/* SPDX-License-Identifier: Apache-2.0 */
/* can_hub.h -- the wire of the CAN0 hub: an AF_UNIX SEQPACKET socket on which the pack listens and every other node of the bus connects.
 *
 * A packet holds 1 to CAN_HUB_BATCH frames of 16 bytes each, in the order of the bus; packets of another length are dropped and counted.
 *   bytes 0 to 3   identifier, little-endian, 11 or 29 bits, without flags
 *   byte 4         flags: bit 7 = 29-bit identifier; the other bits are 0
 *   byte 5         length, 0 to 8
 *   bytes 6, 7     0
 *   bytes 8 to 15  data; unused bytes are 0
 * Every node receives the frames of all others, never its own. A node that does not read loses frames and disturbs nobody (unless the pack
 * runs with --lossless); numbers that jump tell it so.
 */
#ifndef PROTO_CAN_HUB_H
#define PROTO_CAN_HUB_H

#include <string.h>

#include "common/bytes.h"
#include "common/can.h"

enum { CAN_HUB_FRAME = 16, CAN_HUB_BATCH = 64, CAN_HUB_EXT = 0x80 };

/* out[CAN_HUB_FRAME] */
static inline void can_hub_encode(const struct can_frame *f, uint8_t *out)
{
    memset(out, 0, CAN_HUB_FRAME);
    put_le32(out, f->id);
    out[4] = f->ext ? CAN_HUB_EXT : 0;
    out[5] = f->len;
    memcpy(out + 8, f->data, f->len);
}

/* in[CAN_HUB_FRAME]; false for what is no frame. */
static inline bool can_hub_decode(const uint8_t *in, struct can_frame *f)
{
    *f = (struct can_frame) { .id = get_le32(in), .ext = in[4] == CAN_HUB_EXT, .len = in[5] };
    if ((in[4] & ~CAN_HUB_EXT) || f->len > 8 || f->id > (f->ext ? 0x1FFFFFFFu : 0x7FFu))
        return false;
    memcpy(f->data, in + 8, f->len);
    return true;
}

#endif
