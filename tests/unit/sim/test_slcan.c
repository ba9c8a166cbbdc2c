/* SPDX-License-Identifier: Apache-2.0 */
#include <stdlib.h>
#include <string.h>

#include "sim/slcan.h"
#include "tests/unit/suite.h"

static struct slcan s;
static struct can_frame last;
static int frames;

/* All bytes in; the answers as one string. */
static const char *say(const char *bytes)
{
    static char answers[256];
    size_t n = 0;

    for (const char *p = bytes; *p; p++) {
        struct slcan_result r;

        slcan_take(&s, *p, &r);
        CU_ASSERT_TRUE_FATAL(n + r.answer_len < sizeof(answers));
        memcpy(answers + n, r.answer, r.answer_len);
        n += r.answer_len;
        if (r.has_frame) {
            last = r.frame;
            frames++;
        }
    }
    answers[n] = 0;
    return answers;
}

static void setup(void)
{
    slcan_init(&s);
    frames = 0;
}

static void test_the_start_of_python_can(void)
{
    setup();
    CU_ASSERT_STRING_EQUAL(say("C\r"), "\r");
    CU_ASSERT_STRING_EQUAL(say("S6\r"), "\r");
    CU_ASSERT_STRING_EQUAL(say("O\r"), "\r");
    CU_ASSERT_TRUE(s.open);
    CU_ASSERT_STRING_EQUAL(say("C\r"), "\r");
    CU_ASSERT_FALSE(s.open);
}

static void test_frames_are_sent_when_open(void)
{
    setup();
    CU_ASSERT_STRING_EQUAL(say("T18DA10F123E00\r"), "\a"); /* closed */
    say("O\r");
    CU_ASSERT_STRING_EQUAL(say("T18DA10F123E00\r"), "Z\r");
    CU_ASSERT_EQUAL(last.id, 0x18DA10F1);
    CU_ASSERT_TRUE(last.ext);
    CU_ASSERT_EQUAL(last.len, 2);
    CU_ASSERT_EQUAL(last.data[0], 0x3E);
    CU_ASSERT_STRING_EQUAL(say("t7ff8aAbBcCdDeEfF0123\r"), "z\r");
    CU_ASSERT_EQUAL(last.id, 0x7FF);
    CU_ASSERT_FALSE(last.ext);
    CU_ASSERT_EQUAL(memcmp(last.data, (const uint8_t[]) { 0xAA, 0xBB, 0xCC, 0xDD, 0xEE, 0xFF, 0x01, 0x23 }, 8), 0);
    CU_ASSERT_STRING_EQUAL(say("t0000\r"), "z\r");
    CU_ASSERT_EQUAL(frames, 3);
}

static void test_lines_that_are_refused(void)
{
    static const char *const bad[] = {
        "t8000\r",                   /* over 11 bits */
        "T200000000\r",              /* over 29 bits */
        "t1239001122334455667788\r", /* over 8 bytes */
        "t1232AA\r",                 /* one byte short */
        "t1231AABB\r",               /* one byte too many */
        "t1231A\r",                  /* half a byte */
        "t123\r",                    /* no length */
        "t12G0\r",
        "t123G\r",
        "t1231GG\r",
        "r1230\r",
        "R000001230\r", /* remote frames */
        "O\r",          /* open already */
        "O1\r",
        "S5\r",
        "s1234\r",
        "Z1\r",
        "M00000000\r",
        "Q\r",
        "\v\r",
        "T18DA10F18001122334455667788\r", /* one character too long */
    };

    setup();
    say("O\r");
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        CU_ASSERT_STRING_EQUAL(say(bad[i]), "\a");
        CU_ASSERT_EQUAL(s.refused, i + 1);
    }
    CU_ASSERT_EQUAL(frames, 0);
    CU_ASSERT_STRING_EQUAL(say("T18DA10F180011223344556677\r"), "Z\r"); /* and the line goes on */
}

