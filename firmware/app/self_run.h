/* SPDX-License-Identifier: Apache-2.0 */
/* self_run.h -- run the tests of memory: all of it at power-on, then a slice in each step, for ever. What was found bad stays bad. */
#ifndef FIRMWARE_SELF_RUN_H
#define FIRMWARE_SELF_RUN_H

#include "firmware/port/self_port.h"

struct self_run {
    const struct self_port *port; /* borrowed; NULL: the board tells nothing of itself */
    bool ram_bad, flash_bad;
    size_t word;
    struct self_flash_pass pass;
    uint32_t ram_passes, flash_passes; /* whole ones since the start, the one at power-on included */
};

/* Power-on: one whole pass over RAM and flash. */
void self_run_init(struct self_run *r, const struct self_port *port);

/* One slice of each, then what is known: *now, without nvm_bad and params_bad. */
void self_run_step(struct self_run *r, struct self_facts *now);

#endif
