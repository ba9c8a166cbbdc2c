/* SPDX-License-Identifier: Apache-2.0 */
/* ring.h -- received bytes that wait to be read, in a ring of RING_SIZE. The TCP window bounds what can be in it. */
#ifndef DTU_PORT_LWIP_RING_H
#define DTU_PORT_LWIP_RING_H

#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "lwip/opt.h"

enum { RING_SIZE = TCP_WND };

struct ring {
    uint8_t bytes[RING_SIZE];
    size_t at, n; /* n bytes from `at` on */
};

static inline size_t ring_room(const struct ring *r)
{
    return RING_SIZE - r->n;
}

/* n is at most ring_room(). */
static inline void ring_put(struct ring *r, const void *data, size_t n)
{
    size_t end = (r->at + r->n) % RING_SIZE;
    size_t first = n < RING_SIZE - end ? n : RING_SIZE - end;

    memcpy(r->bytes + end, data, first);
    memcpy(r->bytes, (const uint8_t *)data + first, n - first);
    r->n += n;
}

/* Take up to n bytes; returns how many. */
static inline size_t ring_get(struct ring *r, uint8_t *out, size_t n)
{
    if (n > r->n)
        n = r->n;
    size_t first = n < RING_SIZE - r->at ? n : RING_SIZE - r->at;

    memcpy(out, r->bytes + r->at, first);
    memcpy(out + first, r->bytes, n - first);
    r->at = (r->at + n) % RING_SIZE;
    r->n -= n;
    return n;
}

#endif
