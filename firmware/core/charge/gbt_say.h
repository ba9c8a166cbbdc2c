/* SPDX-License-Identifier: Apache-2.0 */
/* gbt_say.h -- what the BMS's messages of GB/T 27930 say: from the facts of the pack and the inputs of a step to bytes. No state of its own. */
#ifndef FIRMWARE_CHARGE_GBT_SAY_H
#define FIRMWARE_CHARGE_GBT_SAY_H

#include "firmware/core/charge/gbt_bms.h"

struct gbt_message {
    uint8_t data[GBT_BMS_LONGEST]; /* 0xFF where unused */
    size_t n;                      /* more than 8: goes by transport; 0: there is nothing to say */
};

/* The message of the BMS as it stands now. */
void gbt_say(const struct gbt_bms *b, const struct gbt_in *in, enum gbt_msg msg, struct gbt_message *m);

#endif
