/* SPDX-License-Identifier: Apache-2.0 */
/* insulation.h -- resistance of each rail to chassis by a switched bridge (ME-6; UN ECE R100 annex 4A, GB 18384-2020 B.1). Called every 10 ms.
 *
 * One resistor R0 is connected from the positive rail to chassis, then one from the negative rail. Each time the chassis is left to settle
 * against the Y capacitors, and the rails are averaged over the last INSULATION_AVERAGE_MS. Two equations give two unknowns:
 *
 *   phase POS: P1, N1   phase NEG: P2, N2          P: positive rail above chassis, N: chassis above negative rail
 *   R+ = R0 (P2 N1 - P1 N2) / (N2 (P1 + N1))      R- = R0 (P2 N1 - P1 N2) / (P1 (P2 + N2))
 *
 * The board's own dividers lie in parallel and are taken out. The system's value is that of the worse rail. A change shows in full after two
 * whole phases, 3 x insulation_settle_ms at most. Known weakness: switches that do not move read as a pack without insulation; that is an alarm,
 * not silence. No result below INSULATION_PACK_MIN_mV or above INSULATION_PACK_MAX_mV, nor while `off` (the DC charger measures then, and two
 * bridges disturb each other).
 */
#ifndef FIRMWARE_INSULATION_H
#define FIRMWARE_INSULATION_H

#include <stdbool.h>
#include <stdint.h>

#include "firmware/core/measure/sense.h"

enum {
    INSULATION_AVERAGE_MS = 100,
    INSULATION_PACK_MIN_mV = 24000,
    INSULATION_PACK_MAX_mV = 2000000, /* above voltage class B (GB 18384-2020 3.2: 1,500 V); also the room of the sums */
    INSULATION_MAX_kohm = 10000,      /* more reads as this */
    INSULATION_MAX_ohm_per_V = 60000,
    INSULATION_SUM_PERMILLE = 50, /* rails that do not add up to the pack by more are not believed */
    INSULATION_STALE_PHASES = 4,  /* no result for so many phases: the value is stale */
};

enum insulation_phase { INSULATION_OFF, INSULATION_POS, INSULATION_NEG };

struct insulation_in {
    uint32_t dt_ms;
    int32_t rail_pos_mV, rail_neg_mV; /* sample scalars (sense.h) */
    int32_t pack_mV;                  /* sample scalar, before the contactors */
    bool off;                         /* leave the rails alone */
    const int32_t *params;            /* [PARAMS], the running copy */
};

struct insulation {
    int32_t pos_kohm, neg_kohm, system_kohm, ohm_per_V; /* sample scalars */
    enum insulation_phase phase;
    uint32_t in_phase_ms, age_ms; /* age: since the last result */
    int32_t samples;
    int64_t pos_sum, neg_sum;
    struct insulation_rails {
        bool known;
        int32_t pos_mV, neg_mV;
    } seen[2]; /* at the end of the last phase POS, NEG */
};

void insulation_init(struct insulation *i);

/* One step. Returns the SENSE_BRIDGE_* to connect. */
uint8_t insulation_step(struct insulation *i, const struct insulation_in *in);

#endif
