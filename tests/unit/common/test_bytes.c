/* SPDX-License-Identifier: Apache-2.0 */
#include "common/bits.h"
#include "common/bytes.h"
#include "tests/unit/suite.h"

static void test_integers_survive_both_byte_orders(void)
{
    uint8_t p[8];

    put_le16(p, 0x1234);
    CU_ASSERT(p[0] == 0x34 && get_le16(p) == 0x1234 && get_be16(p) == 0x3412);
    put_be16(p, 0x1234);
    CU_ASSERT(p[0] == 0x12 && get_be16(p) == 0x1234);
    put_le32(p, 0x12345678u);
    CU_ASSERT(p[0] == 0x78 && get_le32(p) == 0x12345678u && get_be32(p) == 0x78563412u);
    put_be32(p, 0xFFEEDDCCu);
    CU_ASSERT(p[0] == 0xFF && get_be32(p) == 0xFFEEDDCCu);
    put_le64(p, UINT64_MAX - 1);
    CU_ASSERT(get_le64(p) == UINT64_MAX - 1);
}

static void test_reader_never_crosses_its_end(void)
{
    static const uint8_t five[5] = { 1, 2, 3, 4, 5 };
    struct reader r = reader_of(five, sizeof(five));

    CU_ASSERT_EQUAL(read_le32(&r), 0x04030201u);
    CU_ASSERT_FALSE(r.bad);
    CU_ASSERT_EQUAL(read_le16(&r), 0);
    CU_ASSERT_TRUE(r.bad);
    CU_ASSERT_EQUAL(read_u8(&r), 0); /* bad for good, although one byte is left */
    CU_ASSERT_EQUAL(reader_left(&r), 1);
}

static void test_writer_never_crosses_its_end(void)
{
    uint8_t out[5] = { 0 };
    struct writer w = writer_of(out, 4);

    write_le32(&w, 0xFFFFFFFFu);
    CU_ASSERT_FALSE(w.bad);
    write_u8(&w, 7);
    CU_ASSERT_TRUE(w.bad);
    CU_ASSERT_EQUAL(writer_used(&w), 4);
    CU_ASSERT_EQUAL(out[4], 0);
}

static void test_varint_takes_64_bits_and_not_one_more(void)
{
    static const uint64_t values[] = { 0, 1, 127, 128, 16383, 16384, UINT32_MAX, (uint64_t)1 << 63, UINT64_MAX };
    uint8_t out[10];

    for (size_t i = 0; i < sizeof(values) / sizeof(values[0]); i++) {
        struct writer w = writer_of(out, sizeof(out));

        write_varint(&w, values[i]);
        struct reader r = reader_of(out, writer_used(&w));

        CU_ASSERT_EQUAL(read_varint(&r), values[i]);
        CU_ASSERT(!r.bad && reader_left(&r) == 0);
    }
    static const uint8_t over[10] = { 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0x02 };
    struct reader r = reader_of(over, sizeof(over));

    read_varint(&r);
    CU_ASSERT_TRUE(r.bad);
    r = reader_of(over, 9);
    read_varint(&r);
    CU_ASSERT_TRUE(r.bad);
}

static void test_zigzag_keeps_small_small_and_all_exact(void)
{
    CU_ASSERT(zigzag32(0) == 0 && zigzag32(-1) == 1 && zigzag32(1) == 2 && zigzag32(INT32_MIN) == UINT32_MAX);
    CU_ASSERT(unzigzag32(zigzag32(INT32_MIN)) == INT32_MIN && unzigzag32(zigzag32(INT32_MAX)) == INT32_MAX);
    for (int32_t v = -70000; v <= 70000; v += 7)
        CU_ASSERT_EQUAL(unzigzag32(zigzag32(v)), v);
}

static void test_bits_of_every_width_survive(void)
{
    uint8_t out[256];
    struct writer w = writer_of(out, sizeof(out));
    struct bit_writer b = { .out = &w };

    for (unsigned width = 0; width <= 32; width++)
        put_bits(&b, width == 0 ? 0 : UINT32_MAX >> (32 - width), width);
    bits_flush(&b);
    CU_ASSERT_EQUAL(writer_used(&w), (32 * 33 / 2 + 7) / 8);
    struct bit_reader g = bits_of(out, writer_used(&w));

    for (unsigned width = 0; width <= 32; width++)
        CU_ASSERT_EQUAL(get_bits(&g, width), width == 0 ? 0 : UINT32_MAX >> (32 - width));
    CU_ASSERT_TRUE(bits_at_end(&g));
    get_bits(&g, 32);
    CU_ASSERT_TRUE(g.bad);
}

int main(void)
{
    static CU_TestInfo tests[] = {
        { "integers survive both byte orders", test_integers_survive_both_byte_orders },
        { "a reader never crosses its end", test_reader_never_crosses_its_end },
        { "a writer never crosses its end", test_writer_never_crosses_its_end },
        { "a varint takes 64 bits and not one more", test_varint_takes_64_bits_and_not_one_more },
        { "zigzag keeps small small and all exact", test_zigzag_keeps_small_small_and_all_exact },
        { "bits of every width survive", test_bits_of_every_width_survive },
        CU_TEST_INFO_NULL,
    };
    return suite_run("bytes", tests);
}
