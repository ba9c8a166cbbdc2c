/* SPDX-License-Identifier: Apache-2.0 */
/* span.h -- spans of time and counts that add up and stop at the end of their range, so that nothing wraps however long it lasts. */
#ifndef COMMON_SPAN_H
#define COMMON_SPAN_H

#include <stdint.h>

/* The sum, or `most` where it would be more; span <= most. */
static inline uint32_t span_to(uint32_t span, uint32_t more, uint32_t most)
{
    return more >= most - span ? most : span + more;
}

static inline uint32_t span_add(uint32_t span, uint32_t more)
{
    return span_to(span, more, UINT32_MAX);
}

#endif
