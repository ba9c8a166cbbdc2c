/* SPDX-License-Identifier: Apache-2.0 */
#include "common/bits.h"
#include "tests/unit/suite.h"

#include <stdlib.h>

/* One bit after the other: what get_ones() is quicker than. */
static unsigned ones_slowly(struct bit_reader *b, unsigned most)
{
    unsigned n = 0;

    while (n < most && get_bits(b, 1))
        n++;
    return n;
}

static void test_trailing_ones_are_counted_for_every_count(void)
{
    for (unsigned n = 0; n < 32; n++) {
        CU_ASSERT_EQUAL(trailing_ones((uint32_t)(((uint64_t)1 << n) - 1)), n);
        CU_ASSERT_EQUAL(trailing_ones(~((uint32_t)1 << n)), n);
    }
}

static void test_a_run_may_cross_bytes_and_ends_at_its_most(void)
{
    static const struct {
        uint8_t bytes[4];
        unsigned skip, most, wanted, after; /* the next bit */
    } rows[] = {
        { { 0x00, 0, 0, 0 }, 0, 20, 0, 0 },
        { { 0x01, 0, 0, 0 }, 0, 20, 1, 0 },
        { { 0xFF, 0x00, 0, 0 }, 0, 20, 8, 0 },
        { { 0xFF, 0x02, 0, 0 }, 0, 20, 8, 1 },
        { { 0xFF, 0xFF, 0x1F, 0 }, 0, 20, 20, 1 },
        { { 0xFF, 0xFF, 0x0F, 0 }, 0, 20, 20, 0 },
        { { 0xFF, 0xFF, 0x07, 0 }, 0, 20, 19, 0 },
        { { 0xF8, 0x03, 0, 0 }, 3, 20, 7, 0 },
        { { 0xFF, 0xFF, 0xFF, 0xFF }, 0, 31, 31, 1 },
        { { 0xFF, 0xFF, 0xFF, 0x7F }, 0, 31, 31, 0 },
        { { 0xFF, 0, 0, 0 }, 0, 0, 0, 1 },
    };

    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct reader in = reader_of(rows[i].bytes, sizeof rows[i].bytes);
        struct bit_reader b = { .in = &in };

        get_bits(&b, rows[i].skip);
        CU_ASSERT_EQUAL(get_ones(&b, rows[i].most), rows[i].wanted);
        CU_ASSERT_EQUAL(get_bits(&b, 1), rows[i].after);
        CU_ASSERT_FALSE(in.bad);
    }
}

static void test_it_takes_no_byte_that_it_does_not_need_and_the_end_is_seen(void)
{
    static const uint8_t bytes[] = { 0x7F, 0xFF };
    struct reader in = reader_of(bytes, sizeof bytes);
    struct bit_reader b = { .in = &in };

    CU_ASSERT_EQUAL(get_ones(&b, 20), 7);
    CU_ASSERT_EQUAL(reader_left(&in), 1);
    CU_ASSERT_EQUAL(get_ones(&b, 8), 8);
    CU_ASSERT_EQUAL(reader_left(&in), 0);
    CU_ASSERT_FALSE(in.bad);
    CU_ASSERT_EQUAL(get_ones(&b, 1), 0);
    CU_ASSERT_TRUE(in.bad);
}

static void test_any_bits_read_as_one_after_the_other(void)
{
    srand(1);
    for (int turn = 0; turn < 20000; turn++) {
        uint8_t bytes[12];
        size_t size = (size_t)rand() % (sizeof bytes + 1);

        for (size_t i = 0; i < sizeof bytes; i++)
            bytes[i] = rand() % 3 ? 0xFF : (uint8_t)rand();
        struct reader in = reader_of(bytes, size), same = reader_of(bytes, size);
        struct bit_reader b = { .in = &in }, slow = { .in = &same };

        for (int step = 0; step < 12; step++) {
            unsigned width = (unsigned)rand() % 33, most = (unsigned)rand() % 32;

            CU_ASSERT_EQUAL(get_ones(&b, most), ones_slowly(&slow, most));
            CU_ASSERT_EQUAL(get_bits(&b, width), get_bits(&slow, width));
            CU_ASSERT_EQUAL(in.bad, same.bad);
            CU_ASSERT_EQUAL(reader_left(&in), reader_left(&same));
        }
    }
}

int main(void)
{
    static CU_TestInfo tests[] = {
        { "trailing ones are counted for every count", test_trailing_ones_are_counted_for_every_count },
        { "a run may cross bytes and ends at its most", test_a_run_may_cross_bytes_and_ends_at_its_most },
        { "it takes no byte that it does not need, and the end is seen", test_it_takes_no_byte_that_it_does_not_need_and_the_end_is_seen },
        { "any bits read as one after the other", test_any_bits_read_as_one_after_the_other },
        CU_TEST_INFO_NULL,
    };
    return suite_run("bits", tests);
}
