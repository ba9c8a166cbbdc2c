/* SPDX-License-Identifier: Apache-2.0 */
/* ack.h -- which records are safe, said in as few messages as possible and never more than is true.
 *
 *   ack_begin; ack_add for each record of a committed batch; ack_flush
 *
 * One Ack per device and epoch with the exact ranges of sequence numbers; more than ACK_RANGES_MAX ranges make a second message, so the
 * message fits the receive buffer of the smallest DTU. Not thread-safe: owned by the ingest thread.
 */
#ifndef SERVER_ACK_H
#define SERVER_ACK_H

#include "proto/topics.h"

#include <stddef.h>
#include <stdint.h>

enum { ACK_RANGES_MAX = 32, ACK_BYTES_MAX = 64 + ACK_RANGES_MAX * 20 };

struct ack_item {
    char device[DEVICE_NAME_MAX + 1];
    uint64_t epoch, seq;
};

struct acks {
    struct ack_item *items; /* owned; acks_free() */
    size_t count, room;
};

/* Publish one message; errors are the publisher's: a lost ack only makes the device send the record again. */
typedef void ack_fn(void *ctx, const char *topic, const uint8_t *bytes, size_t size);

void ack_begin(struct acks *acks);

/* Returns 0 or BMS_ERR_NOSPACE. */
int ack_add(struct acks *acks, const char *device, uint64_t epoch, uint64_t seq);

/* Sort, join, pack, hand out. Returns the number of messages. */
size_t ack_flush(struct acks *acks, ack_fn *fn, void *ctx);

void acks_free(struct acks *acks);

#endif
