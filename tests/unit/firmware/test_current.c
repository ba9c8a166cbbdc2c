/* SPDX-License-Identifier: Apache-2.0 */
#include "firmware/core/measure/current.h"
#include "firmware/core/store/params.h"
#include "proto/can0.h"
#include "proto/validity.h"
#include "tests/unit/suite.h"

static struct current c;
static int32_t params[PARAMS];

static void frame(int32_t mA, int32_t status, uint8_t counter)
{
    struct can_frame f = can0_begin(CAN0_CSU_Current, CAN0_ADDR_CSU);

    can0_put(&f, CAN0_SIG_csu_current_mA, mA);
    can0_put(&f, CAN0_SIG_csu_status, status);
    can0_finish(&f, counter);
    current_frame(&c, &f, params);
}

static void test_sign_and_range(void)
{
    current_init(&c);
    CU_ASSERT_EQUAL(scalar_validity(c.mA), VALIDITY_NEVER);
    frame(150000, 0, 1);
    CU_ASSERT_EQUAL(c.mA, 150000);
    frame(-500000, 0, 2);
    CU_ASSERT_EQUAL(c.mA, -500000);
    frame(600000, 0, 3);
    CU_ASSERT_EQUAL(c.mA, 600000);
    frame(600001, 0, 4);
    CU_ASSERT_EQUAL(scalar_validity(c.mA), VALIDITY_IMPLAUSIBLE);
}

static void test_stale_exactly_at_the_limit(void)
{
    current_init(&c);
    frame(1000, 0, 1);
    current_age(&c, 199, 200);
    CU_ASSERT_EQUAL(c.mA, 1000);
    current_age(&c, 1, 200);
    CU_ASSERT_EQUAL(scalar_validity(c.mA), VALIDITY_STALE);
    CU_ASSERT_EQUAL(c.age_ms, 200);
    frame(1000, 0, 2);
    CU_ASSERT_EQUAL(c.age_ms, 0);
}

static void test_stuck_counter_is_silence(void)
{
    current_init(&c);
    for (int i = 0; i < 20; i++) {
        current_age(&c, 10, 200);
        frame(1000, 0, 9);
    }
    CU_ASSERT_EQUAL(c.stuck, 19);
    CU_ASSERT_EQUAL(c.age_ms, 190);
    current_age(&c, 10, 200);
    CU_ASSERT_EQUAL(scalar_validity(c.mA), VALIDITY_STALE);
    frame(1000, 0, 10);
    CU_ASSERT_EQUAL(c.mA, 1000);
}

static void test_counter_wraps(void)
{
    current_init(&c);
    for (unsigned i = 0; i < 600; i++)
        frame(1000, 0, (uint8_t)i);
    CU_ASSERT_EQUAL(c.stuck, 0);
}

static void test_sensor_fault_is_no_value(void)
{
    current_init(&c);
    frame(1000, 0, 1);
    current_age(&c, 10, 200);
    frame(1000, 1, 2);
    CU_ASSERT_EQUAL(scalar_validity(c.mA), VALIDITY_IMPLAUSIBLE);
    CU_ASSERT_EQUAL(c.age_ms, 10);
    CU_ASSERT_EQUAL(c.faulted, 1);
    frame(scalar_invalid(VALIDITY_OPEN), 0, 3);
    CU_ASSERT_EQUAL(c.faulted, 2);
}

static struct sense analog(enum current_source source)
{
    struct sense s;

    sense_absent(&s);
    params_defaults(CHEMISTRY_NMC, params);
    params[PARAM_current_source] = (int32_t)source;
    current_init(&c);
    return s;
}

static int32_t of_hall(int32_t uV)
{
    struct sense s = analog(CURRENT_HALL);

    s.hall_uV = uV;
    current_analog(&c, &s, params);
    return c.mA;
}

static int32_t of_shunt(int32_t uV)
{
    struct sense s = analog(CURRENT_SHUNT);

    s.shunt_uV = uV;
    current_analog(&c, &s, params);
    return c.mA;
}

static void test_hall_sensor(void)
{
    CU_ASSERT_EQUAL(of_hall(2500000), 0);
    CU_ASSERT_EQUAL(of_hall(4500000), 500000);
    CU_ASSERT_EQUAL(of_hall(500000), -500000);
    CU_ASSERT_EQUAL(of_hall(2500003), 1); /* 0.75 mA, rounded */
    CU_ASSERT_EQUAL(of_hall(2499997), -1);
    CU_ASSERT_EQUAL(of_hall(4750000), 562500);
    CU_ASSERT_EQUAL(of_hall(250000), -562500);
    CU_ASSERT_EQUAL(scalar_validity(of_hall(4750001)), VALIDITY_OPEN);
    CU_ASSERT_EQUAL(scalar_validity(of_hall(249999)), VALIDITY_OPEN);
    CU_ASSERT_EQUAL(c.faulted, 1);
    CU_ASSERT_EQUAL(scalar_validity(of_hall(scalar_invalid(VALIDITY_NOT_FITTED))), VALIDITY_NOT_FITTED);
}

