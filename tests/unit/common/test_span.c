/* SPDX-License-Identifier: Apache-2.0 */
#include "common/span.h"
#include "tests/unit/suite.h"

static void test_spans_add_up_and_stop(void)
{
    CU_ASSERT_EQUAL(span_add(0, 10), 10);
    CU_ASSERT_EQUAL(span_add(7, 0), 7);
    CU_ASSERT_EQUAL(span_add(UINT32_MAX - 10, 9), UINT32_MAX - 1);
    CU_ASSERT_EQUAL(span_add(UINT32_MAX - 10, 10), UINT32_MAX);
    CU_ASSERT_EQUAL(span_add(UINT32_MAX - 10, 11), UINT32_MAX); /* would be 0 */
    CU_ASSERT_EQUAL(span_add(UINT32_MAX, UINT32_MAX), UINT32_MAX);
    CU_ASSERT_EQUAL(span_to(900, 99, 1000), 999);
    CU_ASSERT_EQUAL(span_to(900, 100, 1000), 1000);
    CU_ASSERT_EQUAL(span_to(900, 101, 1000), 1000);
    CU_ASSERT_EQUAL(span_to(1000, 0, 1000), 1000);
}

int main(void)
{
    CU_TestInfo tests[] = { { "spans add up and stop at the end of their range", test_spans_add_up_and_stop }, CU_TEST_INFO_NULL };

    return suite_run("span", tests);
}
