/* SPDX-License-Identifier: Apache-2.0 */
#include "server/store/repeaters.h"
#include "tests/unit/suite.h"

#include <stdio.h>

static void test_nobody_repeats_to_begin_with(void)
{
    static struct repeaters r;

    CU_ASSERT_FALSE(repeaters_has(&r, "a.1", 1));
    CU_ASSERT_FALSE(repeaters_has(&r, "", 1));
}

static void test_one_is_known_until_its_time_is_over_and_its_neighbour_never(void)
{
    static struct repeaters r;

    repeaters_add(&r, "a.1", 1000);
    CU_ASSERT(repeaters_has(&r, "a.1", 1000));
    CU_ASSERT(repeaters_has(&r, "a.1", 1000 + REPEATERS_KEEP_MS - 1));
    CU_ASSERT_FALSE(repeaters_has(&r, "a.1", 1000 + REPEATERS_KEEP_MS));
    CU_ASSERT_FALSE(repeaters_has(&r, "a.11", 1000));
    CU_ASSERT_FALSE(repeaters_has(&r, "a", 1000));
}

static void test_each_ends_in_its_own_time(void)
{
    static struct repeaters r;

    repeaters_add(&r, "a.1", 1000);
    repeaters_add(&r, "a.2", 2000);
    repeaters_add(&r, "a.1", 3000);
    CU_ASSERT_FALSE(repeaters_has(&r, "a.2", 2000 + REPEATERS_KEEP_MS));
    CU_ASSERT(repeaters_has(&r, "a.1", 2000 + REPEATERS_KEEP_MS));
}

/* In a fleet that all repeats itself the newest are known, and most of as many as there are places. */
static void test_more_than_there_are_places_for_push_out_the_oldest(void)
{
    static struct repeaters r;
    char name[32];
    int known = 0;

    for (int i = 0; i < 10 * REPEATERS; i++) {
        snprintf(name, sizeof name, "a.unit-%d", i);
        repeaters_add(&r, name, 1 + i);
        CU_ASSERT(repeaters_has(&r, name, 1 + i));
    }
    for (int i = 10 * REPEATERS - REPEATERS; i < 10 * REPEATERS; i++) {
        snprintf(name, sizeof name, "a.unit-%d", i);
        known += repeaters_has(&r, name, 10 * REPEATERS);
    }
    CU_ASSERT(known > REPEATERS * 3 / 4);
    CU_ASSERT_FALSE(repeaters_has(&r, "a.unit-0", 10 * REPEATERS));
}

int main(void)
{
    static CU_TestInfo tests[] = {
        { "nobody repeats to begin with", test_nobody_repeats_to_begin_with },
        { "one is known until its time is over, and its neighbour never",
          test_one_is_known_until_its_time_is_over_and_its_neighbour_never },
        { "each ends in its own time", test_each_ends_in_its_own_time },
        { "more than there are places for push out the oldest", test_more_than_there_are_places_for_push_out_the_oldest },
        CU_TEST_INFO_NULL,
    };
    return suite_run("repeaters", tests);
}
