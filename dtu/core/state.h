/* SPDX-License-Identifier: Apache-2.0 */
/* state.h -- the retained message on .../state: who this DTU is and how it fares, and when it is worth a new one. */
#ifndef DTU_CORE_STATE_H
#define DTU_CORE_STATE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "dtu/core/board_params.h"

enum { STATE_MAX = 1024, STATE_FACTS_MS = 1000, STATE_COUNTS_MS = 10000 };

struct state_facts {
    const char *device, *version; /* zero-terminated */
    uint64_t epoch, next_seq;
    uint32_t journal_records;
    uint64_t journal_dropped, board_dropped, frames_rejected, records_corrupt;
    uint32_t boot;
    int32_t self_check;                /* of the last sample: sample scalar (proto/self_units.def) */
    const struct board_params *params; /* NULL: not read yet */
};

struct state {                        /* allocated by the caller, fields private */
    uint32_t facts_hash, counts_hash; /* of what was published last */
    uint32_t at_ms;
    bool published; /* in this session */
};

/* A new session: the birth is due. */
void state_connected(struct state *s);

/* True when the message should go out now: the birth, a fact that changed (at most one a STATE_FACTS_MS), or a count that did (at most one a
 * STATE_COUNTS_MS). Then it counts as published. */
bool state_is_due(struct state *s, const struct state_facts *f, uint32_t now_ms);

/* cw.State into out[STATE_MAX]; returns its length. */
size_t state_pack(const struct state_facts *f, bool online, uint64_t utc_ms, uint8_t *out);

#endif
