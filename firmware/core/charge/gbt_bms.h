/* SPDX-License-Identifier: Apache-2.0 */
/* gbt_bms.h -- the BMS's side of a DC charge (GB/T 27930-2015), from the plug to the summary. Called every 10 ms with what CAN2 received.
 *
 *   OFF --plugged--> HANDSHAKE --CRM(00)--> IDENTIFY --CRM(AA)--> CONFIGURE --CML--> READY --CRO(AA)--> CHARGING
 *                      BHM, 30 s            BRM, 30 s             BCP, 5 s         BRO, 5/60 s         BCL BCS BSM, CCS 1 s; BMV BMT BSP
 *
 *   CHARGING --own reason or CST--> STOPPING --CST--> SUMMARY --CSD--> DONE       a wait that ends: --> ERROR (BEM) --CRM(00)/CHM--> again,
 *                                    BST 5 s           BSD 10 s                    the fourth time, or 60 s without the charger: --> FAILED
 *
 * A charger that starts again (CHM, or CRM(00) after the identification) is followed at once, also from DONE. !plugged: any state --> OFF.
 * After a stop the contactor is wanted closed while the charger ramps down, GBT_RAMP_MS at most.
 * Pure: no clock, no pins. `close` is a wish: who switches the contactor checks his own conditions and says so by `ready`.
 */
#ifndef FIRMWARE_CHARGE_GBT_BMS_H
#define FIRMWARE_CHARGE_GBT_BMS_H

#include "firmware/core/charge/gbt27930.h"
#include "firmware/core/charge/j1939_tp.h"

enum {
    GBT_TX_MAX = 16,           /* frames to CAN2 in one step; what is more waits for the next */
    GBT_BMS_LONGEST = 2 * 160, /* BMV of a pack with 160 cells */
    GBT_TIMEOUT_MS = 5000,
    GBT_CRM_MS = 30000,   /* from the first CHM to CRM(00): the insulation check lies between; and from CRM(00) to CRM(AA) */
    GBT_READY_MS = 60000, /* for either side to get ready */
    GBT_CCS_MS = 1000,
    GBT_CSD_MS = 10000,
    GBT_PAUSE_MS = 600000,
    GBT_LIE_MS = 2000,    /* so long may current or voltage be beyond what was asked */
    GBT_BST_MS = 100,     /* the stop is repeated so long after CST */
    GBT_LINGER_MS = 1000, /* and the summary after CSD */
    GBT_RAMP_MS = 3000,   /* so long may a charger take to bring its current down: 250 A at 100 A/s, and half a second */
    GBT_GIVE_UP_MS = 60000,
    GBT_RECONNECTS = 3,
    GBT_SLACK_mA = 10000, /* beyond the demand that is not a lie yet */
};

enum gbt_phase {
    GBT_OFF,
    GBT_HANDSHAKE,
    GBT_IDENTIFY,
    GBT_CONFIGURE,
    GBT_READY,
    GBT_CHARGING,
    GBT_STOPPING,
    GBT_SUMMARY,
    GBT_DONE,
    GBT_ERROR,
    GBT_FAILED,
    GBT_PHASES
};

struct gbt_pack_facts { /* does not change while plugged */
    uint8_t type;       /* enum gbt_battery */
    int32_t capacity_mAh, rated_mV, energy_Wh;
    int32_t cell_max_mV, max_mV, max_mA; /* permitted while charging; max_mA is negative */
    int32_t max_degC;
    const char *maker, *vin, *software; /* borrowed; at most 4, 17, 8 characters; software NULL: BRM of 41 bytes */
    uint32_t pack_no, charges;
    uint16_t made_year;
    uint8_t made_month, made_day;
};

struct gbt_in {
    uint32_t now_ms; /* monotonic, may wrap */
    bool plugged;    /* CC2 */
    bool ready;      /* contactor closed, nothing against a charge */
    bool pause;      /* wait, but do not stop */
    uint32_t stop;   /* why to stop: 1 << enum gbt_stop, several; 0 = go on */
    int32_t pack_mV, pack_mA;
    int32_t demand_mV, demand_mA; /* demand_mA is negative */
    bool constant_voltage;
    int32_t cell_min_mV, cell_max_mV, soc_permille, left_min;
    uint8_t cell_max_no, temp_max_no, temp_min_no; /* 1-based */
    bool details;                                  /* send BMV, BMT and BSP every 10 s */
    uint8_t cells, probes; /* for BMV and BMT: cell_mV[cells], temp_ddegC[probes], as in a sample; borrowed for the call */
    const uint16_t *cell_mV;
    const int16_t *temp_ddegC;
    size_t room; /* frames that CAN2 can take now, at most GBT_TX_MAX */
    int32_t temp_max_degC, temp_min_degC;
    const struct can_frame *rx; /* since the last step; borrowed for the call */
    size_t rx_count;
};

struct gbt_out {
    struct can_frame tx[GBT_TX_MAX];
    size_t tx_count;
    bool close; /* the charging contactor is wanted closed */
};

struct gbt_charger_seen { /* what the charger says of itself; valid from the phase in which it is sent */
    int32_t max_mV, min_mV, max_mA, min_mA;
    int32_t output_mV, output_mA, for_min;
    uint32_t reasons, errors, charger_no; /* CST, CEM */
    int32_t energy_Wh;
    bool permitted, fits; /* fits: our pack is inside its range */
};

struct gbt_counts {
    uint32_t received, bad_length, unknown, timeouts, reconnects;
};

struct gbt_bms { /* fields are read by anybody, written by this module */
    const struct gbt_pack_facts *facts;
    enum gbt_phase phase;
    struct gbt_charger_seen charger;
    struct gbt_counts counts;
    uint32_t bem;     /* as in BEM; GBT_BEM_NONE: nothing wrong */
    uint32_t reasons; /* as in BST */
    /* private */
    uint32_t stopped_ms, entered_ms, heard_ms, ready_ms, paused_ms, lie_ms, answer_ms;
    uint32_t sent_ms[GBT_MSGS];
    uint32_t ever_sent; /* bit per message, in this phase */
    uint8_t reconnects;
    bool heard, is_ready, pausing, lying, answered;
    struct j1939_tp tp;
    uint8_t tp_tx[GBT_BMS_LONGEST], tp_rx[64];
};

/* facts is borrowed and must outlive the module; `b` holds pointers into itself. */
void gbt_bms_init(struct gbt_bms *b, const struct gbt_pack_facts *facts);

/* Advance by one step. Cannot fail. */
void gbt_bms_step(struct gbt_bms *b, const struct gbt_in *in, struct gbt_out *out);

const char *gbt_phase_text(enum gbt_phase phase);

#endif
