/* SPDX-License-Identifier: Apache-2.0 */
/* repeaters.h -- devices that lately sent what was stored already: their records go the careful way, and only theirs.
 *
 * A device that lost its acknowledgements, or never heeds one, repeats itself for a while. What it sends must not cost the others anything: see caution.h
 * for what a record that comes again does to a batch that went straight.
 *
 * Bounded: REPEATERS names in sets of four; one that meets a full set takes the place of the one that repeated itself longest ago. Two devices with the
 * same hash are taken for one, which costs time and nothing else. Pure: time is data.
 */
#ifndef SERVER_REPEATERS_H
#define SERVER_REPEATERS_H

#include <stdbool.h>
#include <stdint.h>

enum { REPEATERS = 4096, REPEATERS_WAYS = 4, REPEATERS_KEEP_MS = 60000 };

struct repeaters { /* zeros to begin with */
    struct repeater {
        uint64_t name; /* hash; 0 = nobody */
        int64_t at_ms; /* when it repeated itself last */
    } one[REPEATERS];
    int64_t until_ms; /* nobody after that */
};

/* The device sent one that was there. now_ms: any clock that does not jump back, from 1. */
void repeaters_add(struct repeaters *r, const char *device, int64_t now_ms);

/* It did so within the last REPEATERS_KEEP_MS. */
bool repeaters_has(const struct repeaters *r, const char *device, int64_t now_ms);

#endif
