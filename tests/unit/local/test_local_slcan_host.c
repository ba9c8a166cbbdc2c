/* SPDX-License-Identifier: Apache-2.0 */
/* test_slcan_host.c -- the computer's side of a serial CAN adapter. */
#include "local/core/slcan_host.h"

#include <string.h>

#include "tests/unit/suite.h"

static struct slcan_host h;
static struct can_frame f;

/* Feed a text; returns how many frames came, the last in f. */
static unsigned feed(const char *text)
{
    unsigned frames = 0;

    for (; *text; text++)
        frames += slcan_host_take(&h, *text, &f) ? 1 : 0;
    return frames;
}

static void test_frames_of_both_kinds(void)
{
    slcan_host_init(&h);
    CU_ASSERT_EQUAL(feed("T18DAF11080102030405060708\r"), 1);
    CU_ASSERT(f.ext && f.id == 0x18DAF110 && f.len == 8 && f.data[0] == 1 && f.data[7] == 8);
    CU_ASSERT_EQUAL(feed("t7ff0\r"), 1);
    CU_ASSERT(!f.ext && f.id == 0x7FF && f.len == 0);
    CU_ASSERT_EQUAL(feed("T18daf1102aBcD1234\r"), 1); /* with a time stamp */
    CU_ASSERT(f.len == 2 && f.data[0] == 0xAB && f.data[1] == 0xCD);
    CU_ASSERT_EQUAL(h.malformed, 0);
}

static void test_answers_are_no_frames(void)
{
    slcan_host_init(&h);
    CU_ASSERT_EQUAL(feed("\r\rz\rZ\rV1010\rF00\r\a\n"), 0);
    CU_ASSERT(h.refused == 1 && h.malformed == 0);
}

static void test_damaged_lines(void)
{
    static const char *const bad[] = { "t8001AA\r",
                                       "T200000000\r",
                                       "t1239\r",
                                       "t12321\r",
                                       "t1231AAB\r",
                                       "t1231GG\r",
                                       "t123\r",
                                       "T18DAF1108010203040506070800001\r",
                                       "T18DAF110801020304050607080000111111111111111111111111111\r" };

    slcan_host_init(&h);
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        CU_ASSERT_EQUAL(feed(bad[i]), 0);
        CU_ASSERT_EQUAL(h.malformed, i + 1);
        CU_ASSERT_EQUAL(feed("t0010\r"), 1); /* the next line is read again */
    }
}

static void test_a_frame_comes_back_as_it_went(void)
{
    char line[SLCAN_HOST_FRAME];
    struct can_frame in = { .id = 0x1FFFFFFF, .ext = true, .len = 8, .data = { 0, 0xFF, 1, 2, 3, 4, 5, 6 } };

    slcan_host_init(&h);
    for (in.len = 0; in.len <= 8; in.len++) {
        size_t n = slcan_host_put(&in, line);
        unsigned frames = 0;

        CU_ASSERT(n <= sizeof(line));
        for (size_t i = 0; i < n; i++)
            frames += slcan_host_take(&h, line[i], &f) ? 1 : 0;
        CU_ASSERT(frames == 1 && f.id == in.id && f.ext && f.len == in.len && memcmp(f.data, in.data, in.len) == 0);
    }
}

static void test_bit_rates(void)
{
    char start[SLCAN_HOST_START];

    CU_ASSERT_EQUAL(slcan_host_start(500, start), 9);
    CU_ASSERT_EQUAL(memcmp(start, "\r\rC\rS6\rO\r", 9), 0);
    CU_ASSERT_EQUAL(slcan_host_start(1000, start), 9);
    CU_ASSERT_EQUAL(start[5], '8');
    CU_ASSERT_EQUAL(slcan_host_start(499, start), 0);
}

int main(void)
{
    CU_TestInfo tests[] = {
        { "a line of the adapter is a frame, standard or extended, with or without a time stamp [UC-1]", test_frames_of_both_kinds },
        { "answers and refusals of the adapter are no frames", test_answers_are_no_frames },
        { "a damaged line is counted and the next one is read", test_damaged_lines },
        { "what is written as a line reads back as the same frame, 0 to 8 bytes", test_a_frame_comes_back_as_it_went },
        { "the channel is opened with the rate of the bus; a rate that no adapter has is refused", test_bit_rates },
        CU_TEST_INFO_NULL,
    };

    return suite_run("slcan_host", tests);
}
