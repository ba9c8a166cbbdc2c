/* SPDX-License-Identifier: Apache-2.0 */
/* can_client.h -- one node of a CAN bus that is a hub (proto/can_hub.h). Never blocks; connects again by itself.
 *
 *   can_client_step()  every 10 ms or so: connects when there is no link
 *   can_client_fd()    for poll(): readable when frames wait; -1 while there is no link
 * One thread. Works for tools and tests as well as for the DTU.
 */
#ifndef DTU_CAN_CLIENT_H
#define DTU_CAN_CLIENT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/can.h"
#include "proto/can_hub.h"

enum { CAN_CLIENT_RETRY_MS = 200, CAN_CLIENT_PATH_MAX = 108 };

struct can_client {
    char path[CAN_CLIENT_PATH_MAX];
    int fd;
    uint32_t tried_ms;
    bool tried;
    uint8_t in[CAN_HUB_BATCH * CAN_HUB_FRAME]; /* the packet that is being given out */
    size_t in_len, in_at;
    uint32_t malformed; /* packets and frames that were dropped */
    uint32_t links;     /* how often it has connected */
    int why;            /* errno of the last connect() that failed, or 0 */
};

/* Returns 0, or BMS_ERR_RANGE for a path that is too long or empty. */
int can_client_init(struct can_client *c, const char *path);

/* True while there is a link. now_ms: monotonic, may wrap. */
bool can_client_step(struct can_client *c, uint32_t now_ms);
int can_client_fd(const struct can_client *c);

/* 1 and a frame, 0 when none waits, BMS_ERR_IO when the link is (or was just found) down. */
int can_client_receive(struct can_client *c, struct can_frame *f);

/* 0, BMS_ERR_NOSPACE when the hub does not take it now (nothing sent), BMS_ERR_IO when the link is down. */
int can_client_send(struct can_client *c, const struct can_frame *f);

void can_client_deinit(struct can_client *c);

#endif
