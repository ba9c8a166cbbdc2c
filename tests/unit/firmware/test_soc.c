/* SPDX-License-Identifier: Apache-2.0 */
#include "firmware/core/soc.h"

#include "common/err.h"
#include "proto/validity.h"
#include "tests/unit/suite.h"

static struct soc s;
static struct soc_in in;

static void start(enum chemistry chemistry, int32_t mean_mV)
{
    soc_init(&s, chemistry, 60000);
    in = (struct soc_in) { .dt_ms = 10, .current_mA = 0, .mean_mV = mean_mV, .complete = true, .rest_ms = 1800000, .rest_mA = 500 };
}

static void run(int64_t ms)
{
    for (int64_t t = 0; t < ms; t += in.dt_ms)
        soc_step(&s, &in);
}

static void test_not_known_before_the_first_measurement(void)
{
    start(CHEMISTRY_NMC, 3708);
    in.complete = false;
    run(1000);
    CU_ASSERT_EQUAL(scalar_validity(soc_permyriad(&s)), VALIDITY_NEVER);
    CU_ASSERT_EQUAL(scalar_validity(soc_left_mAh(&s)), VALIDITY_NEVER);
    CU_ASSERT_EQUAL(scalar_validity(soc_left_Wh(&s, 48)), VALIDITY_NEVER);
    in.complete = true;
    run(10);
    CU_ASSERT_EQUAL(soc_permyriad(&s), 5000);
    CU_ASSERT_EQUAL(soc_left_mAh(&s), 30000);
}

static void test_curve_goes_there_and_back(void)
{
    for (int c = 0; c < CHEMISTRIES; c++) {
        int32_t last = -1;

        for (int32_t p = 0; p <= 10000; p += 10) {
            int32_t mV = soc_ocv_mV((enum chemistry)c, p);
            int32_t back = soc_of_ocv((enum chemistry)c, mV);

            CU_ASSERT(mV >= last);
            CU_ASSERT(soc_ocv_mV((enum chemistry)c, back) - mV <= 1 && mV - soc_ocv_mV((enum chemistry)c, back) <= 1);
            last = mV;
        }
        CU_ASSERT_EQUAL(soc_of_ocv((enum chemistry)c, soc_ocv_mV((enum chemistry)c, 0) - 1), 0);
        CU_ASSERT_EQUAL(soc_of_ocv((enum chemistry)c, 5000), 10000);
    }
}

static void test_an_hour_at_6_amperes_is_10_percent(void)
{
    start(CHEMISTRY_NMC, 3708);
    run(10);
    in.current_mA = 6000;
    run(3600000);
    CU_ASSERT_EQUAL(soc_permyriad(&s), 4000);
    CU_ASSERT_EQUAL(soc_left_mAh(&s), 24000);
    in.current_mA = -6000;
    run(7200000);
    CU_ASSERT_EQUAL(soc_permyriad(&s), 6000);
}

static void test_counting_stops_at_the_ends(void)
{
    start(CHEMISTRY_NMC, 3330);
    run(10);
    in.current_mA = 300000;
    run(1200000);
    CU_ASSERT_EQUAL(soc_permyriad(&s), 0);
    in.current_mA = -300000;
    run(1200000);
    CU_ASSERT_EQUAL(soc_permyriad(&s), 10000);
}

static void test_current_that_is_not_valid_is_not_counted(void)
{
    start(CHEMISTRY_NMC, 3708);
    run(10);
    in.current_mA = scalar_invalid(VALIDITY_STALE);
    run(600000);
    CU_ASSERT_EQUAL(soc_permyriad(&s), 5000);
}

static void test_rest_sets_it_exactly_at_the_limit(void)
{
    start(CHEMISTRY_NMC, 3708);
    run(10);
    in.mean_mV = 3880; /* 70 % */
    in.current_mA = 501;
    run(3600000);
    CU_ASSERT(soc_permyriad(&s) < 5000);
    in.current_mA = 500;
    run(1799990);
    CU_ASSERT(soc_permyriad(&s) < 5000);
    run(10);
    CU_ASSERT_EQUAL(soc_permyriad(&s), 7000);
}

