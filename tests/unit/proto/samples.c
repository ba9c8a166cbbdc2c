/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/proto/samples.h"

#include <string.h>

uint32_t any_u32(uint32_t *state)
{
    *state ^= *state << 13;
    *state ^= *state >> 17;
    *state ^= *state << 5;
    return *state;
}

void plausible_samples(struct sample *s, size_t n, uint8_t cells, uint8_t temps, uint32_t seed)
{
    uint32_t r = seed;

    for (size_t i = 0; i < n; i++) {
        int32_t current_mA = (int32_t)(any_u32(&r) % 60000) - 20000;

        s[i] = (struct sample) { .utc_ms = 1767225600000u + i * 1000, .boot = 3, .no = 100 + (uint32_t)i, .cells = cells, .temps = temps };
        s[i].scalar[SAMPLE_pack_current_mA] = current_mA;
        s[i].scalar[SAMPLE_soc_permyriad] = 5400 - (int32_t)i / 10;
        s[i].scalar[SAMPLE_mode] = PACK_MODE_DRIVING;
        for (unsigned c = 0; c < cells; c++) {
            s[i].cell_mV[c] = (uint16_t)(3700 - current_mA / 2000 + (int32_t)(c * 7 % 11) + (int32_t)(any_u32(&r) % 2));
            s[i].scalar[SAMPLE_pack_voltage_mV] += s[i].cell_mV[c];
        }
        for (unsigned t = 0; t < temps; t++)
            s[i].temp_ddegC[t] = (int16_t)(250 + t);
    }
}

void any_samples(struct sample *s, size_t n, uint8_t cells, uint8_t temps, uint32_t seed)
{
    uint32_t r = seed;

    memset(s, 0, n * sizeof(*s));
    for (size_t i = 0; i < n; i++) {
        s[i].boot = seed;
        s[i].no = 1 + (uint32_t)i;
        s[i].cells = cells;
        s[i].temps = temps;
        s[i].utc_ms = i == 0 ? (uint64_t)any_u32(&r) << 31 : s[i - 1].utc_ms + (uint64_t)(int64_t)((int32_t)any_u32(&r) / 4);
        s[i].alarms = (uint8_t)(any_u32(&r) % (SAMPLE_ALARMS_MAX + 1));
        for (unsigned k = 0; k < SAMPLE_SCALARS; k++)
            s[i].scalar[k] = (int32_t)any_u32(&r);
        for (unsigned c = 0; c < cells; c++)
            s[i].cell_mV[c] = (uint16_t)any_u32(&r);
        for (unsigned t = 0; t < temps; t++)
            s[i].temp_ddegC[t] = (int16_t)(uint16_t)any_u32(&r);
        for (unsigned w = 0; w < (cells + 15u) / 16u; w++)
            s[i].balancing[w] = (uint16_t)any_u32(&r);
        for (unsigned a = 0; a < s[i].alarms; a++)
            s[i].alarm[a] = sample_alarm_unpack((uint64_t)any_u32(&r) << 16 | (any_u32(&r) & 0xFFFFu));
    }
}

struct record envelope_of(const struct sample *s, size_t n, const uint8_t *body, size_t body_len)
{
    return (struct record) { .device = "demo.bus-048",
                             .epoch = 0x0123456789ABCDEFu,
                             .seq = 1,
                             .boot = s[0].boot,
                             .first_no = s[0].no,
                             .count = (uint32_t)n,
                             .first_utc_ms = s[0].utc_ms,
                             .last_utc_ms = s[n - 1].utc_ms,
                             .cells = s[0].cells,
                             .temps = s[0].temps,
                             .body = body,
                             .body_len = body_len };
}
