/* SPDX-License-Identifier: Apache-2.0 */
#include <stdlib.h>
#include <string.h>

#include "common/err.h"
#include "common/isotp.h"
#include "tests/unit/suite.h"

enum { TESTER = 0x18DA10F1, BOARD = 0x18DAF110 };

struct end {
    struct isotp tp;
    uint8_t tx[ISOTP_MAX], rx[ISOTP_MAX];
};

static struct end a, b; /* the two ends of every test */
static uint8_t message[ISOTP_MAX];

static void setup(uint8_t block_size, uint8_t st_min)
{
    struct isotp_config one = {
        .tx_id = TESTER, .rx_id = BOARD, .tx_buf = a.tx, .tx_size = ISOTP_MAX, .rx_buf = a.rx, .rx_size = ISOTP_MAX
    };
    struct isotp_config two = { .tx_id = BOARD,
                                .rx_id = TESTER,
                                .block_size = block_size,
                                .st_min = st_min,
                                .tx_buf = b.tx,
                                .tx_size = ISOTP_MAX,
                                .rx_buf = b.rx,
                                .rx_size = ISOTP_MAX };

    CU_ASSERT_EQUAL_FATAL(isotp_init(&a.tp, &one), BMS_ERR_OK);
    CU_ASSERT_EQUAL_FATAL(isotp_init(&b.tp, &two), BMS_ERR_OK);
    for (size_t i = 0; i < sizeof(message); i++)
        message[i] = (uint8_t)(i * 31 + (i >> 8));
}

/* Everything that `from` has to say now goes to `to`, except frame number `lose` (0-based; -1 = none). Returns how many frames there were. */
static int carry(struct end *from, struct end *to, uint32_t now_ms, int lose)
{
    struct can_frame f;
    int n = 0;

    while (isotp_poll(&from->tp, now_ms, &f) == 1) {
        CU_ASSERT_EQUAL(f.len, 8);
        if (n++ != lose)
            CU_ASSERT_TRUE(isotp_receive(&to->tp, &f, now_ms));
    }
    return n;
}

/* One second of both ends, in steps of 1 ms. */
static void run(uint32_t start_ms, uint32_t for_ms)
{
    for (uint32_t t = 0; t <= for_ms; t++) {
        carry(&a, &b, start_ms + t, -1);
        carry(&b, &a, start_ms + t, -1);
    }
}

static void expect_message(struct end *at, size_t n)
{
    const uint8_t *got = NULL;

    CU_ASSERT_EQUAL(isotp_take(&at->tp, &got), n);
    CU_ASSERT_TRUE(got && memcmp(got, message, n) == 0);
    CU_ASSERT_EQUAL(isotp_take(&at->tp, &got), 0);
}

static struct can_frame frame(uint32_t id, uint8_t len, uint8_t b0, uint8_t b1, uint8_t b2)
{
    return (struct can_frame) { .id = id, .ext = true, .len = len, .data = { b0, b1, b2 } };
}

static void test_lengths_at_the_limits_arrive_whole(void)
{
    static const size_t lengths[] = { 1, 6, 7, 8, 12, 13, 14, 20, 21, 4094, 4095 };

    for (size_t i = 0; i < sizeof(lengths) / sizeof(lengths[0]); i++) {
        setup(0, 0);
        CU_ASSERT_EQUAL(isotp_send(&a.tp, message, lengths[i], 0), BMS_ERR_OK);
        run(0, 10);
        expect_message(&b, lengths[i]);
        CU_ASSERT_FALSE(isotp_is_sending(&a.tp));
        CU_ASSERT_EQUAL(a.tp.counts.sent, 1);
        CU_ASSERT_EQUAL(b.tp.counts.received, 1);
        CU_ASSERT_EQUAL(a.tp.counts.unexpected + b.tp.counts.unexpected, 0);
    }
}

