/* SPDX-License-Identifier: Apache-2.0 */
/* params.h -- the two copies of the parameters: what runs now, and what the memory holds for the next start (UC-5).
 *
 * "Calibrate" changes the running copy alone, "flash" stores all of it. Rows marked `restart` may be changed like the others; whoever
 * needs them has read them at the start and does not look again. Both copies always hold values inside their rows. While the running copy is
 * on its way into the memory it is held: one copy less in RAM, and what is stored is one state of it.
 */
#ifndef FIRMWARE_PARAMS_H
#define FIRMWARE_PARAMS_H

#include <stdbool.h>
#include <stdint.h>

#include "proto/tables.h"

struct params {
    int32_t running[PARAMS];
    int32_t stored[PARAMS];
    uint32_t running_hash, stored_hash; /* param_hash() of each */
    bool held;                          /* the memory works on the running copy: it stays as it is */
};

/* The chemistry's defaults, with `chemistry` itself set to match. */
void params_defaults(enum chemistry chemistry, int32_t *values);

/* 0, or BMS_ERR_RANGE: the value is outside the row. */
int params_check(enum param param, int32_t value);

/* Both copies from stored[PARAMS]; a value outside its row becomes the default of the stored chemistry. Returns how many did. */
int params_init(struct params *p, const int32_t *stored);

/* Change the running copy. Returns 0, BMS_ERR_RANGE, or BMS_ERR_STATE while it is held (then nothing has changed). */
int params_set(struct params *p, enum param param, int32_t value);

/* The running copy is being stored; that has ended, and the memory holds it now or does not. */
void params_hold(struct params *p);
void params_release(struct params *p, bool stored);

#endif