static void test_settings_while_closed(void)
{
    setup();
    CU_ASSERT_STRING_EQUAL(say("S0\rS8\rs031C\rM00000000\rmFFFFFFFF\rZ1\rZ0\rX1\r\r\r"), "\r\r\r\r\r\r\r\r\r\r");
    CU_ASSERT_STRING_EQUAL(say("S9\rS\rS66\rs31C\rZ2\rF\r"), "\a\a\a\a\a\a");
    CU_ASSERT_STRING_EQUAL(say("V\rN\r"), "V1010\rNCW01\r");
    CU_ASSERT_STRING_EQUAL(say("O\rF\r"), "\rF00\r");
}

static void test_listen_only_sends_nothing(void)
{
    setup();
    CU_ASSERT_STRING_EQUAL(say("L\rt1230\r"), "\r\a");
}

static void test_a_line_without_end_does_no_harm(void)
{
    setup();
    say("O\r");
    for (int i = 0; i < 5000; i++)
        CU_ASSERT_STRING_EQUAL(say("T"), "");
    CU_ASSERT_STRING_EQUAL(say("\r"), "\a");
    CU_ASSERT_STRING_EQUAL(say("t1230\r"), "z\r");
}

static void test_frames_are_given_as_lines(void)
{
    static const struct can_frame ext = { .id = 0x18F00120, .ext = true, .len = 8, .data = { 1, 2, 3, 0xAB, 0xCD, 0xEF, 0xFF, 0 } };
    static const struct can_frame std = { .id = 0x7F, .len = 1, .data = { 0x5A } };
    char line[SLCAN_FRAME_MAX];

    setup();
    CU_ASSERT_EQUAL(slcan_give(&s, &ext, 0, line), 0); /* closed */
    say("O\r");
    CU_ASSERT_EQUAL(slcan_give(&s, &ext, 0, line), 27);
    CU_ASSERT_EQUAL(memcmp(line, "T18F001208010203ABCDEFFF00\r", 27), 0);
    CU_ASSERT_EQUAL(slcan_give(&s, &std, 0, line), 8);
    CU_ASSERT_EQUAL(memcmp(line, "t07F15A\r", 8), 0);
    say("C\rZ1\rO\r");
    CU_ASSERT_EQUAL(slcan_give(&s, &ext, 59999, line), SLCAN_FRAME_MAX);
    CU_ASSERT_EQUAL(memcmp(line + 26, "EA5F\r", 5), 0);
    CU_ASSERT_EQUAL(slcan_give(&s, &std, 60000, line), 12);
    CU_ASSERT_EQUAL(memcmp(line + 7, "0000\r", 5), 0);
}

/* Whatever is given can be taken. */
static void test_what_is_given_is_taken_again(void)
{
    setup();
    say("O\r");
    srand(3);
    for (int i = 0; i < 20000; i++) {
        struct can_frame f = { .ext = rand() & 1, .len = (uint8_t)(rand() % 9) };
        char line[SLCAN_FRAME_MAX + 1];

        f.id = (uint32_t)rand() & (f.ext ? 0x1FFFFFFFu : 0x7FFu);
        for (unsigned k = 0; k < sizeof(f.data) && k < f.len; k++)
            f.data[k] = (uint8_t)rand();
        line[slcan_give(&s, &f, 0, line)] = 0;
        CU_ASSERT_STRING_EQUAL(say(line), f.ext ? "Z\r" : "z\r");
        CU_ASSERT_TRUE(last.id == f.id && last.ext == f.ext && last.len == f.len && memcmp(last.data, f.data, 8) == 0);
    }
}

int main(void)
{
    static CU_TestInfo tests[] = {
        { "the start of python-can", test_the_start_of_python_can },
        { "frames are sent when open", test_frames_are_sent_when_open },
        { "lines that are refused", test_lines_that_are_refused },
        { "settings while closed", test_settings_while_closed },
        { "listen only sends nothing", test_listen_only_sends_nothing },
        { "a line without end does no harm", test_a_line_without_end_does_no_harm },
        { "frames are given as lines", test_frames_are_given_as_lines },
        { "what is given is taken again", test_what_is_given_is_taken_again },
        CU_TEST_INFO_NULL,
    };
    return suite_run("slcan", tests);
}
