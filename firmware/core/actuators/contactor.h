/* SPDX-License-Identifier: Apache-2.0 */
/* contactor.h -- which relays are closed, and whether they really are (AC-1, AC-2, ME-7). Pure: no pins, no clock.
 *
 *   OPEN ──> CHECK ──> PRECHARGE ──> MAKE ──> DRIVE ──> DRIVE_END ──> OPEN          RL1 discharge, RL2 pre-charge, RL3 charge
 *              │ ^         │                                                          must_open: any state ──> OPEN, in the same call
 *              │ └─ REST <─┴──> FAILED                                                FAILED is left only when nothing is asked for
 *              └──────> CHARGE ──> CHARGE_END ──> OPEN
 *
 * CHECK closes nothing while a relay reads closed or the link keeps the pack's voltage: then one is welded. PRECHARGE has a window: too fast is no load
 * (no capacitor), too slow or no rise at all is a short; each failure costs a try and heats the resistor, whose energy is counted and bounded. Each
 * relay is read back. A request that ends limits the power first and opens under load only after open_wait_ms. An alarm opens at once or, where
 * it may wait (must_end), limits the power first and opens under load only after alarm_open_wait_ms; either way it locks: nothing closes again until KeyOn and charger have both been away. RL3 closes without RL2: a charger precharges its own side.
 */
#ifndef FIRMWARE_CONTACTOR_H
#define FIRMWARE_CONTACTOR_H

#include <stdbool.h>
#include <stdint.h>

#include "firmware/core/actuators/wear.h"

enum contactor_state {
    CONTACTOR_OPEN,
    CONTACTOR_CHECK,
    CONTACTOR_PRECHARGE,
    CONTACTOR_MAKE,
    CONTACTOR_DRIVE,
    CONTACTOR_DRIVE_END,
    CONTACTOR_CHARGE,
    CONTACTOR_CHARGE_END,
    CONTACTOR_REST,
    CONTACTOR_FAILED,
    CONTACTOR_TEST,
    CONTACTOR_STATES
};

enum contactor_why { /* why pre-charge failed; the value of its alarm */
                     CONTACTOR_WHY_NONE,
                     CONTACTOR_WHY_FAST,      /* the link was full at once: no load, or the resistor is bridged */
                     CONTACTOR_WHY_SLOW,      /* not full in time */
                     CONTACTOR_WHY_SHORT,     /* did not rise */
                     CONTACTOR_WHY_ENERGY,    /* the resistor has taken what it may */
                     CONTACTOR_WHY_UNMEASURED /* a total voltage is not known */
};

enum { CONTACTOR_RELAYS = 3, CONTACTOR_SAME_mV = 200 };

struct contactor_in {
    uint32_t dt_ms;
    bool must_open;           /* an alarm wants the contactors open */
    bool must_end;            /* an alarm wants the power to end, and then the contactors open */
    bool may_close;           /* every value that protects is there; looked at only before a close, for the alarms judge the rest */
    bool may_charge;          /* the temperature allows charging; looked at as may_close */
    bool drive;               /* KeyOn */
    bool charge;              /* charger; wins over KeyOn */
    bool end_charge;          /* the charge is over, though the charger is there: RL3 opens as after a request that ends */
    uint8_t feedback;         /* BIU_RELAY_* read back closed */
    int32_t pack_mV, link_mV; /* sample scalars, before and behind the contactors */
    int32_t current_mA;       /* sample scalar */
    const int32_t *params;    /* [PARAMS], the running copy */
};

enum contactor_test { CONTACTOR_TEST_NEVER, CONTACTOR_TEST_RUNNING, CONTACTOR_TEST_PASSED, CONTACTOR_TEST_FAILED, CONTACTOR_TEST_STOPPED };

struct contactor {
    enum contactor_state state;
    uint32_t in_state_ms;
    uint32_t differ_ms[CONTACTOR_RELAYS]; /* the relay has not been where it is commanded */
    uint32_t ramp_ms;                     /* RL2 has read closed in this try */
    int32_t start_mV;                     /* link when RL2 read closed */
    int64_t heat_nJ;                      /* in the resistor */
    uint8_t tries;                        /* failed since the request came */
    enum contactor_why why;               /* of the last failure, until nothing is asked for */
    uint8_t welded;                       /* number of the relay that reads closed against its command, 0 = none */
    uint8_t stuck;                        /* number of the relay that does not close or falls off; until nothing is asked for */
    bool held;                            /* the link has kept the pack's voltage with all open */
    uint8_t test;                         /* BIU_RELAY_* that a tester wants to see closing, 0 = none */
    enum contactor_test test_result;      /* of the last test */
    bool locked;                          /* opened by an alarm or a fault */
    struct relay_wear wear[CONTACTOR_RELAYS];
};

/* Open, with relays and resistor that were never used. */
void contactor_init(struct contactor *c);

/* After a sleep: open; what is worn stays worn. */
void contactor_wake(struct contactor *c);

/* Returns the BIU_RELAY_* to energise. */
uint8_t contactor_step(struct contactor *c, const struct contactor_in *in);

/* Close one relay (BIU_RELAY_*) for twice relay_feedback_ms and look whether it reads closed (TEST; from OPEN only). Who calls has made sure that nothing
 * can flow. Ends by itself, and at once when anything is asked for or has to open. 0 or BMS_ERR_STATE. */
int contactor_test(struct contactor *c, uint8_t relay);
void contactor_test_stop(struct contactor *c);

/* The power should be brought to zero: the relays will open. */
bool contactor_is_ending(const struct contactor *c);

#endif
