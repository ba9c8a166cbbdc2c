/* SPDX-License-Identifier: Apache-2.0 */
/* gbt_private.h -- between gbt_bms.c (phases and time) and gbt_hear.c (what the charger says). Nobody else includes it. */
#ifndef FIRMWARE_CHARGE_GBT_PRIVATE_H
#define FIRMWARE_CHARGE_GBT_PRIVATE_H

#include "firmware/core/charge/gbt_bms.h"

/* Begin a phase: its clocks and what has been said and heard in it. */
void gbt_enter(struct gbt_bms *b, enum gbt_phase phase, uint32_t now_ms);

/* To ERROR; bits: 1 << enum gbt_bms_error, 0 = the charger has told of an error of its own. */
void gbt_fail(struct gbt_bms *b, uint32_t bits, uint32_t now_ms);

/* To STOPPING; reasons: 1 << enum gbt_stop. */
void gbt_stop(struct gbt_bms *b, uint32_t reasons, uint32_t now_ms);

/* The charger begins again, after a good end or in the middle; the fourth time in one session it is not followed. */
void gbt_begin_again(struct gbt_bms *b, enum gbt_phase phase, uint32_t now_ms);

/* Take the frames of this step. */
void gbt_hear(struct gbt_bms *b, const struct gbt_in *in);

#endif
