/* SPDX-License-Identifier: Apache-2.0 */
/* self_port.h -- what a board must tell of itself for the self-check (ME-13), and where its memories are. */
#ifndef FIRMWARE_SELF_PORT_H
#define FIRMWARE_SELF_PORT_H

#include "firmware/core/diagnosis/self_check.h"
#include "firmware/core/diagnosis/self_test.h"

struct self_port {
    void *ctx; /* handed to facts(), owned by the port */
    /* Fills reset, stack_free, clock_ppm and slot_overruns; scalar_invalid(VALIDITY_NOT_FITTED) for what the board cannot measure. */
    void (*facts)(void *ctx, struct self_facts *now);
    const struct self_ram *ram;     /* NULL: not tested */
    const struct self_flash *flash; /* NULL: not tested */
};

#endif
