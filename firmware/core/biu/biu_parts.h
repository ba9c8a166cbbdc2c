/* SPDX-License-Identifier: Apache-2.0 */
/* biu_parts.h -- the rooms of one step of a BIU, in the order in which biu_step() walks through them. Private to biu*.c. */
#ifndef FIRMWARE_BIU_PARTS_H
#define FIRMWARE_BIU_PARTS_H

#include "firmware/core/biu/biu.h"

/* What comes in (biu_take.c). */
void biu_take_in(struct biu *biu, const struct biu_in *in, uint32_t dt_ms, struct biu_out *out);
void biu_look_at_plug(struct biu *biu, const struct biu_in *in);

/* Judge and act (biu_act.c). */
bool biu_judge(struct biu *biu, const struct biu_in *in, uint32_t dt_ms);
bool biu_is_measured(const struct biu *biu);
bool biu_wants_drive(const struct biu *biu, const struct biu_in *in);
bool biu_is_plugged(const struct biu *biu);
void biu_allow(struct biu *biu, const struct biu_in *in, uint32_t dt_ms);
void biu_talk_to_charger(struct biu *biu, const struct biu_in *in, struct biu_out *out);
void biu_charge(struct biu *biu, const struct biu_in *in, uint32_t dt_ms);
void biu_switch_contactors(struct biu *biu, const struct biu_in *in, uint32_t dt_ms);
void biu_heat_and_cool(struct biu *biu, const struct biu_in *in, uint32_t dt_ms);
void biu_choose_mode(struct biu *biu, const struct biu_in *in, uint32_t dt_ms);

/* What the board says (biu_tell.c). */
const struct sample *biu_take_sample(struct biu *biu, const struct biu_in *in);
void biu_note_seconds(struct biu *biu, const struct biu_in *in, uint32_t dt_ms);
void biu_note_codes(struct biu *biu, const struct biu_in *in);
void biu_tell_limits(const struct biu *biu, struct biu_out *out);
void biu_tell_vehicle(struct biu *biu, const struct biu_in *in, struct biu_out *out);

/* Requests (biu_talk.c). */
void biu_talk(struct biu *biu, const struct biu_in *in, uint32_t dt_ms, struct biu_out *out);

#endif
