/* SPDX-License-Identifier: Apache-2.0 */
/* refill.h -- records that are missing are asked for again from the device's journal.
 *
 *   hole in the numbers of an epoch ──> op "refill" ──> Command ──> the DTU publishes what its journal still has, acknowledged or not
 *                                                            └──> Result, after the server has acknowledged all of it
 *   what is missing then ──> gap_lost: gone (no longer in the journal), refused (as poison), formatted (the journal is another one)
 *
 * A record that comes twice is stored once, so asking is harmless; a refill that was cut short leaves smaller holes, and the next one asks for those.
 * A device has one refill under way, an operation asks for REFILL_RECORDS_MAX numbers at most. The pass is run by the jobs (jobs.h), every
 * --refill-period-s, for devices that were heard of in the last minutes and holes of the last REFILL_WINDOW_H hours that are at least --refill-settle-s
 * old, as back-fill may still close them. Older holes are asked for by hand (POST /vehicles/{id}/refill).
 */
#ifndef SERVER_REFILL_H
#define SERVER_REFILL_H

#include "server/downlink/downlink.h"
#include "server/store/db.h"

enum { REFILL_RECORDS_MAX = 1000, REFILL_DEVICES_MAX = 64, REFILL_WINDOW_H = 48 };

/* Ask for the oldest hole of a device in from..to (UTC ms) that is not known to be lost. `by`: for op and audit. Returns 1 with the new operation's id in
 * id[OP_ID_LEN + 1], 0 when there is nothing to ask for or a refill is under way, or BMS_ERR_IO. */
int refill_ask(struct db *db, const char *device, int64_t from_ms, int64_t to_ms, const char *by, int64_t expiry_ms, char *id);

/* One pass over the fleet. Returns how many operations were made, or BMS_ERR_IO. */
int refill_pass(struct db *db, int64_t now_ms, int64_t settle_ms, int64_t period_ms, int64_t expiry_ms);

/* The Result of a refill came and the op is done or refused: what is still missing of it is lost. `formatted`: the device has another journal. Returns 0
 * or BMS_ERR_IO; then the next pass asks again. */
int refill_mark_lost(struct db *db, const struct op *op, bool formatted);

#endif
