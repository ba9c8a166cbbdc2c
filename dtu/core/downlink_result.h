/* SPDX-License-Identifier: Apache-2.0 */
/* downlink_result.h -- writes a Result into the store of the downlink. Used by downlink.c alone. */
#ifndef DTU_CORE_DOWNLINK_RESULT_H
#define DTU_CORE_DOWNLINK_RESULT_H

#include <stdint.h>

#include "dtu/core/downlink.h"

enum downlink_status { /* numbers of cw.Status */
                       DOWNLINK_STATUS_OK = 1,
                       DOWNLINK_STATUS_REJECTED = 2,
                       DOWNLINK_STATUS_TIMEOUT = 3,
                       DOWNLINK_STATUS_EXPIRED = 4,
                       DOWNLINK_STATUS_UNKNOWN = 5,
};

struct downlink_answer {
    uint64_t id;
    enum downlink_status status;
    const char *detail;
    const struct command_run *run; /* with its values, or NULL */
    const uint64_t *refilled;      /* records served, or NULL */
};

/* Into a free place, or that of the oldest Result that the client does not hold; it is then due. A Result that does not fit comes without
 * values. */
void downlink_result_make(struct downlink *d, const struct downlink_answer *a);

#endif
