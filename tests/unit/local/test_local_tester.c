/* SPDX-License-Identifier: Apache-2.0 */
/* test_tester.c -- the upper computer as tester, against a board that answers, refuses, is slow, or is silent. */
#include "local/core/tester.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "common/bytes.h"
#include "common/err.h"
#include "proto/can0.h"
#include "proto/tables.h"
#include "tests/unit/suite.h"

static struct tester t;
static struct isotp board;
static uint8_t board_rx[UDS_BLOCK_MAX], board_tx[1024];
static uint32_t now;
static unsigned asked;  /* requests that reached the board */
static unsigned deaf;   /* how many of the next requests it does not answer */
static unsigned slow;   /* "response pending" before the next answer */
static uint8_t refuses; /* service that it refuses with `nrc` */
static uint8_t nrc, last[64];
static uint32_t tables; /* hash that the board tells */

static void setup_world(void)
{
    struct isotp_config cfg = { .tx_id = CAN0_ISOTP_FROM_BIU,
                                .rx_id = CAN0_ISOTP_TO_BIU,
                                .tx_buf = board_tx,
                                .tx_size = sizeof(board_tx),
                                .rx_buf = board_rx,
                                .rx_size = sizeof(board_rx) };

    isotp_init(&board, &cfg);
    tester_init(&t);
    now = UINT32_MAX - 500; /* the clock wraps on the way */
    asked = deaf = slow = 0;
    refuses = nrc = 0;
    tables = tables_hash();
}

/* What a board says to req[n]: the length of its answer in out. */
static size_t says(const uint8_t *req, size_t n, uint8_t *out)
{
    if (req[0] == refuses) {
        out[0] = UDS_NEGATIVE;
        out[1] = req[0];
        out[2] = nrc;
        return 3;
    }
    memcpy(out, req, n < 4 ? n : 4);
    out[0] = (uint8_t)(req[0] + 0x40);
    if (req[0] == UDS_SECURITY && req[1] == 1) {
        put_be32(out + 2, 0x12345678);
        return 6;
    }
    if (req[0] != UDS_READ_DATA)
        return req[0] == UDS_WRITE_DATA ? 3 : req[0] == UDS_ROUTINE ? 4 : 2;
    if (get_be16(req + 1) == DID_CATALOGUE) {
        put_be32(out + 3, tables);
        return 15;
    }
    size_t at = 1;

    for (size_t i = 1; i + 1 < n; i += 2, at += 6) {
        memcpy(out + at, req + i, 2);
        put_be32(out + at + 2, 42);
    }
    return at;
}

static void answer(const uint8_t *req, size_t n)
{
    static uint8_t out[1024];

    asked++;
    memcpy(last, req, n < sizeof(last) ? n : sizeof(last));
    if (deaf) {
        deaf--;
        return;
    }
    if (slow) {
        slow--;
        isotp_send(&board, (const uint8_t[]) { UDS_NEGATIVE, req[0], UDS_NRC_PENDING }, 3, now);
        return;
    }
    isotp_send(&board, out, says(req, n, out), now);
}

static uint8_t waiting[64]; /* request behind "pending" */
static size_t waiting_n;

/* 1 ms of bus and both ends. */
static enum tester_state tick(void)
{
    struct can_frame f;
    const uint8_t *req;

    now++;
    enum tester_state state = tester_step(&t, now);

    while (tester_output(&t, now, &f) == 1)
        isotp_receive(&board, &f, now);
    size_t n = isotp_take(&board, &req);

    if (n > 0) {
        waiting_n = slow ? (n < sizeof(waiting) ? n : sizeof(waiting)) : 0;
        memcpy(waiting, req, waiting_n);
        answer(req, n);
    } else if (waiting_n > 0 && !isotp_is_sending(&board)) {
        answer(waiting, waiting_n);
        waiting_n = slow ? waiting_n : waiting_n;
        if (!slow && isotp_is_sending(&board))
            waiting_n = 0;
    }
    while (isotp_poll(&board, now, &f) == 1)
        tester_feed(&t, &f, now);
    return state;
}

