/* SPDX-License-Identifier: Apache-2.0 */
/* power_mode.h -- when the board may sleep, and when it wakes to look at a parked pack (AC-8). Pure; called every 10 ms.
 *
 *   AWAKE ── nothing asked for, for sleep_after_s, and nothing left to do ──> sleep ── KeyOn, charger: AWAKE
 *                                                                       └────── wake_period_s: LOOKING ── look_s, all well ──> sleep
 *
 * The board is told by `sleep`, which stays until it obeys: outputs open, key data saved in the same step, the voltage regulator off until an
 * input or the timer wakes it, then biu_wake(). A look that finds a major alarm, or cannot measure, stays awake as long as after a drive, to tell.
 */
#ifndef FIRMWARE_POWER_MODE_H
#define FIRMWARE_POWER_MODE_H

#include <stdbool.h>
#include <stdint.h>

struct power_mode {
    uint32_t still_ms; /* nothing was asked for for so long */
    bool looking;      /* the timer has woken the board, and nothing was asked for since */
    bool sleep;        /* the board shall sleep now */
};

struct power_mode_in {
    uint32_t dt_ms;
    bool asked;            /* KeyOn, a plug, an order of the vehicle */
    bool busy;             /* a relay is commanded closed, a tester talks, a sample is on its way: no sleep begins */
    bool well;             /* everything has been measured and no major alarm is active */
    const int32_t *params; /* [PARAMS], the running copy */
};

void power_mode_init(struct power_mode *p);

/* After a sleep. Who woke the board shows in its inputs. */
void power_mode_wake(struct power_mode *p);

/* Returns true in the one step in which the sleep begins: now the key data must be saved. */
bool power_mode_step(struct power_mode *p, const struct power_mode_in *in);

#endif
