/* SPDX-License-Identifier: Apache-2.0 */
/* uds_rig.h -- a UDS server with parameters, samples and trouble codes behind it. Each program that includes it has its own. */
#ifndef TESTS_UDS_RIG_H
#define TESTS_UDS_RIG_H

#include "common/bytes.h"
#include "common/err.h"
#include "firmware/core/talk/uds.h"
#include "tests/unit/suite.h"

#include <string.h>

static struct params params;
static struct sample ring[4];
static struct sampler sampler;
static struct stream stream;
static struct dtc_memory dtc;
static struct uds u;
static uint8_t out[UDS_RESPONSE_MAX];
static size_t n;

static inline void start(void)
{
    int32_t values[PARAMS];

    params_defaults(CHEMISTRY_NMC, values);
    params_init(&params, values);
    sampler_init(&sampler, ring, 4);
    stream_init(&stream);
    dtc_init(&dtc);
    uds_init(&u, &params, &sampler, &stream, &dtc);
}

static inline void ask(const uint8_t *req, size_t len)
{
    memset(out, 0xEE, sizeof(out));
    n = uds_request(&u, req, len, out);
}

#define ASK(...) ask((const uint8_t[]) { __VA_ARGS__ }, sizeof((const uint8_t[]) { __VA_ARGS__ }))

static inline bool refused(uint8_t service, uint8_t nrc)
{
    return n == 3 && out[0] == UDS_NEGATIVE && out[1] == service && out[2] == nrc;
}

static inline void pass_ms(uint32_t ms)
{
    CU_ASSERT_EQUAL(uds_poll(&u, ms, BIU_NVM_IDLE, out), 0);
}

#endif
