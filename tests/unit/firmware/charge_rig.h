/* SPDX-License-Identifier: Apache-2.0 */
/* charge_rig.h -- one charge whose world a test moves step by step. Each program that includes it has its own. */
#ifndef TESTS_CHARGE_RIG_H
#define TESTS_CHARGE_RIG_H

#include "firmware/core/charge/charge.h"
#include "firmware/core/store/params.h"
#include "tests/unit/suite.h"

enum { CELLS = 48, STEP_MS = 10 };

static struct charge c;
static struct charge_in in;
static int32_t params[PARAMS];

static inline void start(void)
{
    params_defaults(CHEMISTRY_NMC, params);
    charge_init(&c);
    in = (struct charge_in) { .dt_ms = STEP_MS,
                              .slow = { .limit_dA = scalar_invalid(VALIDITY_NOT_FITTED) },
                              .fast = { .max_mV = scalar_invalid(VALIDITY_NEVER), .max_dA = scalar_invalid(VALIDITY_NEVER) },
                              .pack_mV = 3700 * CELLS,
                              .cell_max = { true, 3700, 7 },
                              .cold = { true, 250, 1 },
                              .has_probes = true,
                              .limit_dA = 1800,
                              .cells = CELLS,
                              .params = params };
}

/* Steps in which RL3 follows and the charger gives what is wanted. */
static inline void run(uint32_t ms)
{
    for (uint32_t t = 0; t < ms; t += STEP_MS) {
        in.closed = c.close;
        in.current_mA = c.deliver && c.close ? -c.want_dA * 100 : 0;
        charge_step(&c, &in);
    }
}

static inline void plug_slow(void)
{
    start();
    in.slow.connected = in.slow.ready = true;
    run(50);
}

static inline void plug_fast(void)
{
    start();
    in.fast = (struct charge_fast) { .connected = true, .handshaken = true, .max_mV = 500000, .max_dA = 1200 };
    run(40);
    in.fast.ready = true;
    run(30);
}

#endif
