/* SPDX-License-Identifier: Apache-2.0 */
#include "common/err.h"
#include "server/ingest/letters.h"
#include "tests/unit/suite.h"

#include <pthread.h>
#include <stdio.h>
#include <string.h>

static void test_letters_come_in_order_and_the_first_wakes(void)
{
    struct letters *l = letters_create(1000);
    struct letter one;

    CU_ASSERT_EQUAL(letters_put(l, "a", (const uint8_t *)"x", 1), 1);
    CU_ASSERT_EQUAL(letters_put(l, "bb", NULL, 0), 0);
    CU_ASSERT_TRUE_FATAL(letters_first(l, &one));
    CU_ASSERT(strcmp(one.topic, "a") == 0 && one.size == 1 && one.bytes[0] == 'x');
    CU_ASSERT_EQUAL(letters_put(l, "c", NULL, 0), 1); /* the blocks have changed places */
    CU_ASSERT_TRUE(letters_first(l, &one) && one.topic[0] == 'a');
    letters_done(l);
    CU_ASSERT_TRUE(letters_first(l, &one) && strcmp(one.topic, "bb") == 0 && one.size == 0);
    letters_done(l);
    CU_ASSERT_TRUE(letters_first(l, &one) && one.topic[0] == 'c');
    letters_done(l);
    CU_ASSERT_FALSE(letters_first(l, &one));
    letters_destroy(l);
}

static void test_the_bound_holds_exactly(void)
{
    static const uint8_t bytes[100];
    size_t head = 2 * sizeof(size_t);
    struct letters *l = letters_create(head + 2 + 50);
    struct letter one;

    CU_ASSERT_EQUAL(letters_put(l, "t", bytes, 51), BMS_ERR_NOSPACE);
    CU_ASSERT_EQUAL(letters_put(l, "t", bytes, 50), 1);
    CU_ASSERT_EQUAL(letters_put(l, "", NULL, 0), BMS_ERR_NOSPACE);
    CU_ASSERT_TRUE(letters_first(l, &one));
    CU_ASSERT_EQUAL(letters_put(l, "t", bytes, 50), 1);
    letters_destroy(l);
}

static void test_clear_drops_all(void)
{
    struct letters *l = letters_create(1000);
    struct letter one;

    letters_put(l, "a", NULL, 0);
    letters_first(l, &one);
    letters_put(l, "b", NULL, 0);
    letters_clear(l);
    CU_ASSERT_FALSE(letters_first(l, &one));
    CU_ASSERT_EQUAL(letters_put(l, "c", NULL, 0), 1);
    CU_ASSERT_TRUE(letters_first(l, &one) && one.topic[0] == 'c');
    letters_destroy(l);
}

enum { MANY = 20000 };

static void *writer(void *ctx)
{
    for (uint32_t i = 0; i < MANY;)
        i += letters_put(ctx, "t", (const uint8_t *)&i, sizeof i) >= 0;
    return NULL;
}

static void test_nothing_is_lost_between_two_threads(void)
{
    struct letters *l = letters_create(5000);
    struct letter one;
    pthread_t thread;
    uint32_t wanted = 0, got = 0;

    CU_ASSERT_EQUAL_FATAL(pthread_create(&thread, NULL, writer, l), 0);
    while (wanted < MANY) {
        if (!letters_first(l, &one))
            continue;
        memcpy(&got, one.bytes, sizeof got);
        CU_ASSERT_EQUAL_FATAL(got, wanted);
        letters_done(l);
        wanted++;
    }
    pthread_join(thread, NULL);
    letters_destroy(l);
}

int main(void)
{
    static CU_TestInfo tests[] = {
        { "letters come in order, and the first one wakes", test_letters_come_in_order_and_the_first_wakes },
        { "the bound holds exactly", test_the_bound_holds_exactly },
        { "clear drops all", test_clear_drops_all },
        { "nothing is lost between two threads", test_nothing_is_lost_between_two_threads },
        CU_TEST_INFO_NULL,
    };
    return suite_run("letters", tests);
}
