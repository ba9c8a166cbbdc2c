/* SPDX-License-Identifier: Apache-2.0 */
/* unlock.h -- a session and the key for it: 10, 27 01, 27 02. Pure; tester.c sends what it gives.
 *
 *   SESSION ──> SEED ──> KEY ──> DONE        a refusal ends it; the one who wants the session decides what that means
 */
#ifndef LOCAL_CORE_UNLOCK_H
#define LOCAL_CORE_UNLOCK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum unlock_phase { UNLOCK_SESSION, UNLOCK_SEED, UNLOCK_KEY, UNLOCK_DONE };

struct unlock {
    enum unlock_phase phase;
    uint8_t session; /* enum uds_session */
    uint32_t seed;
    uint8_t nrc; /* why it was refused, 0 = it was not */
};

void unlock_start(struct unlock *u, uint8_t session);

/* The next request into out[8]: its length, 0 when it is done. */
size_t unlock_request(const struct unlock *u, uint8_t *out);

/* Its answer, positive (nrc 0) or not. */
void unlock_outcome(struct unlock *u, const uint8_t *answer, size_t n, uint8_t nrc);

#endif
