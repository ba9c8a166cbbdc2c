/* SPDX-License-Identifier: Apache-2.0 */
#include "common/err.h"
#include "server/ingest/ring.h"
#include "tests/unit/suite.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

static int push(struct ring *r, uint8_t value, size_t size, int wait_ms)
{
    uint8_t bytes[64];

    memset(bytes, value, sizeof bytes);
    return ring_push(r, "t", 1, bytes, size, 5, wait_ms);
}

static void test_messages_come_out_in_order_and_whole(void)
{
    struct ring *r = ring_create(8, 1000);
    struct ring_message *out[8];

    for (uint8_t i = 1; i <= 3; i++)
        CU_ASSERT_EQUAL(push(r, i, i, 0), 0);
    CU_ASSERT_EQUAL_FATAL(ring_pop(r, out, 2, 1, 0), 2);
    CU_ASSERT_EQUAL(out[0]->size, 1);
    CU_ASSERT_EQUAL(out[1]->size, 2);
    CU_ASSERT_EQUAL(out[1]->bytes[1], 2);
    CU_ASSERT_STRING_EQUAL(out[1]->topic, "t");
    CU_ASSERT_EQUAL(out[1]->received_ms, 5);
    free(out[0]);
    free(out[1]);
    CU_ASSERT_EQUAL(ring_count(r), 1);
    ring_destroy(r);
}

static void test_both_bounds_hold_exactly(void)
{
    struct ring *by_count = ring_create(2, 1000), *by_bytes = ring_create(10, 20);

    CU_ASSERT_EQUAL(push(by_count, 1, 1, 0), 0);
    CU_ASSERT_EQUAL(push(by_count, 1, 1, 0), 0);
    CU_ASSERT_EQUAL(push(by_count, 1, 1, 0), BMS_ERR_TIMEOUT);
    CU_ASSERT_EQUAL(push(by_bytes, 1, 10, 0), 0);
    CU_ASSERT_EQUAL(push(by_bytes, 1, 10, 0), 0);
    CU_ASSERT_EQUAL(push(by_bytes, 1, 1, 0), BMS_ERR_TIMEOUT);
    ring_destroy(by_count);
    ring_destroy(by_bytes);
}

static void test_an_empty_ring_takes_even_what_is_too_large(void)
{
    struct ring *r = ring_create(4, 10);

    CU_ASSERT_EQUAL(push(r, 1, 50, 0), 0);
    CU_ASSERT_EQUAL(push(r, 1, 1, 0), BMS_ERR_TIMEOUT);
    ring_destroy(r);
}

static void test_a_closed_ring_gives_what_it_has_and_takes_nothing(void)
{
    struct ring *r = ring_create(4, 100);
    struct ring_message *out[4];

    push(r, 1, 1, 0);
    ring_close(r);
    CU_ASSERT_EQUAL(push(r, 1, 1, 1000), BMS_ERR_STATE);
    CU_ASSERT_EQUAL_FATAL(ring_pop(r, out, 4, 1, 1000), 1);
    free(out[0]);
    CU_ASSERT_EQUAL(ring_pop(r, out, 4, 1, 10000), 0); /* at once */
    ring_destroy(r);
}

static void *pusher(void *ctx)
{
    for (int i = 0; i < 1000; i++)
        if (push(ctx, (uint8_t)i, 8, 5000) != 0)
            return ctx;
    return NULL;
}

static void test_a_waiting_pusher_goes_on_when_room_comes(void)
{
    struct ring *r = ring_create(3, 1000);
    struct ring_message *out[4];
    pthread_t thread;
    void *failed = r;
    int got = 0;

    CU_ASSERT_EQUAL_FATAL(pthread_create(&thread, NULL, pusher, r), 0);
    while (got < 1000) {
        size_t n = ring_pop(r, out, 4, 1, 5000);

        CU_ASSERT_TRUE_FATAL(n > 0 && n <= 3);
        for (size_t i = 0; i < n; i++, got++) {
            CU_ASSERT_EQUAL(out[i]->bytes[0], (uint8_t)got);
            free(out[i]);
        }
    }
    pthread_join(thread, &failed);
    CU_ASSERT_PTR_NULL(failed);
    ring_destroy(r);
}

static void test_fewer_than_wanted_come_when_the_time_is_over(void)
{
    struct ring *r = ring_create(8, 1000);
    struct ring_message *out[8];

    push(r, 1, 1, 0);
    push(r, 2, 1, 0);
    CU_ASSERT_EQUAL_FATAL(ring_pop(r, out, 8, 3, 1), 2);
    free(out[0]);
    free(out[1]);
    for (uint8_t i = 1; i <= 3; i++)
        push(r, i, 1, 0);
    CU_ASSERT_EQUAL_FATAL(ring_pop(r, out, 8, 3, 60000), 3); /* at once */
    for (size_t i = 0; i < 3; i++)
        free(out[i]);
    ring_destroy(r);
}

static void test_a_full_ring_does_not_sleep_for_more_than_it_holds(void)
{
    struct ring *r = ring_create(3, 1000);
    struct ring_message *out[8];
    pthread_t thread;
    int got = 0;

    CU_ASSERT_EQUAL_FATAL(pthread_create(&thread, NULL, pusher, r), 0); /* its pushes fail after 5 s */
    while (got < 1000) {
        size_t n = ring_pop(r, out, 8, got < 990 ? 8 : 1, 60000);

        for (size_t i = 0; i < n; i++, got++)
            free(out[i]);
    }
    pthread_join(thread, NULL);
    CU_ASSERT_EQUAL(got, 1000);
    ring_destroy(r);
}

int main(void)
{
    static CU_TestInfo tests[] = {
        { "messages come out in order and whole", test_messages_come_out_in_order_and_whole },
        { "both bounds hold exactly", test_both_bounds_hold_exactly },
        { "an empty ring takes even what is too large", test_an_empty_ring_takes_even_what_is_too_large },
        { "a closed ring gives what it has and takes nothing", test_a_closed_ring_gives_what_it_has_and_takes_nothing },
        { "a waiting pusher goes on when room comes", test_a_waiting_pusher_goes_on_when_room_comes },
        { "fewer than wanted come when the time is over", test_fewer_than_wanted_come_when_the_time_is_over },
        { "a full ring does not sleep for more than it holds", test_a_full_ring_does_not_sleep_for_more_than_it_holds },
        CU_TEST_INFO_NULL,
    };
    return suite_run("ring", tests);
}
