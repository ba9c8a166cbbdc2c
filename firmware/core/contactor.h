/* SPDX-License-Identifier: Apache-2.0 */
/* contactor.h -- which relays are closed (AC-1). Thin: pre-charge for a fixed time, no weld check yet. Opening never waits for anything.
 *
 *   OPEN ── drive ──> PRECHARGE (RL2) ── CONTACTOR_PRECHARGE_MS ──> DRIVE (RL1)
 *   OPEN ── charge ─> CHARGE (RL3)                    any state ── an alarm, or asked otherwise ──> OPEN, in the same call
 */
#ifndef FIRMWARE_CONTACTOR_H
#define FIRMWARE_CONTACTOR_H

#include <stdbool.h>
#include <stdint.h>

enum { CONTACTOR_PRECHARGE_MS = 500 };

enum contactor_state { CONTACTOR_OPEN, CONTACTOR_PRECHARGE, CONTACTOR_DRIVE, CONTACTOR_CHARGE };

struct contactor {
    enum contactor_state state;
    uint32_t in_state_ms;
};

struct contactor_in {
    uint32_t dt_ms;
    bool must_open; /* an alarm wants the contactors open */
    bool may_close; /* every value that protects is there; looked at only while open, for the alarms judge the rest */
    bool drive;     /* KeyOn */
    bool charge;    /* charger; wins over KeyOn */
};

void contactor_init(struct contactor *c);

/* Returns the BIU_RELAY_* to energise. */
uint8_t contactor_step(struct contactor *c, const struct contactor_in *in);

#endif
