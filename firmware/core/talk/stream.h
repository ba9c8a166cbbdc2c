/* SPDX-License-Identifier: Apache-2.0 */
/* stream.h -- the samples of the ring as frames, in one order: rising message number, so the bus cannot change it; BIU_SampleEnd closes.
 *
 * A cursor: sample and frame. It moves on when a frame has been given out, and back when a resend is asked for. When the ring has
 * overtaken it, it goes on with the oldest sample held; the gap shows in the numbers.
 */
#ifndef FIRMWARE_STREAM_H
#define FIRMWARE_STREAM_H

#include <stddef.h>
#include <stdint.h>

#include "common/can.h"
#include "firmware/core/talk/sampler.h"
#include "proto/can0.h"

enum { STREAM_FRAMES_MAX = 40 }; /* a step: 4,000 frames/s, what a bus of 500 kbit/s can carry */

struct stream {
    uint32_t no;                    /* the sample that is sent now or next */
    unsigned frame;                 /* of that sample, the next one */
    unsigned head;                  /* messages before the arrays */
    unsigned count;                 /* messages in all */
    uint8_t message[CAN0_MESSAGES]; /* indices in can0_messages, rising numbers: those before the arrays, then those behind */
};

void stream_init(struct stream *s);

/* Give out up to `room` frames and STREAM_FRAMES_MAX. Returns how many are in out[]. */
size_t stream_step(struct stream *s, const struct sampler *from, struct can_frame *out, size_t room);

/* Go back to sample `no`, if it is behind the cursor. */
void stream_back(struct stream *s, uint32_t no);

/* Frames of this sample, BIU_SampleEnd included. */
unsigned stream_frames(const struct stream *s, const struct sample *sample);

/* Frame `i` (0-based) of this sample. */
struct can_frame stream_frame(const struct stream *s, const struct sample *sample, unsigned i);

#endif