static void test_every_length_with_every_block_size(void)
{
    for (size_t n = 1; n < 120; n++) {
        for (uint8_t bs = 0; bs < 6; bs++) {
            setup(bs, 0);
            CU_ASSERT_EQUAL(isotp_send(&a.tp, message, n, 0), BMS_ERR_OK);
            run(0, 40);
            expect_message(&b, n);
        }
    }
}

static void test_bad_lengths_and_a_second_message_are_refused(void)
{
    struct isotp tp;
    struct isotp_config big = { .tx_size = ISOTP_MAX + 1 };
    struct isotp_config deep = { .rx_size = ISOTP_MAX + 1 };

    CU_ASSERT_EQUAL(isotp_init(&tp, &big), BMS_ERR_RANGE);
    CU_ASSERT_EQUAL(isotp_init(&tp, &deep), BMS_ERR_RANGE);
    setup(0, 0);
    CU_ASSERT_EQUAL(isotp_send(&a.tp, message, 0, 0), BMS_ERR_RANGE);
    CU_ASSERT_EQUAL(isotp_send(&a.tp, message, ISOTP_MAX + 1, 0), BMS_ERR_RANGE);
    CU_ASSERT_EQUAL(isotp_send(&a.tp, message, 100, 0), BMS_ERR_OK);
    CU_ASSERT_EQUAL(isotp_send(&a.tp, message, 1, 0), BMS_ERR_STATE);
}

static void test_frames_of_others_are_ignored(void)
{
    setup(0, 0);
    struct can_frame other = frame(TESTER + 1, 8, 0x01, 0x3E, 0);
    struct can_frame standard = frame(TESTER & 0x7FF, 8, 0x01, 0x3E, 0);

    standard.ext = false;
    CU_ASSERT_FALSE(isotp_receive(&b.tp, &other, 0));
    CU_ASSERT_FALSE(isotp_receive(&b.tp, &standard, 0));
    CU_ASSERT_EQUAL(b.tp.counts.unexpected, 0);
}

static void test_separation_time_is_obeyed(void)
{
    struct can_frame f;

    setup(0, 20);
    CU_ASSERT_EQUAL(isotp_send(&a.tp, message, 30, 0), BMS_ERR_OK);
    CU_ASSERT_EQUAL(carry(&a, &b, 0, -1), 1);
    CU_ASSERT_EQUAL(carry(&b, &a, 0, -1), 1);
    CU_ASSERT_EQUAL(isotp_poll(&a.tp, 0, &f), 1);  /* the first of a block goes at once */
    CU_ASSERT_EQUAL(isotp_poll(&a.tp, 19, &f), 0); /* 1 ms short */
    CU_ASSERT_EQUAL(isotp_poll(&a.tp, 20, &f), 1);
    CU_ASSERT_EQUAL(f.data[0], 0x22);
}

/* ISO 15765-2 9.6.5.4, in us: 00 to 7F are ms, F1 to F9 are 100 us each, what is reserved counts as the longest. */
static uint32_t separation_us(unsigned code)
{
    if (code >= 0xF1 && code <= 0xF9)
        return (code - 0xF0) * 100;
    return (code <= 0x7F ? code : 0x7F) * 1000;
}

static void test_each_of_the_256_separation_codes(void)
{
    for (unsigned code = 0; code <= 0xFF; code++) {
        uint32_t gap_ms = (separation_us(code) + 999) / 1000; /* the clock has ms: never sooner */
        struct can_frame f;

        setup(0, (uint8_t)code);
        CU_ASSERT_EQUAL(isotp_send(&a.tp, message, 20, 50), BMS_ERR_OK);
        carry(&a, &b, 50, -1);
        carry(&b, &a, 50, -1);
        CU_ASSERT_EQUAL(isotp_poll(&a.tp, 50, &f), 1);
        if (gap_ms)
            CU_ASSERT_EQUAL(isotp_poll(&a.tp, 50 + gap_ms - 1, &f), 0);
        CU_ASSERT_EQUAL(isotp_poll(&a.tp, 50 + gap_ms, &f), 1);
        CU_ASSERT_EQUAL(f.data[0], 0x22);
    }
}

