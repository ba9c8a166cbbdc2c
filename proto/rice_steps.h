/* SPDX-License-Identifier: Apache-2.0 */
/* rice_steps.h -- for each Rice parameter and each pattern of the next 11 bits: the values of the codes that are whole in them, unzigzagged, at most four.
 * Printed at build time by rice_steps_make.c, 256 kB of constants of which a record uses 16 kB or so. For the reader of bodies; a board has no use for it.
 */
#ifndef PROTO_RICE_STEPS_H
#define PROTO_RICE_STEPS_H

#include <stdint.h>

#include "proto/rice.h"

enum { RICE_STEP_BITS = 11, RICE_STEPS = 1 << RICE_STEP_BITS, RICE_STEP_VALUES = 4 };

struct rice_step {
    int8_t value[RICE_STEP_VALUES]; /* those behind `count` are 0 */
    uint16_t count, bits;           /* count 0: the first code is not whole, or its value does not fit */
};

extern const struct rice_step rice_steps[RICE_K_MAX + 1][RICE_STEPS];

#endif
