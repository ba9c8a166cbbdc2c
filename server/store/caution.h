/* SPDX-License-Identifier: Apache-2.0 */
/* caution.h -- which way the next batches of records take into the database: straight, or past what may be there already.
 *
 * Straight is half the price, and fails as a whole when one record is there; that is then written again the careful way, which tells whose it was: those
 * devices go carefully by themselves from then on (repeaters.h). This here is for many at once, after an outage. A batch that was written twice is followed by
 * CAUTION_MIN careful batches, the next soon after it by twice as many, and so on up to CAUTION_MAX, which is where a fleet that fills in after an outage
 * ends. CAUTION_MAX straight batches in a row forget all that. So at most every second batch fails, and in the long run one of CAUTION_MAX + 1. Pure.
 */
#ifndef SERVER_CAUTION_H
#define SERVER_CAUTION_H

#include <stdbool.h>

enum { CAUTION_MIN = 1, CAUTION_MAX = 64 };

struct caution {       /* zeros to begin with */
    unsigned left;     /* careful batches yet to come */
    unsigned last;     /* how many followed the last failure, 0 = forgotten */
    unsigned straight; /* in a row since then */
};

static inline bool caution_is_careful(const struct caution *c)
{
    return c->left > 0;
}

/* A straight batch met itself: it is written again, carefully, and caution_passed() called for it as for those that follow. */
static inline void caution_met(struct caution *c)
{
    c->last = c->last == 0 ? CAUTION_MIN : c->last < CAUTION_MAX ? 2 * c->last : CAUTION_MAX;
    c->left = c->last + 1;
    c->straight = 0;
}

/* A batch with records is in the database, this way or the other. */
static inline void caution_passed(struct caution *c)
{
    if (c->left > 0)
        c->left--;
    else if (++c->straight >= CAUTION_MAX)
        c->last = c->straight = 0;
}

#endif
