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
        struct bit_reader b = bits_of(rows[i].bytes, sizeof rows[i].bytes);

        get_bits(&b, rows[i].skip);
        CU_ASSERT_EQUAL(get_ones(&b, rows[i].most), rows[i].wanted);
        CU_ASSERT_EQUAL(get_bits(&b, 1), rows[i].after);
        CU_ASSERT_FALSE(b.bad);
    }
}

static void test_the_end_is_seen_exactly(void)
{
    static const uint8_t bytes[] = { 0x7F, 0xFF };
    struct bit_reader b = bits_of(bytes, sizeof bytes);

    CU_ASSERT_EQUAL(get_ones(&b, 20), 7);
    CU_ASSERT_FALSE(bits_at_end(&b));
    CU_ASSERT_EQUAL(get_ones(&b, 8), 8);
    CU_ASSERT_TRUE(bits_at_end(&b));
    CU_ASSERT_EQUAL(get_bits(&b, 0), 0);
    CU_ASSERT_FALSE(b.bad);
    CU_ASSERT_EQUAL(get_ones(&b, 1), 0);
    CU_ASSERT_TRUE(b.bad);
    CU_ASSERT_FALSE(bits_at_end(&b));
}

static void test_only_zeros_of_the_last_byte_may_be_left(void)
{
    static const uint8_t bytes[10] = { 0, 0, 0, 0, 0, 0, 0, 0, 0, 0x08 };

    for (unsigned bits = 0; bits <= 80; bits++) {
        struct bit_reader b = bits_of(bytes, sizeof bytes);

        for (unsigned i = 0; i < bits; i++)
            get_bits(&b, 1);
        bits_fill(&b);
        CU_ASSERT_EQUAL(bits_at_end(&b), bits >= 76);
    }
}

/* Against a reader that takes one bit at a time from the bytes themselves. */
static void test_any_bits_read_as_one_after_the_other(void)
{
    srand(1);
    for (int turn = 0; turn < 20000; turn++) {
        uint8_t bytes[24];
        size_t size = (size_t)rand() % (sizeof bytes + 1), at = 0;

        for (size_t i = 0; i < sizeof bytes; i++)
            bytes[i] = rand() % 3 ? 0xFF : (uint8_t)rand();
        struct bit_reader b = bits_of(bytes, size), slow = bits_of(bytes, size);

        for (int step = 0; step < 12 && !slow.bad; step++) {
            unsigned width = (unsigned)rand() % 33, most = (unsigned)rand() % 32;
            unsigned ones = get_ones(&b, most), same = ones_slowly(&slow, most);

            CU_ASSERT_EQUAL(b.bad, slow.bad);
            CU_ASSERT_TRUE(slow.bad || ones == same);
            at += slow.bad ? 0 : same + (same < most);
            uint32_t wanted = 0;

            for (unsigned i = 0; i < width && at + width <= 8 * size; i++)
                wanted |= (uint32_t)(bytes[(at + i) / 8] >> (at + i) % 8 & 1) << i;
            uint32_t got = get_bits(&b, width);

            (void)get_bits(&slow, width);
            CU_ASSERT_EQUAL(b.bad, slow.bad);
            CU_ASSERT_TRUE(slow.bad || got == wanted);
            at += width;
        }
    }
}

int main(void)
{
    static CU_TestInfo tests[] = {
        { "trailing ones are counted for every count", test_trailing_ones_are_counted_for_every_count },
        { "a run may cross bytes and ends at its most", test_a_run_may_cross_bytes_and_ends_at_its_most },
        { "the end is seen exactly", test_the_end_is_seen_exactly },
        { "only zeros of the last byte may be left", test_only_zeros_of_the_last_byte_may_be_left },
        { "any bits read as one after the other", test_any_bits_read_as_one_after_the_other },
        CU_TEST_INFO_NULL,
    };
    return suite_run("bits", tests);
}
