/* SPDX-License-Identifier: Apache-2.0 */
/* poison_budget.h -- how many refused records of one device are kept, so that a device that sends nonsense costs the others nothing.
 *
 * Each device may have BUDGET_BURST refused records at once and BUDGET_PER_S a second after that; the rest is counted and forgotten, not written,
 * not logged, not acknowledged (a DTU that has a reason sends it again, later and later). All devices together may have BUDGET_ALL_BURST and
 * BUDGET_ALL_PER_S, so that a fleet with a wrong program does not fill the database either. Bounded: BUDGET_SLOTS devices; one that meets another's slot
 * takes it over with a full budget. One thread. Pure: time is data.
 */
#ifndef SERVER_POISON_BUDGET_H
#define SERVER_POISON_BUDGET_H

#include "proto/topics.h"

#include <stdbool.h>
#include <stdint.h>

enum { BUDGET_SLOTS = 1024, BUDGET_BURST = 50, BUDGET_PER_S = 5, BUDGET_ALL_BURST = 2000, BUDGET_ALL_PER_S = 100 };

struct poison_bucket {
    int64_t at_ms; /* 0 = never used */
    int64_t left_milli;
};

struct poison_budget {
    struct {
        char device[DEVICE_NAME_MAX + 1];
        struct poison_bucket bucket;
    } slot[BUDGET_SLOTS];
    struct poison_bucket all;
};

/* True: this refused record may be kept. device "" (a topic without a name) is one device like any other. now_ms: any clock that does not jump back. */
bool poison_budget_take(struct poison_budget *b, const char *device, int64_t now_ms);

#endif