static void test_block_size_waits_for_flow_control(void)
{
    setup(3, 0);
    CU_ASSERT_EQUAL(isotp_send(&a.tp, message, 6 + 7 * 7, 0), BMS_ERR_OK);
    CU_ASSERT_EQUAL(carry(&a, &b, 0, -1), 1);
    CU_ASSERT_EQUAL(carry(&b, &a, 0, -1), 1);
    CU_ASSERT_EQUAL(carry(&a, &b, 1, -1), 3);
    CU_ASSERT_EQUAL(carry(&b, &a, 1, -1), 1);
    CU_ASSERT_EQUAL(carry(&a, &b, 2, -1), 3);
    CU_ASSERT_EQUAL(carry(&b, &a, 2, -1), 1);
    CU_ASSERT_EQUAL(carry(&a, &b, 3, -1), 1);
    CU_ASSERT_EQUAL(carry(&b, &a, 3, -1), 0); /* nothing is asked after the last */
    expect_message(&b, 6 + 7 * 7);
}

static void test_lost_flow_control_ends_the_transmission(void)
{
    setup(0, 0);
    CU_ASSERT_EQUAL(isotp_send(&a.tp, message, 100, 5), BMS_ERR_OK);
    carry(&a, &b, 5, -1);
    CU_ASSERT_EQUAL(carry(&b, &a, 5, 0), 1); /* lost */
    carry(&a, &b, 5 + ISOTP_TIMEOUT_MS, -1);
    CU_ASSERT_TRUE(isotp_is_sending(&a.tp)); /* at the limit, in time */
    carry(&a, &b, 6 + ISOTP_TIMEOUT_MS, -1);
    CU_ASSERT_FALSE(isotp_is_sending(&a.tp));
    CU_ASSERT_EQUAL(a.tp.counts.timeouts, 1);
    CU_ASSERT_EQUAL(isotp_send(&a.tp, message, 7, 2000), BMS_ERR_OK);
    run(2000, 5);
    expect_message(&b, 7);
}

static void test_lost_consecutive_frame_ends_the_reception(void)
{
    setup(0, 0);
    CU_ASSERT_EQUAL(isotp_send(&a.tp, message, 50, 0), BMS_ERR_OK);
    carry(&a, &b, 0, -1);
    carry(&b, &a, 0, -1);
    carry(&a, &b, 0, 2); /* the next one has a wrong sequence number */
    CU_ASSERT_EQUAL(b.tp.counts.sequence_errors, 1);
    CU_ASSERT_EQUAL(b.tp.counts.received, 0);
    CU_ASSERT_TRUE(b.tp.counts.unexpected > 0); /* the frames after it belong to nothing */
}

static void test_lost_last_frame_is_a_time_out(void)
{
    setup(0, 0);
    CU_ASSERT_EQUAL(isotp_send(&a.tp, message, 20, 0), BMS_ERR_OK);
    carry(&a, &b, 0, -1);
    carry(&b, &a, 0, -1);
    CU_ASSERT_EQUAL(carry(&a, &b, 0, 1), 2);
    carry(&b, &a, ISOTP_TIMEOUT_MS, -1);
    CU_ASSERT_EQUAL(b.tp.counts.timeouts, 0);
    carry(&b, &a, ISOTP_TIMEOUT_MS + 1, -1);
    CU_ASSERT_EQUAL(b.tp.counts.timeouts, 1);
    const uint8_t *got;

    CU_ASSERT_EQUAL(isotp_take(&b.tp, &got), 0);
}

