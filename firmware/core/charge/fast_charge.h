/* SPDX-License-Identifier: Apache-2.0 */
/* fast_charge.h -- a DC charge on CAN2 (AC-3, TA-3): between the charge (charge.h) and the talk with the charger (gbt_bms.h). Called every 10 ms.
 *
 *   CC2 ──> session: CHM .. CML ──> handshaken ──> charge closes RL3 ──> BRO(AA) ──> CRO(AA) ──> ready ──> charge asks, BCL demands
 *   charge over (full, alarm, limit) ──> BST; CST from the charger, or a session that stops ──> ended ──> charge lets RL3 open
 *   a wait that ends, a charger that begins again ──> handshaken no more ──> RL3 opens, and closes again when the session is there again
 *
 * RL3 closes after the parameters fit and before BRO(AA), as GB/T 18487.1 has it: the charger looks for the pack's voltage before CRO(AA), and no
 * current is asked for before that. It opens below 5 A once the charge has ended, or when the charger has not come down in 3 s. Pure: it switches nothing.
 */
#ifndef FIRMWARE_FAST_CHARGE_H
#define FIRMWARE_FAST_CHARGE_H

#include "firmware/core/charge/charge.h"
#include "firmware/core/charge/gbt_bms.h"

struct fast_charge { /* holds pointers into itself */
    struct gbt_pack_facts facts;
    struct gbt_bms bms;
    struct gbt_out out; /* of the last step: frames to CAN2 */
};

struct fast_charge_in {
    uint32_t now_ms;
    const struct can_frame *rx; /* from CAN2; borrowed for the call */
    size_t rx_count, room;
    const struct charge *charge; /* after its last step */
    const struct measure *measure;
    uint8_t cells, probes;       /* fitted */
    bool closed;                 /* RL3 is commanded and reads closed */
    int32_t pack_mV, current_mA; /* sample scalars; current positive on discharge */
    int32_t soc_permyriad, full_min;
    uint32_t charges;      /* so far */
    const int32_t *params; /* [PARAMS], the running copy */
};

void fast_charge_init(struct fast_charge *f);

/* Advance the session; fast->connected (CC2) says whether there is one, the rest of *fast is filled. Cannot fail. */
void fast_charge_step(struct fast_charge *f, const struct fast_charge_in *in, struct charge_fast *fast);

/* What the session has failed by, the value of the alarm charger_session: 1 + enum gbt_bms_error, 41 + enum gbt_charger_error for what the
 * charger missed, 99 for what has no bit; 0 = nothing. */
int32_t fast_charge_trouble(const struct fast_charge *f);

#endif
