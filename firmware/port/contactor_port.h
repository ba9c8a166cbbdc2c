/* SPDX-License-Identifier: Apache-2.0 */
/* contactor_port.h -- what a board must provide for the contactors. `mask` is made of BIU_RELAY_* (firmware/core/biu/biu_io.h). */
#ifndef FIRMWARE_CONTACTOR_PORT_H
#define FIRMWARE_CONTACTOR_PORT_H

#include <stdint.h>

struct contactor_port {
    void *ctx;                                 /* handed back to every call, owned by the port */
    int (*drive)(void *ctx, uint8_t mask);     /* energise exactly these coils; 0 or BMS_ERR_* */
    int (*feedback)(void *ctx, uint8_t *mask); /* relays read back closed; 0, or BMS_ERR_TIMEOUT when the reading is stale */
};

#endif
