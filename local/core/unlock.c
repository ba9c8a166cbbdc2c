/* SPDX-License-Identifier: Apache-2.0 */
#include "local/core/unlock.h"

#include "common/bytes.h"
#include "proto/uds.h"

enum { SEED = 1, KEY = 2, SEED_ANSWER = 6 };

void unlock_start(struct unlock *u, uint8_t session)
{
    *u = (struct unlock) { .phase = UNLOCK_SESSION, .session = session };
}

size_t unlock_request(const struct unlock *u, uint8_t *out)
{
    switch (u->phase) {
    case UNLOCK_SESSION:
        out[0] = UDS_SESSION;
        out[1] = u->session;
        return 2;
    case UNLOCK_SEED:
        out[0] = UDS_SECURITY;
        out[1] = SEED;
        return 2;
    case UNLOCK_KEY:
        out[0] = UDS_SECURITY;
        out[1] = KEY;
        put_be32(out + 2, uds_key(u->seed));
        return 6;
    default:
        return 0;
    }
}

void unlock_outcome(struct unlock *u, const uint8_t *answer, size_t n, uint8_t nrc)
{
    if (nrc != 0 || (u->phase == UNLOCK_SEED && n != SEED_ANSWER)) {
        u->nrc = nrc ? nrc : UDS_NRC_LENGTH;
        u->phase = UNLOCK_DONE;
        return;
    }
    if (u->phase == UNLOCK_SEED)
        u->seed = get_be32(answer + 2);
    u->phase = u->phase == UNLOCK_SEED && u->seed == 0 ? UNLOCK_DONE : (enum unlock_phase)(u->phase + 1); /* seed 0: open already */
}
