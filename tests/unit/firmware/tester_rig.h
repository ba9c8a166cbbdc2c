/* SPDX-License-Identifier: Apache-2.0 */
/* tester_rig.h -- a UDS server with all that it needs, for the tests of what is built around it. */
#ifndef TESTS_TESTER_RIG_H
#define TESTS_TESTER_RIG_H

#include "firmware/core/talk/uds.h"

enum { TESTER_RING = 4 };

struct tester_rig {
    struct params params;
    struct sample ring[TESTER_RING];
    struct sampler sampler;
    struct stream stream;
    struct dtc_memory dtc;
    struct soc soc;
    struct uds uds;
};

static inline void tester_rig_init(struct tester_rig *t)
{
    int32_t values[PARAMS];

    params_defaults(CHEMISTRY_NMC, values);
    params_init(&t->params, values);
    sampler_init(&t->sampler, t->ring, TESTER_RING);
    stream_init(&t->stream);
    dtc_init(&t->dtc);
    soc_init(&t->soc, t->params.running);
    uds_init(&t->uds, &t->params, &t->sampler, &t->stream, &t->dtc);
    t->uds.soc = &t->soc;
}

#endif