static void test_flat_middle_of_lfp_does_not_set_it(void)
{
    start(CHEMISTRY_LFP, 3330);
    run(10);
    CU_ASSERT_EQUAL(soc_permyriad(&s), 8000); /* there is nothing better at the start */
    in.mean_mV = 3291;
    run(4000000);
    CU_ASSERT_EQUAL(soc_permyriad(&s), 8000);
    in.mean_mV = 3190;
    run(1900000);
    CU_ASSERT_EQUAL(soc_permyriad(&s), 1000);
}

static void test_rest_at_the_end_of_the_curve(void)
{
    for (int c = 0; c < CHEMISTRIES; c++) {
        start((enum chemistry)c, soc_ocv_mV((enum chemistry)c, 5000));
        run(10);
        in.mean_mV = 5000;
        in.current_mA = -500; /* a charge this small is a rest, too */
        run(1800000);
        CU_ASSERT_EQUAL(soc_permyriad(&s), 10000);
    }
    start(CHEMISTRY_NMC, 3708);
    run(10);
    in.mean_mV = 5000;
    in.current_mA = -501;
    run(1800000);
    CU_ASSERT(soc_permyriad(&s) < 6000);
}

static void test_calibration_sets_it(void)
{
    start(CHEMISTRY_NMC, 3708);
    CU_ASSERT_EQUAL(soc_calibrated(&s), SOC_NOT_SET);
    CU_ASSERT_EQUAL(soc_set(&s, 10001), BMS_ERR_RANGE);
    CU_ASSERT_EQUAL(soc_set(&s, -1), BMS_ERR_RANGE);
    CU_ASSERT_EQUAL(soc_calibrated(&s), SOC_NOT_SET);
    for (int32_t permyriad = 0; permyriad <= 10000; permyriad += 5000) {
        CU_ASSERT_EQUAL(soc_set(&s, permyriad), BMS_ERR_OK);
        CU_ASSERT_EQUAL(soc_permyriad(&s), permyriad);
        CU_ASSERT_EQUAL(soc_calibrated(&s), permyriad);
    }
}

static void test_energy(void)
{
    start(CHEMISTRY_SCAP, 2700);
    run(10);
    CU_ASSERT_EQUAL(soc_left_Wh(&s, 10), 810); /* 60 Ah * 1.35 V mean * 10 */
    in.current_mA = 60000;
    run(1800000);
    CU_ASSERT(soc_left_Wh(&s, 10) >= 202 && soc_left_Wh(&s, 10) <= 203);
}

int main(void)
{
    CU_TestInfo tests[] = {
        { "calibration sets it, within 0 and 100 % [ES-5]", test_calibration_sets_it },
        { "not known before the first measurement, then from the curve [ES-1]", test_not_known_before_the_first_measurement },
        { "the curve of each chemistry goes there and back [PK-4]", test_curve_goes_there_and_back },
        { "an hour at 6 A is 10 % of 60 Ah [ES-1] [ES-4]", test_an_hour_at_6_amperes_is_10_percent },
        { "counting stops at the ends", test_counting_stops_at_the_ends },
        { "current that is not valid is not counted", test_current_that_is_not_valid_is_not_counted },
        { "a rest sets it exactly at ocv_rest_ms and ocv_rest_current_mA", test_rest_sets_it_exactly_at_the_limit },
        { "the flat middle of LFP does not set it", test_flat_middle_of_lfp_does_not_set_it },
        { "a rest above the curve is full, also with the smallest charge", test_rest_at_the_end_of_the_curve },
        { "energy is what lies under the curve [ES-4]", test_energy },
        CU_TEST_INFO_NULL,
    };

    return suite_run("soc", tests);
}