/* Run to the end of the task, at most ms. */
static bool run(uint32_t ms)
{
    for (uint32_t i = 0; i < ms; i++)
        if (tick() == TESTER_DONE)
            return true;
    return false;
}

static void test_reads_everything(void)
{
    static const struct command reading = { .act = COMMAND_READ };

    setup_world();
    CU_ASSERT_EQUAL(tester_params(&t, &reading), 0);
    CU_ASSERT_EQUAL(tester_params(&t, &reading), BMS_ERR_STATE);
    CU_ASSERT_TRUE(run(2000));
    CU_ASSERT(t.end == TESTER_OK && t.params.complete && t.params.running[0] == 42 && t.params.stored[PARAMS - 1] == 42);
    CU_ASSERT_EQUAL(asked, (2 * PARAMS + TESTER_BLOCK - 1) / TESTER_BLOCK);
}

static void test_writes_behind_the_key(void)
{
    static const struct command writing = { .act = COMMAND_WRITE, .writes = 1, .write = { { .id = 80, .value = 42 } } };

    setup_world();
    tester_params(&t, &writing);
    CU_ASSERT_TRUE(run(3000));
    CU_ASSERT(t.end == TESTER_OK && t.run.has_values);
    CU_ASSERT(asked > 4);
}

static void test_other_tables(void)
{
    static const struct command writing = { .act = COMMAND_WRITE, .writes = 1, .write = { { .id = 80, .value = 42 } } };

    setup_world();
    tables ^= 1;
    tester_params(&t, &writing);
    CU_ASSERT_TRUE(run(3000));
    CU_ASSERT(t.end == TESTER_REFUSED && asked == 1 && !t.run.has_values);
    char both[64];

    snprintf(both, sizeof(both), "tables %08" PRIx32 ", this program %08" PRIx32 ":", tables, tables_hash());
    CU_ASSERT_PTR_NOT_NULL(strstr(t.detail, both));
    CU_ASSERT_EQUAL(t.board_tables, tables);
}

static void test_reading_other_tables(void)
{
    static const struct command reading = { .act = COMMAND_READ };

    setup_world();
    tables ^= 1;
    t.checks_reads = true;
    tester_params(&t, &reading);
    CU_ASSERT_TRUE(run(3000));
    CU_ASSERT(t.end == TESTER_REFUSED && asked == 1 && !t.run.has_values && t.board_tables == tables);
    CU_ASSERT_PTR_NOT_NULL(strstr(t.detail, "nothing was read"));
    tables ^= 1;
    tester_params(&t, &reading);
    CU_ASSERT_TRUE(run(3000));
    CU_ASSERT(t.end == TESTER_OK && t.run.has_values && t.board_tables == 0);
    refuses = UDS_READ_DATA; /* an older board does not tell, and is asked all the same */
    nrc = UDS_NRC_RANGE;
    asked = 0;
    tester_params(&t, &reading);
    CU_ASSERT_TRUE(run(3000));
    CU_ASSERT(t.end == TESTER_REFUSED && asked == 2 && t.nrc == UDS_NRC_RANGE);
}

static void test_a_board_without_a_lock(void)
{
    static const struct command writing = { .act = COMMAND_WRITE, .writes = 1, .write = { { .id = 80, .value = 42 } } };

    setup_world();
    refuses = UDS_SECURITY;
    nrc = UDS_NRC_SERVICE;
    tester_params(&t, &writing);
    CU_ASSERT_TRUE(run(3000));
    CU_ASSERT_EQUAL(t.end, TESTER_OK);
}

static void test_what_needs_the_key_ends_there(void)
{
    static const uint8_t simulate[] = { UDS_ROUTINE, 0x01, 0x02, 0x07, 2, 0, 10 };

    setup_world();
    refuses = UDS_SECURITY;
    nrc = UDS_NRC_DELAY;
    tester_ask(&t, simulate, sizeof(simulate), TESTER_KEY);
    CU_ASSERT_TRUE(run(3000));
    CU_ASSERT(t.end == TESTER_REFUSED && t.nrc == UDS_NRC_DELAY);
    CU_ASSERT_PTR_NOT_NULL(strstr(t.detail, "10 s"));
    CU_ASSERT_EQUAL(last[0], UDS_SECURITY);
}

