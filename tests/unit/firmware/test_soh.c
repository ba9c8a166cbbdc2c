/* SPDX-License-Identifier: Apache-2.0 */
#include <math.h>
#include <stdint.h>

#include "firmware/core/estimation/soh.h"
#include "tests/unit/suite.h"

static struct soh s;
static uint32_t seed;

static float noise(void) /* about normal, sigma 1 */
{
    float sum = 0;

    for (int i = 0; i < 12; i++) {
        seed = seed * 1664525u + 1013904223u;
        sum += (float)(seed >> 8) / 16777216.0f;
    }
    return sum - 6.0f;
}

static bool window(float soh, float soc, float sigma, float count_sigma)
{
    return soh_take(&s, &(struct soh_window) { soc + sigma * noise(), sigma, soc * soh + count_sigma * noise(), count_sigma, 2.0f });
}

static void test_before_any_window_it_is_what_was_told(void)
{
    soh_init(&s, 0.9f, 0.03f);
    CU_ASSERT_DOUBLE_EQUAL(soh_value(&s), 0.9, 0.001);
    CU_ASSERT(soh_bound(&s) > 0.055f && soh_bound(&s) < 0.07f);
}

static void test_it_finds_the_capacity_and_holds_it_in_its_bound(void)
{
    int held = 0, all = 0;
    float bias = 0;

    for (int trial = 0; trial < 200; trial++) {
        float truth = 0.7f + 0.3f * (float)(trial % 10) / 10.0f;

        seed = (uint32_t)trial;
        soh_init(&s, 1.0f, 0.1f);
        for (int k = 0; k < 20; k++)
            window(truth, 0.3f + 0.6f * (float)(k % 3) / 2.0f, 0.02f, 0.01f);
        held += fabsf(soh_value(&s) - truth) <= soh_bound(&s);
        bias += soh_value(&s) - truth;
        all++;
    }
    CU_ASSERT(held >= all * 93 / 100);
    CU_ASSERT(fabsf(bias / (float)all) < 0.005f);
}

static void test_a_cell_that_fades_is_followed(void)
{
    seed = 3;
    soh_init(&s, 1.0f, 0.05f);
    for (int k = 0; k < 300; k++)
        window(1.0f - 0.001f * (float)k, 0.9f, 0.01f, 0.01f);
    CU_ASSERT_DOUBLE_EQUAL(soh_value(&s), 0.701, 0.02);
}

static void test_windows_that_tell_nothing_are_refused(void)
{
    soh_init(&s, 1.0f, 0.1f);
    float was = soh_value(&s);

    CU_ASSERT(!soh_take(&s, &(struct soh_window) { 0.249f, 0.01f, 0.249f, 0.01f, 0.0f }));
    CU_ASSERT(soh_take(&s, &(struct soh_window) { 0.25f, 0.01f, 0.25f, 0.01f, 0.0f }));
    CU_ASSERT(!soh_take(&s, &(struct soh_window) { 0.5f, 0.01f, 0.61f, 0.01f, 0.0f }));
    CU_ASSERT(!soh_take(&s, &(struct soh_window) { 0.5f, 0.01f, 0.14f, 0.01f, 0.0f }));
    CU_ASSERT(!soh_take(&s, &(struct soh_window) { NAN, 0.01f, 0.5f, 0.01f, 0.0f }));
    CU_ASSERT(!soh_take(&s, &(struct soh_window) { 0.5f, 0.01f, NAN, 0.01f, 0.0f }));
    CU_ASSERT(!soh_take(&s, &(struct soh_window) { 0.5f, 0.0f, 0.5f, 0.01f, 0.0f }));
    CU_ASSERT_DOUBLE_EQUAL(soh_value(&s), was, 0.001);
}

int main(void)
{
    CU_TestInfo tests[] = {
        { "before any window it is what was told [ES-2]", test_before_any_window_it_is_what_was_told },
        { "it finds the capacity, without bias, and holds it in its bound [ES-2]", test_it_finds_the_capacity_and_holds_it_in_its_bound },
        { "a cell that fades is followed [ES-2]", test_a_cell_that_fades_is_followed },
        { "windows that tell nothing are refused [ES-2]", test_windows_that_tell_nothing_are_refused },
        CU_TEST_INFO_NULL,
    };

    return suite_run("soh", tests);
}
