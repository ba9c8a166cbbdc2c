/* SPDX-License-Identifier: Apache-2.0 */
#include "firmware/core/current.h"
#include "proto/can0.h"
#include "proto/validity.h"
#include "tests/unit/suite.h"

static struct current c;

static void frame(int32_t mA, int32_t status, uint8_t counter)
{
    struct can_frame f = can0_begin(CAN0_CSU_Current, CAN0_ADDR_CSU);

    can0_put(&f, CAN0_SIG_csu_current_mA, mA);
    can0_put(&f, CAN0_SIG_csu_status, status);
    can0_finish(&f, counter);
    current_frame(&c, &f);
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

static void test_age_never_wraps(void)
{
    current_init(&c);
    frame(1000, 0, 1);
    for (int i = 0; i < 9; i++)
        current_age(&c, 0xFFFFFFF0u, 200);
    CU_ASSERT_EQUAL(c.age_ms, CURRENT_AGE_MAX);
}

int main(void)
{
    CU_TestInfo tests[] = {
        { "discharge is positive and the range is exact [ME-5]", test_sign_and_range },
        { "stale exactly at value_stale_ms [ME-5]", test_stale_exactly_at_the_limit },
        { "a stuck counter is silence", test_stuck_counter_is_silence },
        { "the counter may wrap", test_counter_wraps },
        { "a sensor that reports a fault gives no value", test_sensor_fault_is_no_value },
        { "the age never wraps", test_age_never_wraps },
        CU_TEST_INFO_NULL,
    };

    return suite_run("current", tests);
}
