/* SPDX-License-Identifier: Apache-2.0 */
/* rollup_pass.h -- make the rows of `rollup`: every hour that is over, and those that got records late.
 *
 *   closed   hours between rollup_mark and now, for each vehicle that was heard of since; then the mark moves on
 *   late     hours named in rollup_due by the ingest's own transaction (store_late.h)
 *
 * An hour is over ROLLUP_GRACE_MS after its end: a transaction that commits later says itself that it was late, so none is missed. An hour is
 * always made anew from its records, so doing it twice changes nothing. A row with more samples is never replaced by one with fewer: the
 * records may have been dropped since. Whoever calls this holds the jobs' lock.
 */
#ifndef SERVER_ROLLUP_PASS_H
#define SERVER_ROLLUP_PASS_H

#include "server/store/db.h"

#include <stdatomic.h>

enum { ROLLUP_LATE_MS = 45 * 1000, ROLLUP_GRACE_MS = 90 * 1000 };

struct rollup_result {
    size_t hours; /* made or made anew */
    size_t late;  /* marks worked off */
};

/* Returns 0 or BMS_ERR_IO (db->error says why), BMS_ERR_NOSPACE; *done counts what was written before. Ends early, between hours, once *stop is true. */
int rollup_pass(struct db *db, int64_t now_ms, const _Atomic bool *stop, struct rollup_result *done);

#endif
