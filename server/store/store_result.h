/* SPDX-License-Identifier: Apache-2.0 */
/* store_result.h -- what became of a batch. */
#ifndef SERVER_STORE_RESULT_H
#define SERVER_STORE_RESULT_H

#include <stdint.h>

struct store_result {
    uint64_t records; /* newly stored */
    uint64_t frames;  /* in them */
    uint64_t duplicates;
    uint64_t twice; /* times that the batch was written again, the careful way */
};

#endif
