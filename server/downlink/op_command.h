/* SPDX-License-Identifier: Apache-2.0 */
/* op_command.h -- an operation as the Command it becomes, and its Result as what it proves. Pure. */
#ifndef SERVER_OP_COMMAND_H
#define SERVER_OP_COMMAND_H

#include "proto/telemetry.pb-c.h"
#include "server/downlink/downlink.h"

enum { COMMAND_BYTES_MAX = 160 + OP_VALUES_MAX * 12 };

/* Pack into out[COMMAND_BYTES_MAX]; returns the length. */
size_t op_pack(const struct op *op, int64_t expires_at_ms, uint8_t *out);

/* Pack a Watch lease; seconds = 0 ends it. */
size_t watch_pack(const char *device, uint64_t id, uint32_t seconds, int64_t expires_at_ms, uint8_t *out);

/* "00ff.." <-> number. false when it is not 16 hexadecimal digits. */
void op_id_print(uint64_t id, char *out);
bool op_id_read(const char *text, uint64_t *out);

/* Judge a Result: fill op->readback, state (OP_DONE or OP_FAILED), detail and changed_at_ms. A value counts as proved when the board read it back as
 * wanted: the running copy for calibrate, both copies for flash. */
void op_judge(struct op *op, const Cw__Result *result, int64_t now_ms);

#endif
