/* SPDX-License-Identifier: Apache-2.0 */
#include "server/store/caution.h"
#include "tests/unit/suite.h"

/* Careful batches after the one that was written again; ends where the next goes straight. */
static unsigned careful_ones(struct caution *c)
{
    unsigned n = 0;

    caution_met(c);
    CU_ASSERT(caution_is_careful(c));
    for (caution_passed(c); caution_is_careful(c); caution_passed(c))
        n++;
    return n;
}

static void pass_straight(struct caution *c, unsigned n)
{
    for (unsigned i = 0; i < n; i++) {
        CU_ASSERT(!caution_is_careful(c));
        caution_passed(c);
    }
}

static void test_it_begins_straight(void)
{
    struct caution c = { 0 };

    pass_straight(&c, 1000);
}

static void test_each_failure_doubles_what_follows_up_to_the_end(void)
{
    static const unsigned wanted[] = { 1, 2, 4, 8, 16, 32, 64, 64, 64 };
    struct caution c = { 0 };

    for (size_t i = 0; i < sizeof wanted / sizeof wanted[0]; i++) {
        CU_ASSERT_EQUAL(careful_ones(&c), wanted[i]);
        pass_straight(&c, CAUTION_MAX - 1); /* one short of forgetting */
    }
}

static void test_a_long_straight_way_forgets(void)
{
    struct caution c = { 0 };

    for (int i = 0; i < 5; i++)
        careful_ones(&c);
    pass_straight(&c, CAUTION_MAX);
    CU_ASSERT_EQUAL(careful_ones(&c), CAUTION_MIN);
}

static void test_careful_batches_do_not_count_as_a_straight_way(void)
{
    struct caution c = { 0 };

    for (int i = 0; i < 7; i++)
        careful_ones(&c);
    CU_ASSERT_EQUAL(careful_ones(&c), CAUTION_MAX);
    CU_ASSERT_EQUAL(careful_ones(&c), CAUTION_MAX);
}

int main(void)
{
    static CU_TestInfo tests[] = {
        { "it begins straight", test_it_begins_straight },
        { "each failure doubles what follows, up to the end", test_each_failure_doubles_what_follows_up_to_the_end },
        { "a long straight way forgets", test_a_long_straight_way_forgets },
        { "careful batches do not count as a straight way", test_careful_batches_do_not_count_as_a_straight_way },
        CU_TEST_INFO_NULL,
    };
    return suite_run("caution", tests);
}
