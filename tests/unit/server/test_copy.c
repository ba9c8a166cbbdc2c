/* SPDX-License-Identifier: Apache-2.0 */
#include "server/store/copy.h"
#include "tests/unit/suite.h"

#include <string.h>

static void test_a_row_is_what_the_manual_says(void)
{
    static const uint8_t wanted[] = { 'P',  'G',  'C',  'O',  'P',  'Y',  '\n', 0xFF, '\r', '\n', 0, 0, 0, 0, 0, 0, 0, 0, 0, /* header */
                                      0,    5,                                                                               /* fields */
                                      0,    0,    0,    2,    0xFF, 0xFE,                                                    /* int2 -2 */
                                      0,    0,    0,    4,    0,    0,    1,    0,                                           /* int4 256 */
                                      0xFF, 0xFF, 0xFF, 0xFF,                                                                /* null */
                                      0,    0,    0,    3,    'a',  'b',  'c',                                               /* text */
                                      0,    0,    0,    1,    7,                                                             /* as it is */
                                      0xFF, 0xFF };                                                                          /* end */
    struct copy c = { .data = NULL };

    copy_begin(&c);
    copy_row(&c, 5);
    copy_int16(&c, -2);
    copy_int32(&c, 256);
    copy_null(&c);
    copy_bytes(&c, "abc", 3);
    copy_raw(&c, "\0\0\0\1\7", 5);
    copy_end(&c);
    CU_ASSERT_EQUAL_FATAL(c.used, sizeof wanted);
    CU_ASSERT_EQUAL(memcmp(c.data, wanted, sizeof wanted), 0);
    CU_ASSERT_FALSE(c.bad);
    copy_free(&c);
}

static void test_times_count_from_2000(void)
{
    static const uint8_t at_2000_plus_1_ms[] = { 0, 0, 0, 8, 0, 0, 0, 0, 0, 0, 0x03, 0xE8 };
    static const uint8_t before[] = { 0, 0, 0, 8, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFC, 0x18 };
    struct copy c = { .data = NULL };

    copy_begin(&c);
    size_t head = c.used;

    copy_utc_ms(&c, INT64_C(946684800001));
    copy_utc_ms(&c, INT64_C(946684799999));
    CU_ASSERT_EQUAL(memcmp(c.data + head, at_2000_plus_1_ms, sizeof at_2000_plus_1_ms), 0);
    CU_ASSERT_EQUAL(memcmp(c.data + head + 12, before, sizeof before), 0);
    copy_free(&c);
}

static void test_a_buffer_is_used_again_from_its_start(void)
{
    struct copy c = { .data = NULL };
    uint8_t large[5000] = { 0 };

    copy_begin(&c);
    size_t head = c.used;

    for (int i = 0; i < 100; i++)
        copy_bytes(&c, large, sizeof large);
    CU_ASSERT_EQUAL(c.used, head + 100 * (4 + sizeof large));
    copy_begin(&c);
    CU_ASSERT_EQUAL(c.used, head);
    copy_free(&c);
}

int main(void)
{
    static CU_TestInfo tests[] = {
        { "a row is what the manual says", test_a_row_is_what_the_manual_says },
        { "times count from 2000", test_times_count_from_2000 },
        { "a buffer is used again from its start", test_a_buffer_is_used_again_from_its_start },
        CU_TEST_INFO_NULL,
    };
    return suite_run("copy", tests);
}
