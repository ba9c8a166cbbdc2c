/* SPDX-License-Identifier: Apache-2.0 */
/* rice_steps.h -- for each Rice parameter and each pattern of the next 10 bits: the values of the codes that are whole in them, unzigzagged, at most six.
 * Printed at build time by rice_steps_make.c, 128 kB of constants of which a record uses 16 kB or so. For the reader of bodies; a board has no use for it.
 */
#ifndef PROTO_RICE_STEPS_H
#define PROTO_RICE_STEPS_H

#include <stdint.h>

#include "proto/rice.h"

enum { RICE_STEP_BITS = 10, RICE_STEPS = 1 << RICE_STEP_BITS, RICE_STEP_VALUES = 6 };

struct rice_step { /* eight bytes, copied whole: see get_small() */
    int8_t at[RICE_STEP_VALUES + 2];
};

enum {
    RICE_STEP_COUNT = RICE_STEP_VALUES,
    RICE_STEP_TAKEN
}; /* where in at[], behind the values: how many they are, and their bits; both 0 when there is none */

extern const struct rice_step rice_steps[RICE_K_MAX + 1][RICE_STEPS];

#endif
