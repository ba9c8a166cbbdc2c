/* SPDX-License-Identifier: Apache-2.0 */
#include <math.h>
#include <stdio.h>

#include "firmware/core/measure/ntc.h"
#include "proto/afe.h"
#include "proto/validity.h"
#include "tests/unit/suite.h"

static double ratio_at(double degC, double r25, double beta)
{
    double r = r25 * exp(beta * (1.0 / (degC + 273.15) - 1.0 / 298.15));

    return r / (r + AFE_NTC_PULLUP_OHM);
}

static uint16_t raw_at(double degC, double r25, double beta)
{
    return (uint16_t)lround(65536.0 * ratio_at(degC, r25, beta));
}

/* Half an LSB of the converter, in degC, at this point. */
static double half_lsb(double degC, double r25, double beta)
{
    return 0.5 / 65536.0 / fabs((ratio_at(degC + 0.01, r25, beta) - ratio_at(degC - 0.01, r25, beta)) / 0.02);
}

static void sweep(int32_t r25, int32_t beta, double *worst)
{
    for (double t = -40.0; t <= 125.0; t += 0.05) {
        int16_t got = ntc_ddegC(raw_at(t, r25, beta), r25, beta);
        double error = fabs(got / 10.0 - t) - half_lsb(t, r25, beta);

        if (temp_validity(got) != VALIDITY_OK || error > *worst)
            *worst = temp_validity(got) != VALIDITY_OK ? 1000.0 : error;
    }
}

static void test_error_over_the_range(void)
{
    double worst = 0;

    sweep(100000, 4250, &worst);
    CU_ASSERT(worst <= 0.1);
    printf("(%.3f degC) ", worst);
    worst = 0;
    for (int32_t beta = 3000; beta <= 5000; beta += 500)
        sweep(100000, beta, &worst);
    CU_ASSERT(worst <= 0.2);
}

static void test_25_degrees(void)
{
    CU_ASSERT_EQUAL(ntc_ddegC(0x8000, 100000, 4250), 250);
    CU_ASSERT_EQUAL(ntc_ddegC(0x8000, 100000, 2000), 250);
}

static void test_open_and_short(void)
{
    CU_ASSERT_EQUAL(ntc_ddegC(0xFFFF, 100000, 4250), temp_invalid(VALIDITY_OPEN));
    CU_ASSERT_EQUAL(ntc_ddegC(0, 100000, 4250), temp_invalid(VALIDITY_IMPLAUSIBLE));
    CU_ASSERT_EQUAL(ntc_ddegC(1, 100000, 4250), temp_invalid(VALIDITY_IMPLAUSIBLE));
    CU_ASSERT_EQUAL(ntc_ddegC(raw_at(-51, 100000, 4250), 100000, 4250), temp_invalid(VALIDITY_OPEN));
    CU_ASSERT_EQUAL(ntc_ddegC(raw_at(-49, 100000, 4250), 100000, 4250), -400);
    CU_ASSERT_EQUAL(ntc_ddegC(raw_at(149, 100000, 4250), 100000, 4250), 1250);
    CU_ASSERT_EQUAL(ntc_ddegC(raw_at(151, 100000, 4250), 100000, 4250), temp_invalid(VALIDITY_IMPLAUSIBLE));
}

static void test_monotonic_for_every_reading_and_any_row(void)
{
    static const int32_t r25[] = { 1000, 100000, 1000000 }, beta[] = { 2000, 4250, 6000 };

    for (int i = 0; i < 3; i++)
        for (int k = 0; k < 3; k++) {
            int last = 1250;
            bool falls = true;

            for (unsigned raw = 0; raw <= 0xFFFF; raw++) {
                int16_t t = ntc_ddegC((uint16_t)raw, r25[i], beta[k]);

                if (temp_validity(t) != VALIDITY_OK)
                    continue;
                falls = falls && t <= last && t >= -400;
                last = t;
            }
            CU_ASSERT(falls);
        }
}

int main(void)
{
    CU_TestInfo tests[] = {
        { "25 degC is where the NTC equals the pull-up", test_25_degrees },
        { "error <= 0.1 degC from -40 to 125 degC, <= 0.2 for other NTCs [ME-2]", test_error_over_the_range },
        { "an open and a shorted probe are no temperature [ME-12]", test_open_and_short },
        { "hotter is never read colder, for every reading and any NTC", test_monotonic_for_every_reading_and_any_row },
        CU_TEST_INFO_NULL,
    };

    return suite_run("ntc", tests);
}
