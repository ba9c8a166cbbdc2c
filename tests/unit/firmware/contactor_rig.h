/* SPDX-License-Identifier: Apache-2.0 */
/* contactor_rig.h -- one contactor machine whose world a test moves step by step. Each program that includes it has its own. */
#ifndef TESTS_CONTACTOR_RIG_H
#define TESTS_CONTACTOR_RIG_H

#include "firmware/core/actuators/contactor.h"
#include "firmware/core/biu/biu_io.h"
#include "firmware/core/store/params.h"
#include "tests/unit/suite.h"

#define D BIU_RELAY_DISCHARGE
#define P BIU_RELAY_PRECHARGE
#define C BIU_RELAY_CHARGE

enum { PACK_mV = 400000, FULL_mV = 380000 }; /* 95 % */

static struct contactor c;
static struct contactor_in in;
static int32_t params[PARAMS];
static uint8_t last; /* commanded */

static inline void start(void)
{
    params_defaults(CHEMISTRY_NMC, params);
    contactor_init(&c);
    last = 0;
    in = (struct contactor_in) { .dt_ms = 10, .may_close = true, .may_charge = true, .pack_mV = PACK_mV, .link_mV = 0, .params = params };
}

/* One step with this feedback and link. */
static inline uint8_t step(uint8_t feedback, int32_t link_mV)
{
    in.feedback = feedback;
    in.link_mV = link_mV;
    last = contactor_step(&c, &in);
    return last;
}

/* Steps in which each relay follows at once and nothing else moves. */
static inline uint8_t follow(uint32_t ms, int32_t link_mV)
{
    for (uint32_t t = 0; t < ms; t += 10)
        step(last, link_mV);
    return last;
}

static inline void to_drive(void)
{
    in.drive = true;
    follow(30, 0);
    follow(50, 200000);
    follow(30, PACK_mV);
    CU_ASSERT_EQUAL_FATAL(c.state, CONTACTOR_DRIVE);
}

static inline void to_precharge(int32_t link_mV)
{
    start();
    in.drive = true;
    follow(20, link_mV);
    CU_ASSERT_EQUAL_FATAL(c.state, CONTACTOR_PRECHARGE);
}

#endif
