/* SPDX-License-Identifier: Apache-2.0 */
/* state.h -- a State message (telemetry.proto) as the fleet table has it. Pure. */
#ifndef SERVER_STATE_H
#define SERVER_STATE_H

#include "server/api/fleet.h"

/* Returns 0; BMS_ERR_CORRUPT (not a State), BMS_ERR_SCHEMA, BMS_ERR_RANGE (another device inside than `device`). Strings that are too long
 * are cut; modules beyond the pack's maximum are dropped. *at_ms is the time in the message. */
int state_parse(const char *device, const uint8_t *bytes, size_t size, struct fleet_link *out, int64_t *at_ms);

#endif
