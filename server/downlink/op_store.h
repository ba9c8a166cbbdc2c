/* SPDX-License-Identifier: Apache-2.0 */
/* op_store.h -- the tables op, param_reported, param_state and audit. Each function runs in a transaction of its own on the caller's connection and
 * returns 0 or BMS_ERR_IO. op_load() and params_load() are in downlink.h. */
#ifndef SERVER_OP_STORE_H
#define SERVER_OP_STORE_H

#include "server/downlink/downlink.h"

/* Insert op (readback holds what is wanted) and set `desired`; with an audit row unless `audit` is false (reads by the server itself). */
int op_insert(struct db *db, const struct op *op, int64_t expires_at_ms, bool audit);

/* queued -> sent, or queued, sent -> expired. *changed is false when somebody else was first. */
int op_move(struct db *db, const struct op *op, bool *changed);

/* A judged op: its row, the parameters it read back, and param_state when `reported` is not NULL. *changed is false when it was finished before. */
int op_finish(struct db *db, const struct op *op, const struct fleet_reported *reported, bool *changed);

/* The ids of all queued and sent ops, with their expiry; at most max. */
struct op_open {
    char id[OP_ID_LEN + 1];
    int64_t expires_at_ms;
};
int op_list_open(struct db *db, struct op_open *out, size_t max, size_t *count);

#endif
