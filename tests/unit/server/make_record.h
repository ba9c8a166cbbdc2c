/* SPDX-License-Identifier: Apache-2.0 */
/* make_record.h -- sealed records for the server's tests. */
#ifndef TESTS_MAKE_RECORD_H
#define TESTS_MAKE_RECORD_H

#include "proto/record.h"
#include "proto/sample.h"

/* A sample without alarms: every cell 3700 mV plus its number, every probe 25.0 degC, scalars not fitted but current, SOC and voltage. */
struct sample make_sample(uint32_t boot, uint32_t no, uint64_t utc_ms, uint8_t cells, uint8_t temps);

/* Encode and seal; returns the length in out[RECORD_MAX]. */
size_t make_record(const char *device, uint64_t epoch, uint64_t seq, const struct sample *samples, size_t count, uint8_t *out);

#endif