static void test_wait_holds_the_transmission_but_not_for_ever(void)
{
    struct can_frame wait = frame(BOARD, 3, 0x31, 0, 0);
    struct can_frame go = frame(BOARD, 3, 0x30, 0, 0);

    setup(0, 0);
    CU_ASSERT_EQUAL(isotp_send(&a.tp, message, 20, 0), BMS_ERR_OK);
    carry(&a, &b, 0, -1);
    isotp_receive(&a.tp, &wait, 900);
    CU_ASSERT_EQUAL(carry(&a, &b, 1800, -1), 0);
    isotp_receive(&a.tp, &go, 1900);
    CU_ASSERT_EQUAL(carry(&a, &b, 1900, -1), 2);
    CU_ASSERT_FALSE(isotp_is_sending(&a.tp));

    CU_ASSERT_EQUAL(isotp_send(&a.tp, message, 20, 0), BMS_ERR_OK);
    carry(&a, &b, 0, -1);
    for (uint32_t i = 0; i < 16; i++)
        isotp_receive(&a.tp, &wait, i);
    CU_ASSERT_TRUE(isotp_is_sending(&a.tp));
    isotp_receive(&a.tp, &wait, 16);
    CU_ASSERT_FALSE(isotp_is_sending(&a.tp));
    CU_ASSERT_EQUAL(a.tp.counts.timeouts, 1);
}

static void test_too_long_a_message_is_answered_with_overflow(void)
{
    struct can_frame huge = frame(TESTER, 8, 0x10, 0x00, 0); /* 32-bit length */

    setup(0, 0);
    b.tp.cfg.rx_size = 99;
    CU_ASSERT_EQUAL(isotp_send(&a.tp, message, 100, 0), BMS_ERR_OK);
    carry(&a, &b, 0, -1);
    CU_ASSERT_EQUAL(carry(&b, &a, 0, -1), 1);
    CU_ASSERT_FALSE(isotp_is_sending(&a.tp));
    CU_ASSERT_EQUAL(a.tp.counts.overflows, 1);
    CU_ASSERT_EQUAL(b.tp.counts.overflows, 1);
    CU_ASSERT_EQUAL(isotp_send(&a.tp, message, 99, 0), BMS_ERR_OK);
    run(0, 5);
    expect_message(&b, 99);
    isotp_receive(&b.tp, &huge, 10);
    CU_ASSERT_EQUAL(carry(&b, &a, 10, -1), 1);
    CU_ASSERT_EQUAL(b.tp.counts.overflows, 2);
}

static void test_malformed_frames_are_counted_and_change_nothing(void)
{
    static const struct {
        uint8_t len, b0, b1;
    } rows[] = { { 0, 0, 0 },    { 8, 0x00, 1 }, { 8, 0x08, 1 }, { 3, 0x03, 1 }, { 8, 0x10, 7 }, { 7, 0x10, 20 },
                 { 8, 0x21, 0 }, { 3, 0x30, 0 }, { 2, 0x30, 0 }, { 8, 0x40, 0 }, { 8, 0xF0, 0 } };

    setup(0, 0);
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct can_frame f = frame(TESTER, rows[i].len, rows[i].b0, rows[i].b1, 0);

        CU_ASSERT_TRUE(isotp_receive(&b.tp, &f, 0));
        CU_ASSERT_EQUAL(b.tp.counts.unexpected, i + 1);
    }
    CU_ASSERT_EQUAL(carry(&b, &a, 0, -1), 0);
}

static void test_reserved_flow_status_aborts(void)
{
    struct can_frame odd = frame(BOARD, 3, 0x33, 0, 0);

    setup(0, 0);
    CU_ASSERT_EQUAL(isotp_send(&a.tp, message, 20, 0), BMS_ERR_OK);
    carry(&a, &b, 0, -1);
    isotp_receive(&a.tp, &odd, 1);
    CU_ASSERT_FALSE(isotp_is_sending(&a.tp));
}

static void test_new_first_frame_replaces_a_half_received_message(void)
{
    setup(0, 0);
    CU_ASSERT_EQUAL(isotp_send(&a.tp, message, 40, 0), BMS_ERR_OK);
    carry(&a, &b, 0, -1);
    a.tp.tx_state = 0; /* the tester starts anew */
    CU_ASSERT_EQUAL(isotp_send(&a.tp, message, 33, 0), BMS_ERR_OK);
    run(0, 5);
    expect_message(&b, 33);
    CU_ASSERT_EQUAL(b.tp.counts.unexpected, 1);
}