static void test_a_refusal_is_said(void)
{
    static const uint8_t clear[] = { UDS_CLEAR_DTC, 0xFF, 0xFF, 0xFF };

    setup_world();
    refuses = UDS_CLEAR_DTC;
    nrc = UDS_NRC_CONDITIONS;
    tester_ask(&t, clear, sizeof(clear), TESTER_OPEN);
    CU_ASSERT_TRUE(run(3000));
    CU_ASSERT(t.end == TESTER_REFUSED && t.nrc == UDS_NRC_CONDITIONS);
    CU_ASSERT_EQUAL(asked, 1); /* a refusal is an answer */
}

static void test_a_silent_board(void)
{
    static const uint8_t clear[] = { UDS_CLEAR_DTC, 0xFF, 0xFF, 0xFF };

    setup_world();
    deaf = 2;
    tester_ask(&t, clear, sizeof(clear), TESTER_OPEN);
    CU_ASSERT_TRUE(run(3 * (UDS_P2_MS + 10)));
    CU_ASSERT(t.end == TESTER_OK && asked == 3);
    setup_world();
    deaf = 1000;
    tester_ask(&t, clear, sizeof(clear), TESTER_OPEN);
    CU_ASSERT_TRUE(run(3 * (UDS_P2_MS + 10)));
    CU_ASSERT(t.end == TESTER_SILENT && asked == TESTER_TRIES);
    CU_ASSERT_PTR_NOT_NULL(strstr(t.detail, "does not answer"));
}

static void test_a_restart_is_asked_for_once(void)
{
    static const struct command restart = { .act = COMMAND_RESTART };

    setup_world();
    deaf = 1000;
    tester_params(&t, &restart);
    CU_ASSERT_TRUE(run(4 * UDS_P2_MS));
    CU_ASSERT(t.end == TESTER_SILENT && asked == 1);
}

static void test_a_slow_board(void)
{
    static const uint8_t clear[] = { UDS_CLEAR_DTC, 0xFF, 0xFF, 0xFF };

    setup_world();
    slow = 3;
    tester_ask(&t, clear, sizeof(clear), TESTER_OPEN);
    CU_ASSERT_TRUE(run(3 * UDS_P2_STAR_MS));
    CU_ASSERT_EQUAL(t.end, TESTER_OK);
}

static void test_limits(void)
{
    static const uint8_t request[TESTER_ASK_MAX + 1] = { UDS_ROUTINE };

    setup_world();
    CU_ASSERT_EQUAL(tester_ask(&t, request, 0, TESTER_OPEN), BMS_ERR_RANGE);
    CU_ASSERT_EQUAL(tester_ask(&t, request, TESTER_ASK_MAX + 1, TESTER_OPEN), BMS_ERR_RANGE);
    CU_ASSERT_EQUAL(tester_upgrade(&t, request, 0), BMS_ERR_RANGE);
    CU_ASSERT_EQUAL(tester_ask(&t, request, TESTER_ASK_MAX, TESTER_OPEN), 0);
}

int main(void)
{
    CU_TestInfo tests[] = {
        { "both copies of all parameters are read in requests of 64, over a wrap of the clock [UC-3]", test_reads_everything },
        { "a write unlocks first and is read back [UC-5]", test_writes_behind_the_key },
        { "a board with other tables of parameters is not written to [UC-5]", test_other_tables },
        { "the pages do not show a board with other tables by our names [UC-3]", test_reading_other_tables },
        { "a board that knows no lock is written to all the same [UC-5]", test_a_board_without_a_lock },
        { "what needs the key by the book ends where the key is refused [UC-6]", test_what_needs_the_key_ends_there },
        { "a refusal ends the task with its reason and is not repeated", test_a_refusal_is_said },
        { "a request without an answer is sent three times, then the task ends", test_a_silent_board },
        { "a restart is asked for once", test_a_restart_is_asked_for_once },
        { "response pending is waited for", test_a_slow_board },
        { "empty and too long requests, and empty programs, are not begun", test_limits },
        CU_TEST_INFO_NULL,
    };

    return suite_run("tester", tests);
}
