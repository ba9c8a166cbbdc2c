/* SPDX-License-Identifier: Apache-2.0 */
/* can_log.h -- recorded CAN sessions for tests: candump lines "(seconds) can0 ID#DATA", gzipped, in $CELLWARDEN_DATA/gbt27930_can_logs. */
#ifndef TESTS_CAN_LOG_H
#define TESTS_CAN_LOG_H

#include <stddef.h>

#include "common/can.h"

struct can_log_line {
    uint32_t at_ms;
    struct can_frame frame;
};

enum { CAN_LOG_MAX = 4000, CAN_LOG_SKIPPED = 77 }; /* 77: what a program returns to ctest when it has no sessions to test with */

/* Is there a folder with recorded sessions? Says so when not. */
bool can_log_is_there(void);

/* Read a session into lines[CAN_LOG_MAX]. Returns how many; -1: there is no such file; -2: a line is not to be read. */
int can_log_read(const char *name, struct can_log_line *lines);

#endif
