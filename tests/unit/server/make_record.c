/* SPDX-License-Identifier: Apache-2.0 */
/* make_record.c -- what a DTU would do. */
#include "tests/unit/server/make_record.h"

#include "proto/body.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct sample make_sample(uint32_t boot, uint32_t no, uint64_t utc_ms, uint8_t cells, uint8_t temps)
{
    struct sample s;

    memset(&s, 0, sizeof s);
    s.boot = boot;
    s.no = no;
    s.utc_ms = utc_ms;
    s.cells = cells;
    s.temps = temps;
    for (int i = 0; i < SAMPLE_SCALARS; i++)
        s.scalar[i] = scalar_invalid(VALIDITY_NOT_FITTED);
    s.scalar[SAMPLE_pack_current_mA] = 1000;
    s.scalar[SAMPLE_soc_permyriad] = 5000;
    s.scalar[SAMPLE_pack_voltage_mV] = 400000;
    for (int c = 0; c < cells; c++)
        s.cell_mV[c] = (uint16_t)(3701 + c);
    for (int t = 0; t < temps; t++)
        s.temp_ddegC[t] = 250;
    return s;
}

size_t make_record(const char *device, uint64_t epoch, uint64_t seq, const struct sample *samples, size_t count, uint8_t *out)
{
    static uint8_t body[RECORD_BODY_MAX];
    int n = body_encode(samples, count, body, sizeof body);

    if (n < 0)
        abort();
    struct record r = { .epoch = epoch,
                        .seq = seq,
                        .boot = samples[0].boot,
                        .first_no = samples[0].no,
                        .count = (uint32_t)count,
                        .first_utc_ms = samples[0].utc_ms,
                        .last_utc_ms = samples[count - 1].utc_ms,
                        .cells = samples[0].cells,
                        .temps = samples[0].temps,
                        .body = body,
                        .body_len = (size_t)n };

    snprintf(r.device, sizeof r.device, "%s", device);
    n = record_seal(&r, out, RECORD_MAX);
    if (n < 0)
        abort();
    return (size_t)n;
}
