/* SPDX-License-Identifier: Apache-2.0 */
#include "firmware/core/talk/sampler.h"
#include "tests/unit/suite.h"

static struct sample ring[5];
static struct sampler s;

static void test_schedule_keeps_its_distance(void)
{
    unsigned due = 0;

    sampler_init(&s, ring, 5);
    for (int t = 0; t < 10000; t += 10)
        due += sampler_due(&s, 10, 1000);
    CU_ASSERT_EQUAL(due, 10);
    CU_ASSERT_FALSE(sampler_due(&s, 999, 1000));
    CU_ASSERT(sampler_due(&s, 1, 1000));
    CU_ASSERT(sampler_due(&s, 1700, 1000)); /* late by 700 ms: the next one is on time again */
    CU_ASSERT_FALSE(sampler_due(&s, 299, 1000));
    CU_ASSERT(sampler_due(&s, 1, 1000));
}

static void test_missed_ticks_are_not_made_up(void)
{
    sampler_init(&s, ring, 5);
    CU_ASSERT(sampler_due(&s, 7300, 1000));
    CU_ASSERT_FALSE(sampler_due(&s, 10, 1000));
}

static void test_period_0_is_never(void)
{
    sampler_init(&s, ring, 5);
    for (int t = 0; t < 100; t++)
        CU_ASSERT_FALSE(sampler_due(&s, 1000, 0));
    CU_ASSERT_FALSE(sampler_due(&s, 10, 1000));
}

static void test_ring_keeps_the_latest(void)
{
    sampler_init(&s, ring, 5);
    CU_ASSERT_EQUAL(sampler_oldest(&s), 1);
    CU_ASSERT_PTR_NULL(sampler_get(&s, 1));
    CU_ASSERT_PTR_NULL(sampler_get(&s, 0));
    for (uint32_t no = 1; no <= 23; no++) {
        CU_ASSERT_EQUAL(sampler_add(&s)->no, no);
        uint32_t oldest = no <= 5 ? 1 : no - 4;

        CU_ASSERT_EQUAL(sampler_oldest(&s), oldest);
        CU_ASSERT_PTR_NULL(sampler_get(&s, oldest - 1));
        CU_ASSERT_PTR_NULL(sampler_get(&s, no + 1));
        for (uint32_t k = oldest; k <= no; k++)
            CU_ASSERT_EQUAL(sampler_get(&s, k)->no, k);
    }
}

int main(void)
{
    CU_TestInfo tests[] = {
        { "the schedule keeps its distance", test_schedule_keeps_its_distance },
        { "missed ticks are not made up", test_missed_ticks_are_not_made_up },
        { "period 0 is never", test_period_0_is_never },
        { "the ring keeps the latest and knows what it holds", test_ring_keeps_the_latest },
        CU_TEST_INFO_NULL,
    };

    return suite_run("sampler", tests);
}
