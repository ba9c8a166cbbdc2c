/* SPDX-License-Identifier: Apache-2.0 */
#include "firmware/core/measure/ntc.h"

#include "proto/afe.h"
#include "proto/validity.h"

enum { MIN_ddegC = -400, MAX_ddegC = 1250, OPEN_BELOW_ddegC = -500, SHORT_ABOVE_ddegC = 1500, RAW_FULL = 65536 };

/* clang-format off */
static const uint32_t log2_q16[65] = { /* 65536 * log2(1 + i / 64) */
        0,  1466,  2909,  4331,  5732,  7112,  8473,  9814, 11136, 12440, 13727, 14996, 16248,
    17484, 18704, 19909, 21098, 22272, 23433, 24579, 25711, 26830, 27936, 29029, 30109, 31178,
    32234, 33279, 34312, 35334, 36346, 37346, 38336, 39316, 40286, 41246, 42196, 43137, 44068,
    44990, 45904, 46809, 47705, 48593, 49472, 50344, 51207, 52063, 52911, 53751, 54584, 55410,
    56229, 57040, 57845, 58643, 59434, 60219, 60997, 61769, 62534, 63294, 64047, 64794, 65536,
};
/* clang-format on */

/* log2(x) * 65536 for x >= 1; straight lines between the 64 points are wrong by 3e-5 at most. */
static int32_t log2_of(uint32_t x)
{
    int32_t whole = 0;

    while (whole < 31 && x >> (whole + 1))
        whole++;
    uint32_t part = (uint32_t)(((uint64_t)x << 32 >> whole) & 0xFFFFFFFFu); /* fraction of the power of two below x */
    uint32_t i = part >> 26, step = part >> 10 & 0xFFFFu;
    uint32_t log = log2_q16[i] + ((log2_q16[i + 1] - log2_q16[i]) * step >> 16);

    return whole * 65536 + (int32_t)log;
}

/* log_ratio: log2(R / R25), 16 fraction bits. */
static int16_t of_ratio(int32_t log_ratio, int32_t beta_K)
{
    /* T = T25 * beta / (beta + T25 * ln R/R25); T25 * ln 2 = 206.662 K */
    int64_t scaled_beta = (int64_t)beta_K * 65536 * 1000;
    int64_t divisor = scaled_beta + 206662 * (int64_t)log_ratio;

    if (divisor <= scaled_beta / 2) /* above 323 degC */
        return temp_invalid(VALIDITY_IMPLAUSIBLE);
    int64_t mK = 298150 * (scaled_beta / 1000) / (divisor / 1000);
    int64_t ddegC = (mK - 273150 + (mK >= 273150 ? 50 : -50)) / 100;

    if (ddegC < OPEN_BELOW_ddegC)
        return temp_invalid(VALIDITY_OPEN);
    if (ddegC > SHORT_ABOVE_ddegC)
        return temp_invalid(VALIDITY_IMPLAUSIBLE);
    if (ddegC < MIN_ddegC)
        return MIN_ddegC;
    return ddegC > MAX_ddegC ? MAX_ddegC : (int16_t)ddegC;
}

int16_t ntc_ddegC(uint16_t raw, int32_t r25_ohm, int32_t beta_K)
{
    if (raw == 0)
        return temp_invalid(VALIDITY_IMPLAUSIBLE);
    return of_ratio(log2_of(raw) - log2_of((uint32_t)(RAW_FULL - raw)) + log2_of(AFE_NTC_PULLUP_OHM) - log2_of((uint32_t)r25_ohm), beta_K);
}

int32_t ntc_of_ohm(int32_t ohm, int32_t r25_ohm, int32_t beta_K)
{
    if (scalar_validity(ohm) != VALIDITY_OK)
        return ohm;
    if (ohm <= 0)
        return scalar_invalid(VALIDITY_IMPLAUSIBLE);
    int16_t ddegC = of_ratio(log2_of((uint32_t)ohm) - log2_of((uint32_t)r25_ohm), beta_K);
    enum validity why = temp_validity(ddegC);

    return why == VALIDITY_OK ? ddegC : scalar_invalid(why);
}
