/* SPDX-License-Identifier: Apache-2.0 */
/* can_queue.h -- a bounded queue of frames; what does not fit is dropped and counted. One thread. */
#ifndef SIM_CAN_QUEUE_H
#define SIM_CAN_QUEUE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/can.h"

enum { CAN_QUEUE_SIZE = 8192 };

struct can_queue {
    struct can_frame frame[CAN_QUEUE_SIZE];
    size_t first, count;
    uint64_t dropped;
};

static inline void can_queue_clear(struct can_queue *q)
{
    q->first = 0;
    q->count = 0;
    q->dropped = 0;
}

static inline size_t can_queue_room(const struct can_queue *q)
{
    return CAN_QUEUE_SIZE - q->count;
}

static inline void can_queue_put(struct can_queue *q, const struct can_frame *f)
{
    if (q->count == CAN_QUEUE_SIZE) {
        q->dropped++;
        return;
    }
    q->frame[(q->first + q->count++) % CAN_QUEUE_SIZE] = *f;
}

/* Element i from the front; i < count. */
static inline const struct can_frame *can_queue_at(const struct can_queue *q, size_t i)
{
    return &q->frame[(q->first + i) % CAN_QUEUE_SIZE];
}

static inline void can_queue_drop_front(struct can_queue *q, size_t n)
{
    q->first = (q->first + n) % CAN_QUEUE_SIZE;
    q->count -= n;
}

#endif
