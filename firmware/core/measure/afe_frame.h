/* SPDX-License-Identifier: Apache-2.0 */
/* afe_frame.h -- the frames of the AFE chain: build commands, take responses out of a byte stream (proto/afe.h). No state of the chain. */
#ifndef FIRMWARE_AFE_FRAME_H
#define FIRMWARE_AFE_FRAME_H

#include <stddef.h>
#include <stdint.h>

#include "common/bytes.h"
#include "proto/afe.h"

enum { AFE_EVERYONE = -1 };

/* Append a command: `size` (1 to 6) data bytes for register `reg`; device 0 to 15 for the single requests, AFE_EVERYONE for broadcasts. */
void afe_command(struct writer *tx, enum afe_request request, int device, uint8_t reg, const uint8_t *data, size_t size);

struct afe_parser {
    uint8_t buf[AFE_RESPONSE_MAX];
    size_t have;
};

struct afe_response {
    const uint8_t *data; /* in the parser, until it is fed again */
    size_t size;         /* 1 to 128 */
};

/* Take bytes from `rx` up to the end of one response. Returns 1 and *r; 0 when `rx` is used up inside a frame; BMS_ERR_CORRUPT when a
 * frame has ended with a wrong CRC (the next one may follow); BMS_ERR_RANGE when the first byte cannot be a length (one byte is taken). */
int afe_parse(struct afe_parser *p, struct reader *rx, struct afe_response *r);

/* Forget a begun frame. */
void afe_parser_reset(struct afe_parser *p);

#endif