static void test_clock_wrap_changes_nothing(void)
{
    setup(2, 5);
    CU_ASSERT_EQUAL(isotp_send(&a.tp, message, 200, UINT32_MAX - 50), BMS_ERR_OK);
    run(UINT32_MAX - 50, 400);
    expect_message(&b, 200);
    CU_ASSERT_EQUAL(a.tp.counts.timeouts + b.tp.counts.timeouts, 0);
}

static void test_both_ways_at_once(void)
{
    setup(4, 1);
    CU_ASSERT_EQUAL(isotp_send(&a.tp, message, 300, 0), BMS_ERR_OK);
    CU_ASSERT_EQUAL(isotp_send(&b.tp, message, 500, 0), BMS_ERR_OK);
    run(0, 300);
    expect_message(&b, 300);
    expect_message(&a, 500);
}

static void test_forgotten_message_is_given_up(void)
{
    struct can_frame f;

    setup(0, 0);
    CU_ASSERT_EQUAL(isotp_send(&a.tp, message, 5, 0), BMS_ERR_OK);
    CU_ASSERT_EQUAL(isotp_poll(&a.tp, ISOTP_TIMEOUT_MS + 1, &f), 0); /* N_As */
    CU_ASSERT_EQUAL(a.tp.counts.timeouts, 1);
}

static void test_noise_never_leaves_the_buffers(void)
{
    setup(3, 0);
    b.tp.cfg.rx_size = 64;
    memset(b.rx, 0xA5, sizeof(b.rx));
    srand(7);
    for (uint32_t i = 0; i < 200000; i++) {
        struct can_frame f = frame(TESTER, (uint8_t)(rand() % 9), (uint8_t)rand(), (uint8_t)rand(), (uint8_t)rand());
        struct can_frame out;
        const uint8_t *got;

        isotp_receive(&b.tp, &f, i);
        while (isotp_poll(&b.tp, i, &out) == 1)
            CU_ASSERT_EQUAL(out.id, BOARD);
        CU_ASSERT_TRUE(isotp_take(&b.tp, &got) <= 64);
    }
    for (size_t i = 64; i < sizeof(b.rx); i++)
        CU_ASSERT_EQUAL(b.rx[i], 0xA5);
}

int main(void)
{
    static CU_TestInfo tests[] = {
        { "lengths at the limits arrive whole", test_lengths_at_the_limits_arrive_whole },
        { "every length with every block size", test_every_length_with_every_block_size },
        { "bad lengths and a second message are refused", test_bad_lengths_and_a_second_message_are_refused },
        { "frames of others are ignored", test_frames_of_others_are_ignored },
        { "separation time is obeyed", test_separation_time_is_obeyed },
        { "each of the 256 separation codes, to the ms", test_each_of_the_256_separation_codes },
        { "block size waits for flow control", test_block_size_waits_for_flow_control },
        { "lost flow control ends the transmission", test_lost_flow_control_ends_the_transmission },
        { "lost consecutive frame ends the reception", test_lost_consecutive_frame_ends_the_reception },
        { "lost last frame is a time-out", test_lost_last_frame_is_a_time_out },
        { "wait holds the transmission, but not for ever", test_wait_holds_the_transmission_but_not_for_ever },
        { "too long a message is answered with overflow", test_too_long_a_message_is_answered_with_overflow },
        { "malformed frames are counted and change nothing", test_malformed_frames_are_counted_and_change_nothing },
        { "reserved flow status aborts", test_reserved_flow_status_aborts },
        { "new first frame replaces a half-received message", test_new_first_frame_replaces_a_half_received_message },
        { "clock wrap changes nothing", test_clock_wrap_changes_nothing },
        { "both ways at once", test_both_ways_at_once },
        { "forgotten message is given up", test_forgotten_message_is_given_up },
        { "noise never leaves the buffers", test_noise_never_leaves_the_buffers },
        CU_TEST_INFO_NULL,
    };
    return suite_run("isotp", tests);
}