static void test_shunt(void)
{
    CU_ASSERT_EQUAL(of_shunt(50000), 500000);
    CU_ASSERT_EQUAL(of_shunt(-50000), -500000);
    CU_ASSERT_EQUAL(of_shunt(1), 10);
    CU_ASSERT_EQUAL(of_shunt(60000), 600000);
    CU_ASSERT_EQUAL(scalar_validity(of_shunt(60001)), VALIDITY_IMPLAUSIBLE);
    CU_ASSERT_EQUAL(scalar_validity(of_shunt(scalar_invalid(VALIDITY_STALE))), VALIDITY_STALE);
}

static void test_one_source_at_a_time(void)
{
    struct sense s = analog(CURRENT_SHUNT);

    s.shunt_uV = 1000;
    frame(77000, 0, 1);
    CU_ASSERT_EQUAL(scalar_validity(c.mA), VALIDITY_NEVER);
    current_analog(&c, &s, params);
    CU_ASSERT_EQUAL(c.mA, 10000);
    params[PARAM_current_source] = CURRENT_CSU;
    s.shunt_uV = 2000;
    current_analog(&c, &s, params);
    CU_ASSERT_EQUAL(c.mA, 10000);
    frame(77000, 0, 2);
    CU_ASSERT_EQUAL(c.mA, 77000);
}

static void test_calibration(void)
{
    struct sense s = analog(CURRENT_SHUNT);

    params[PARAM_current_gain_ppm] = 1000;
    params[PARAM_current_offset_mA] = -20;
    params[PARAM_current_gain_ppm_per_K] = 50;
    params[PARAM_current_offset_uA_per_K] = 10000;
    s.shunt_uV = 10000; /* 100 A */
    current_analog(&c, &s, params);
    CU_ASSERT_EQUAL(c.mA, 100000 + 100 - 20); /* its temperature is not known */
    s.sensor_ddegC = 650;
    current_analog(&c, &s, params);
    CU_ASSERT_EQUAL(c.mA, 100000 + 100 + 200 - 20 + 400);
    s.sensor_ddegC = -150;
    current_analog(&c, &s, params);
    CU_ASSERT_EQUAL(c.mA, 100000 + 100 - 200 - 20 - 400);
    params[PARAM_current_source] = CURRENT_CSU;
    frame(-100000, 0, 1);
    CU_ASSERT_EQUAL(c.mA, -100000 - 100 - 20); /* it knows its own temperature */
}

static void test_a_dead_analog_sensor_grows_old(void)
{
    struct sense s = analog(CURRENT_HALL);

    s.hall_uV = 2600000;
    current_analog(&c, &s, params);
    s.hall_uV = 0;
    current_age(&c, 10, 200);
    current_analog(&c, &s, params);
    CU_ASSERT_EQUAL(scalar_validity(c.mA), VALIDITY_OPEN);
    CU_ASSERT_EQUAL(c.age_ms, 10);
}

static void test_age_never_wraps(void)
{
    current_init(&c);
    frame(1000, 0, 1);
    for (int i = 0; i < 9; i++)
        current_age(&c, 0xFFFFFFF0u, 200);
    CU_ASSERT_EQUAL(c.age_ms, CURRENT_AGE_MAX);
}

static void test_range_of_charging(void)
{
    params_defaults(CHEMISTRY_NMC, params);
    current_init(&c);
    frame(-600000, 0, 1);
    CU_ASSERT_EQUAL(c.mA, -600000);
    frame(-600001, 0, 2);
    CU_ASSERT_EQUAL(scalar_validity(c.mA), VALIDITY_IMPLAUSIBLE);
    CU_ASSERT_EQUAL(c.faulted, 1);
}

static void test_calibration_does_not_lead_out_of_the_range(void)
{
    params_defaults(CHEMISTRY_NMC, params);
    current_init(&c);
    params[PARAM_current_offset_mA] = -1;
    frame(-599999, 0, 1);
    CU_ASSERT_EQUAL(c.mA, -600000);
    frame(-600000, 0, 2);
    CU_ASSERT_EQUAL(scalar_validity(c.mA), VALIDITY_IMPLAUSIBLE);
    params[PARAM_current_offset_mA] = 1;
    CU_ASSERT_EQUAL(c.faulted, 1);
    frame(599999, 0, 3);
    CU_ASSERT_EQUAL(c.mA, 600000);
    frame(600000, 0, 4);
    CU_ASSERT_EQUAL(scalar_validity(c.mA), VALIDITY_IMPLAUSIBLE);
    params[PARAM_current_offset_mA] = 0;
}

