/* SPDX-License-Identifier: Apache-2.0 */
/* plug.h -- what is plugged into the charging sockets, and what current the slow one may draw (ME-11). Called every 10 ms.
 *
 * CC (GB/T 18487.1, connection mode B and C): the resistor in the plug says what its cable carries; with the latch pressed a second one is in
 * series, and the plug is only half connected. At the edge between two cables the smaller one counts.
 *
 *   CC to PE, ohm   < 25 fault | 25 .. < 140  63 A | 140 .. < 360  32 A | 360 .. < 940  16 A | 940 .. 1,650  10 A | 2,500 .. 4,500 half | > 10,000 out
 *
 * CP (GB/T 18487.1 table A.2, the same duties as IEC 61851-1 up to 85 %): 9 V connected, 6 V while the vehicle asks for energy (S2 closed).
 *   duty   8 .. < 10 %  6 A | 10 .. 85 %  duty x 0.6 A | > 85 .. 90 %  (duty - 64 %) x 2.5 A, 63 A at most | 3 .. 7 %  digital | else  no current
 *
 * CC2 (fast socket): 12 V with nothing plugged in, 4.5 to 6.8 V with the plug's 1 kohm. A state counts when it has been read for PLUG_SETTLE_MS;
 * a plug that is no longer in loses its current at once.
 */
#ifndef FIRMWARE_PLUG_H
#define FIRMWARE_PLUG_H

#include <stdbool.h>
#include <stdint.h>

#include "firmware/core/measure/sense.h"

enum { PLUG_SETTLE_MS = 300, PLUG_CABLE_MAX_mA = 63000 };

enum plug_state {
    PLUG_UNKNOWN, /* no such socket, or its reading is not valid */
    PLUG_OUT,
    PLUG_HALF, /* in, and its latch pressed or not engaged; slow socket only */
    PLUG_IN,
    PLUG_FAULT, /* a reading that no plug gives: wire shorted or spoilt */
};

enum plug_pilot {                       /* level of CP */
                  PLUG_PILOT_OFF,       /* below 1 V: no charger, or one without power */
                  PLUG_PILOT_IDLE,      /* 12 V: the charger sees no vehicle */
                  PLUG_PILOT_CONNECTED, /* 9 V */
                  PLUG_PILOT_CHARGING,  /* 6 V */
                  PLUG_PILOT_FAULT,
};

struct plug {
    enum plug_state slow, fast;
    enum plug_pilot pilot;
    bool digital;                         /* the duty asks for digital communication */
    int32_t cable_mA;                     /* what the cable carries, 0 = not fully plugged in */
    int32_t pilot_mA;                     /* what the charger offers, 0 = nothing now */
    int32_t limit_mA;                     /* the smaller of both: what the slow charger may be asked for now */
    enum plug_state slow_seen, fast_seen; /* read, and not yet for long enough */
    uint32_t slow_ms, fast_ms;            /* for so long */
};

void plug_init(struct plug *p);

/* One step. */
void plug_step(struct plug *p, const struct sense *s, uint32_t dt_ms);

/* Both sockets are in use at once, which no vehicle may charge from. */
bool plug_is_double(const struct plug *p);

/* The sample's `plug`: bits 0 to 2 slow, 3 to 5 fast (enum plug_state), 6 the charger offers current, 7 energy is asked for (CP at 6 V). */
uint8_t plug_bits(const struct plug *p);

/* What each reading means by itself, without delay. */
enum plug_state plug_cc_state(int32_t cc_ohm);
int32_t plug_cable_mA(int32_t cc_ohm);
enum plug_pilot plug_pilot_of(int32_t cp_mV);
int32_t plug_duty_mA(int32_t permille);
enum plug_state plug_cc2_state(int32_t cc2_mV);

#endif
