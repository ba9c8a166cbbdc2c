/* SPDX-License-Identifier: Apache-2.0 */
/* auth_limit.h -- how often somebody may fail to sign in.
 *
 * An attempt is counted before the password is looked at, so a hundred attempts at once are no way around; a success forgives it.
 * Keys are texts ("u:admin", "a:192.0.2.7"). Pure: time is data, no lock. When the table is full the key that was quiet for longest goes:
 * an attacker with thousands of addresses wins a fresh count for one of them, at the price of thousands of counted attempts.
 */
#ifndef SERVER_AUTH_LIMIT_H
#define SERVER_AUTH_LIMIT_H

#include <stdint.h>

enum { AUTH_LIMIT_FAILURES = 5, AUTH_LIMIT_WINDOW_MS = 60000, AUTH_LIMIT_KEYS = 1024 };

struct auth_limit {
    struct auth_limit_key {
        uint64_t key;                        /* hash of the text; 0 = free */
        uint64_t at_ms[AUTH_LIMIT_FAILURES]; /* newest attempts, oldest first; `count` of them */
        unsigned count;
    } keys[AUTH_LIMIT_KEYS];
};

void auth_limit_init(struct auth_limit *limit);

/* Count an attempt at now_ms (any clock that does not jump). Returns 0, or the seconds to wait (1 to 60) when it must not go on; then it is not counted. */
unsigned auth_limit_take(struct auth_limit *limit, const char *key, uint64_t now_ms);

/* The attempt was good: take back the newest one, or with `all` everything that is counted for the key. */
void auth_limit_forgive(struct auth_limit *limit, const char *key, int all);

#endif