/* Of a shunt that gives 0.1 A for each uV, in the calibration that the caller has set. */
static int32_t calibrated(int32_t shunt_uV, int32_t sensor_ddegC)
{
    struct sense s;

    sense_absent(&s);
    s.shunt_uV = shunt_uV;
    s.sensor_ddegC = sensor_ddegC;
    params[PARAM_shunt_uohm] = 10;
    current_analog(&c, &s, params);
    return c.mA;
}

/* Half a step counts as one, upwards and downwards, and a little less than half counts as none. */
static void test_calibration_is_rounded_to_the_nearest(void)
{
    (void)analog(CURRENT_SHUNT);
    params[PARAM_current_gain_ppm] = 1000;
    CU_ASSERT_EQUAL(calibrated(1005, 250), 100500 + 101); /* 100.5 */
    CU_ASSERT_EQUAL(calibrated(-1005, 250), -100500 - 101);
    CU_ASSERT_EQUAL(calibrated(1004, 250), 100400 + 100); /* 100.4 */
    params[PARAM_current_gain_ppm] = 0;
    params[PARAM_current_offset_uA_per_K] = 10;
    CU_ASSERT_EQUAL(calibrated(0, 250 + 500), 1); /* 500 uA */
    CU_ASSERT_EQUAL(calibrated(0, 250 + 499), 0);
    CU_ASSERT_EQUAL(calibrated(0, 250 - 500), -1);
    CU_ASSERT_EQUAL(calibrated(0, 250 - 499), 0);
    params[PARAM_current_offset_uA_per_K] = 0;
    params[PARAM_current_gain_ppm_per_K] = 1; /* 0.5 K make 0.5 ppm, that is one */
    CU_ASSERT_EQUAL(calibrated(5000, 255), 500000 + 1);
    CU_ASSERT_EQUAL(calibrated(5000, 254), 500000);
}

static void test_a_hall_sensor_is_rounded_to_the_nearest(void)
{
    CU_ASSERT_EQUAL(of_hall(2500002), 1); /* 0.5 mA */
    CU_ASSERT_EQUAL(of_hall(2500001), 0);
    CU_ASSERT_EQUAL(of_hall(2499998), -1);
    CU_ASSERT_EQUAL(of_hall(2499999), 0);
    CU_ASSERT_EQUAL(of_hall(4000000), 375000);
}

static void test_what_never_came_is_never_not_stale(void)
{
    current_init(&c);
    current_age(&c, 60000, 200);
    CU_ASSERT_EQUAL(scalar_validity(c.mA), VALIDITY_NEVER);
    CU_ASSERT_EQUAL(c.age_ms, 60000);
}

int main(void)
{
    CU_TestInfo tests[] = {
        { "discharge is positive and the range is exact [ME-5]", test_sign_and_range },
        { "stale exactly at value_stale_ms [ME-5]", test_stale_exactly_at_the_limit },
        { "a stuck counter is silence", test_stuck_counter_is_silence },
        { "the counter may wrap", test_counter_wraps },
        { "a sensor that reports a fault gives no value", test_sensor_fault_is_no_value },
        { "a Hall sensor, from end to end, and beyond [ME-5]", test_hall_sensor },
        { "a shunt, from end to end, and beyond [ME-5]", test_shunt },
        { "one sensor is the source, the others are not looked at [ME-5]", test_one_source_at_a_time },
        { "calibration: gain and offset, and both over temperature [ME-5]", test_calibration },
        { "an analog sensor that is dead grows old [ME-5]", test_a_dead_analog_sensor_grows_old },
        { "the age never wraps", test_age_never_wraps },
        { "the range ends at -600 A as well [ME-5]", test_range_of_charging },
        { "calibration does not lead out of the range [ME-5]", test_calibration_does_not_lead_out_of_the_range },
        { "calibration is rounded to the nearest, at 25 degC and beside it [ME-5]", test_calibration_is_rounded_to_the_nearest },
        { "a Hall sensor is rounded to the nearest [ME-5]", test_a_hall_sensor_is_rounded_to_the_nearest },
        { "what never came is never, not stale [ME-5]", test_what_never_came_is_never_not_stale },
        CU_TEST_INFO_NULL,
    };

    return suite_run("current", tests);
}
