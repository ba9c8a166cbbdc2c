/* SPDX-License-Identifier: Apache-2.0 */
#include "proto/downlink.pb-c.h"
#include "server/ingest/ack.h"
#include "tests/unit/suite.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { SAID_MAX = 400 };

static struct said {
    char topic[TOPIC_MAX];
    uint64_t epoch, first[ACK_RANGES_MAX], last[ACK_RANGES_MAX];
    size_t ranges;
} said[SAID_MAX];
static size_t said_count;

static void hear(void *ctx, const char *topic, const uint8_t *bytes, size_t size)
{
    Cw__Ack *ack = cw__ack__unpack(NULL, size, bytes);

    (void)ctx;
    CU_ASSERT_TRUE(size <= ACK_BYTES_MAX);
    CU_ASSERT_PTR_NOT_NULL_FATAL(ack);
    CU_ASSERT_EQUAL_FATAL(ack->n_first, ack->n_last);
    CU_ASSERT_TRUE_FATAL(ack->n_first <= ACK_RANGES_MAX && said_count < SAID_MAX);
    struct said *s = &said[said_count++];

    snprintf(s->topic, sizeof s->topic, "%s", topic);
    s->epoch = ack->epoch;
    s->ranges = ack->n_first;
    memcpy(s->first, ack->first, s->ranges * sizeof s->first[0]);
    memcpy(s->last, ack->last, s->ranges * sizeof s->last[0]);
    cw__ack__free_unpacked(ack, NULL);
}

static void test_neighbours_become_one_range(void)
{
    struct acks acks = { .items = NULL };

    said_count = 0;
    ack_begin(&acks);
    ack_add(&acks, "demo.a", 1, 5);
    ack_add(&acks, "demo.a", 1, 3);
    ack_add(&acks, "demo.a", 1, 4);
    ack_add(&acks, "demo.a", 1, 4); /* twice in one batch */
    ack_add(&acks, "demo.a", 1, 9);
    CU_ASSERT_EQUAL(ack_flush(&acks, hear, NULL), 1);
    CU_ASSERT_STRING_EQUAL(said[0].topic, "cw/v1/demo.a/down/ack");
    CU_ASSERT_EQUAL_FATAL(said[0].ranges, 2);
    CU_ASSERT_EQUAL(said[0].first[0], 3);
    CU_ASSERT_EQUAL(said[0].last[0], 5);
    CU_ASSERT_EQUAL(said[0].first[1], 9);
    CU_ASSERT_EQUAL(said[0].last[1], 9);
    acks_free(&acks);
}

static void test_devices_and_epochs_are_apart(void)
{
    struct acks acks = { .items = NULL };

    said_count = 0;
    ack_begin(&acks);
    ack_add(&acks, "demo.b", 1, 1);
    ack_add(&acks, "demo.a", 2, 2);
    ack_add(&acks, "demo.a", 1, 1);
    CU_ASSERT_EQUAL(ack_flush(&acks, hear, NULL), 3);
    CU_ASSERT_EQUAL(said[0].epoch, 1);
    CU_ASSERT_EQUAL(said[1].epoch, 2);
    CU_ASSERT_STRING_EQUAL(said[2].topic, "cw/v1/demo.b/down/ack");
    CU_ASSERT_EQUAL(ack_flush(&acks, hear, NULL), 0);
    acks_free(&acks);
}

/* Whatever the batch: what is said is what was given, no more and no less. */
static void test_exactly_the_committed_records_are_named(void)
{
    static bool given[500];
    struct acks acks = { .items = NULL };

    srand(7);
    for (int round = 0; round < 50; round++) {
        size_t named = 0, expected = 0;

        said_count = 0;
        memset(given, 0, sizeof given);
        ack_begin(&acks);
        for (int i = 0; i < 300; i++) {
            uint64_t seq = (uint64_t)(rand() % 500);

            given[seq] = true;
            ack_add(&acks, "demo.a", 1, seq);
        }
        ack_flush(&acks, hear, NULL);
        for (size_t k = 0; k < said_count; k++) {
            for (size_t i = 0; i < said[k].ranges; i++) {
                for (uint64_t seq = said[k].first[i]; seq <= said[k].last[i]; seq++, named++)
                    CU_ASSERT_TRUE(given[seq]);
            }
        }
        for (size_t i = 0; i < 500; i++)
            expected += given[i] ? 1u : 0u;
        CU_ASSERT_EQUAL(named, expected);
    }
    acks_free(&acks);
}

static void test_the_largest_numbers_fit(void)
{
    struct acks acks = { .items = NULL };

    said_count = 0;
    ack_begin(&acks);
    for (uint64_t i = 0; i <= ACK_RANGES_MAX; i++)
        ack_add(&acks, "demo.a", UINT64_MAX, UINT64_MAX - 2 * i);
    CU_ASSERT_EQUAL(ack_flush(&acks, hear, NULL), 2);
    CU_ASSERT_EQUAL(said[0].ranges, ACK_RANGES_MAX);
    CU_ASSERT_EQUAL(said[1].ranges, 1);
    CU_ASSERT_EQUAL(said[1].last[0], UINT64_MAX);
    acks_free(&acks);
}

int main(void)
{
    static CU_TestInfo tests[] = {
        { "neighbours become one range [FL-3]", test_neighbours_become_one_range },
        { "devices and epochs are apart", test_devices_and_epochs_are_apart },
        { "exactly the committed records are named", test_exactly_the_committed_records_are_named },
        { "the largest numbers fit", test_the_largest_numbers_fit },
        CU_TEST_INFO_NULL,
    };
    return suite_run("ack", tests);
}
