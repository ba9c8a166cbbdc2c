/* SPDX-License-Identifier: Apache-2.0 */
/* test_rs485_host.c -- the cable tool's end of RS485, against the frames that the board makes. */
#include "local/core/rs485_host.h"

#include <string.h>

#include "common/bytes.h"
#include "firmware/core/talk/rs485.h"
#include "tests/unit/suite.h"

_Static_assert((int)RS485_HOST_ANSWER == (int)UDS_RESPONSE_MAX, "the longest answer of a board");

static struct rs485_host h;
static uint8_t frame[RS485_TX_MAX + 1];
static const uint8_t *got;

/* Feed bytes[n] at now_ms; the length of the last answer among them. */
static size_t feed(const uint8_t *bytes, size_t n, uint32_t now_ms)
{
    size_t found = 0;

    for (size_t i = 0; i < n; i++) {
        size_t k = rs485_host_take(&h, bytes[i], now_ms, &got);

        found = k ? k : found;
    }
    return found;
}

static void the_board_takes_what_is_framed(void)
{
    static const uint8_t request[] = { UDS_READ_DATA, 0x20, 0x01 };
    struct rs485 board;
    static struct params params;
    static struct uds uds = { .params = &params };
    static uint8_t tx[RS485_TX_MAX];

    rs485_init(&board);
    size_t n = rs485_host_put(request, sizeof(request), frame);

    CU_ASSERT_EQUAL(n, RS485_HEAD + sizeof(request) + RS485_CRC);
    CU_ASSERT_EQUAL(rs485_step(&board, &uds, frame, n, 10, tx), 0);
    CU_ASSERT_EQUAL_FATAL(rs485_take(&board, &got), sizeof(request));
    CU_ASSERT_EQUAL(memcmp(got, request, sizeof(request)), 0);
}

static void requests_of_the_longest_block_are_framed_and_no_longer_ones(void)
{
    static uint8_t request[UDS_BLOCK_MAX + 1];
    static uint8_t out[RS485_FRAME_MAX];

    CU_ASSERT_EQUAL(rs485_host_put(request, UDS_BLOCK_MAX, out), RS485_FRAME_MAX);
    CU_ASSERT_EQUAL(rs485_host_put(request, UDS_BLOCK_MAX + 1, out), 0);
    CU_ASSERT_EQUAL(rs485_host_put(request, 0, out), 0);
}

static void answers_of_one_byte_and_of_the_longest_come_through(void)
{
    static uint8_t uds[RS485_HOST_ANSWER];
    const size_t sizes[] = { 1, RS485_HOST_ANSWER };

    memset(uds, RS485_ADDRESS, sizeof(uds));
    rs485_host_init(&h);
    for (size_t i = 0; i < 2; i++) {
        size_t n = rs485_frame(uds, sizes[i], frame);

        CU_ASSERT_EQUAL(feed(frame, n - 1, 7), 0);
        CU_ASSERT_EQUAL_FATAL(feed(frame + n - 1, 1, 7), sizes[i]);
        CU_ASSERT_EQUAL(memcmp(got, uds, sizes[i]), 0);
    }
}

static void lengths_that_no_answer_has_are_not_waited_for(void)
{
    const uint8_t uds[] = { 0x7E, 0 };
    uint8_t empty[] = { RS485_ADDRESS, RS485_ANSWER, 0, 0 }, long_one[] = { RS485_ADDRESS, RS485_ANSWER, 0, 0 };

    rs485_host_init(&h);
    put_be16(long_one + 2, RS485_HOST_ANSWER + 1);
    size_t n = rs485_frame(uds, sizeof(uds), frame);

    CU_ASSERT_EQUAL(feed(empty, sizeof(empty), 1), 0);
    CU_ASSERT_EQUAL(feed(frame, n, 1), sizeof(uds));
    CU_ASSERT_EQUAL(feed(long_one, sizeof(long_one), 1), 0);
    CU_ASSERT_EQUAL(feed(frame, n, 1), sizeof(uds));
}

static void a_display_and_our_own_echo_are_passed_over(void)
{
    const uint8_t display[] = { 1, 3, 0, 0, 0, 2, 0xC4, 0x0B, RS485_ADDRESS }, uds[] = { 0x62, 0x10, 0x11 };
    const uint8_t trap[] = { UDS_TRANSFER_DATA, 1, RS485_ADDRESS, RS485_ANSWER, 0, 1, 0x7E, 0, 0 };

    rs485_host_init(&h);
    CU_ASSERT_EQUAL(feed(display, sizeof(display), 1), 0);
    CU_ASSERT_EQUAL(feed(frame, rs485_host_put(trap, sizeof(trap), frame), 1), 0);
    CU_ASSERT_EQUAL(feed(frame, rs485_frame(uds, sizeof(uds), frame), 1), sizeof(uds));
    CU_ASSERT_EQUAL(h.broken, 0);
}

static void a_wrong_crc_is_dropped_and_the_next_answer_taken(void)
{
    const uint8_t uds[] = { 0x62, 0x10, 0x11 };

    rs485_host_init(&h);
    size_t n = rs485_frame(uds, sizeof(uds), frame);

    for (size_t bit = 0; bit < 8 * 2; bit++) { /* each bit of the CRC */
        frame[n - 1 - bit / 8] ^= (uint8_t)(1u << bit % 8);
        CU_ASSERT_EQUAL(feed(frame, n, 1), 0);
        frame[n - 1 - bit / 8] ^= (uint8_t)(1u << bit % 8);
        CU_ASSERT_EQUAL(feed(frame, n, 1), sizeof(uds));
    }
    CU_ASSERT_EQUAL(h.broken, 16);
}

static void a_frame_that_stops_is_over_after_the_silence_and_not_before(void)
{
    const uint8_t uds[] = { 0x62, 0x10, 0x11 };
    uint32_t now = UINT32_MAX - 10; /* the clock wraps in the pause */

    rs485_host_init(&h);
    size_t n = rs485_frame(uds, sizeof(uds), frame);

    feed(frame, 5, now);
    CU_ASSERT_EQUAL(feed(frame + 5, n - 5, now + RS485_SILENT_MS - 1), sizeof(uds));
    feed(frame, 5, now);
    CU_ASSERT_EQUAL(feed(frame + 5, n - 5, now + RS485_SILENT_MS), 0);
    CU_ASSERT_EQUAL(h.broken, 1);
    CU_ASSERT_EQUAL(feed(frame, n, now + RS485_SILENT_MS), sizeof(uds));
}

int main(void)
{
    CU_TestInfo tests[] = {
        { "the board takes what is framed [TA-4]", the_board_takes_what_is_framed },
        { "requests of the longest block are framed, and no longer ones [TA-4]",
          requests_of_the_longest_block_are_framed_and_no_longer_ones },
        { "answers of one byte and of the longest come through [TA-4]", answers_of_one_byte_and_of_the_longest_come_through },
        { "lengths that no answer has are not waited for [TA-4]", lengths_that_no_answer_has_are_not_waited_for },
        { "a display and our own echo are passed over [TA-4]", a_display_and_our_own_echo_are_passed_over },
        { "a wrong CRC is dropped and the next answer taken [TA-4]", a_wrong_crc_is_dropped_and_the_next_answer_taken },
        { "a frame that stops is over after the silence, and not before [TA-4]",
          a_frame_that_stops_is_over_after_the_silence_and_not_before },
        CU_TEST_INFO_NULL,
    };

    return suite_run("rs485_host", tests);
}
