/* SPDX-License-Identifier: Apache-2.0 */
/* charger_gbt.h -- a DC charger by GB/T 27930-2015 on CAN2: what it says, when it gives up, and the current it drives. With faults on purpose.
 *
 *   OFF --start--> HANDSHAKE (CHM) --insulation--> RECOGNISE (CRM 00) --BRM--> RECOGNISED (CRM AA) --BCP--> PARAMETERS (CTS CML)
 *   --BRO(AA)--> READY (CRO) --BCL BCS--> CHARGING (CCS) --stop, BST or BSM abnormal--> STOPPING (CST) --BST--> SUMMARY (CSD) --BSD--> DONE
 *   a wait that ends --> ERROR (CEM), and after 3 s once more from RECOGNISE, three times
 *
 * One step is 10 ms. The electrical side is one current: it follows the demand by a ramp and holds the demanded voltage from above.
 */
#ifndef SIM_CHARGER_GBT_H
#define SIM_CHARGER_GBT_H

#include "firmware/core/charge/gbt27930.h"
#include "firmware/core/charge/j1939_tp.h"

enum charger_gbt_phase {
    CHARGER_OFF,
    CHARGER_HANDSHAKE,
    CHARGER_RECOGNISE,
    CHARGER_RECOGNISED,
    CHARGER_PARAMETERS,
    CHARGER_READY,
    CHARGER_CHARGING,
    CHARGER_STOPPING,
    CHARGER_SUMMARY,
    CHARGER_DONE,
    CHARGER_ERROR,
    CHARGER_PHASES
};

enum { CHARGER_TX_MAX = 16 };

struct charger_gbt_config {
    int32_t max_mV, min_mV, max_mA, min_mA; /* currents are negative; max_mA is the larger in magnitude */
    uint32_t number;
    uint32_t insulation_ms, getting_ready_ms;
    bool short_ccs;            /* 7 bytes, as chargers in the field send it */
    bool mute[CHARGER_PHASES]; /* says nothing in this phase */
    bool never_ready;          /* CRO(00) for ever */
    int32_t too_much_mA;       /* drives more than was asked: a charger that lies */
};

struct charger_gbt_in {
    uint32_t now_ms;
    bool start, stop; /* the user's buttons; start false: off */
    bool paused;      /* the charger's own pause: CCS says so */
    int32_t pack_mV;  /* at its terminals */
    const struct can_frame *rx;
    size_t rx_count;
};

struct charger_gbt {
    struct charger_gbt_config cfg;
    enum charger_gbt_phase phase;
    int32_t output_mA; /* negative: into the pack */
    int64_t energy_uWh;
    uint32_t cem, bst, bem; /* what was sent and heard */
    uint32_t malformed;
    uint8_t retries;
    uint8_t vin[17];
    size_t brm_len;
    /* private */
    uint32_t entered_ms, bcl_ms, bcs_ms, now_ms, charged_ms;
    uint32_t sent_ms[GBT_MSGS];
    uint32_t ever_sent, seen; /* bit per message, in this phase */
    int32_t demand_mV, demand_mA;
    bool bro_ready, stopped_by_bms;
    struct j1939_tp tp;
    uint8_t tp_rx[GBT_MESSAGE_MAX];
};

void charger_gbt_init(struct charger_gbt *c, const struct charger_gbt_config *cfg);

/* "off", "handshake", ... */
const char *charger_gbt_phase_text(enum charger_gbt_phase phase);

/* Frames for CAN2 into out[CHARGER_TX_MAX]; returns how many. */
size_t charger_gbt_step(struct charger_gbt *c, const struct charger_gbt_in *in, struct can_frame *out);

#endif
