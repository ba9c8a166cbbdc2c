/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "common/err.h"
#include "firmware/core/charge/j1939_tp.h"
#include "tests/unit/suite.h"

enum { A = 0xF4, B = 0x56, PGN = 0x0200 };

static uint8_t a_tx[J1939_TP_MAX], a_rx[J1939_TP_MAX], b_tx[J1939_TP_MAX], b_rx[J1939_TP_MAX], message[J1939_TP_MAX];
static struct j1939_tp a, b;
static struct can_frame out;
static const uint8_t *data;
static uint32_t pgn;

static void start(size_t b_room)
{
    j1939_tp_init(&a, &(struct j1939_tp_config) {
                          .own = A, .peer = B, .tx_buf = a_tx, .tx_size = sizeof(a_tx), .rx_buf = a_rx, .rx_size = sizeof(a_rx) });
    j1939_tp_init(
        &b, &(struct j1939_tp_config) { .own = B, .peer = A, .tx_buf = b_tx, .tx_size = sizeof(b_tx), .rx_buf = b_rx, .rx_size = b_room });
    for (size_t i = 0; i < sizeof(message); i++)
        message[i] = (uint8_t)(i * 7 + i / 256);
}

/* Carry frames both ways until both are quiet. Returns how many. */
static int talk(uint32_t now_ms)
{
    int n = 0;

    for (bool moved = true; moved && n < 2000;) {
        moved = false;
        if (j1939_tp_poll(&a, now_ms, &out)) {
            j1939_tp_receive(&b, &out, now_ms);
            moved = true;
            n++;
        }
        if (j1939_tp_poll(&b, now_ms, &out)) {
            j1939_tp_receive(&a, &out, now_ms);
            moved = true;
            n++;
        }
    }
    return n;
}

static void give(struct j1939_tp *to, uint8_t pf, uint8_t dest, uint8_t from, const char *hex, uint32_t now_ms)
{
    struct can_frame f = { .id = 0x1C000000u | (uint32_t)pf << 16 | (uint32_t)dest << 8 | from, .ext = true };
    unsigned byte;

    for (; *hex; hex += 2) {
        sscanf(hex, "%2x", &byte);
        f.data[f.len++] = (uint8_t)byte;
    }
    j1939_tp_receive(to, &f, now_ms);
}

static bool says(struct j1939_tp *tp, uint32_t now_ms, uint32_t id, const char *hex)
{
    char text[17] = "";

    if (!j1939_tp_poll(tp, now_ms, &out))
        return false;
    for (int i = 0; i < out.len; i++)
        snprintf(text + 2 * i, 3, "%02X", out.data[i]);
    return out.ext && out.id == id && strcmp(text, hex) == 0;
}

static void test_all_lengths(void)
{
    start(sizeof(b_rx));
    CU_ASSERT_EQUAL(j1939_tp_send(&a, PGN, message, 8, 0), BMS_ERR_RANGE);
    CU_ASSERT_EQUAL(j1939_tp_send(&a, PGN, message, J1939_TP_MAX + 1, 0), BMS_ERR_RANGE);
    for (size_t n = J1939_TP_MIN; n <= J1939_TP_MAX; n++) {
        memset(b_rx, 0, sizeof(b_rx));
        CU_ASSERT_EQUAL(j1939_tp_send(&a, PGN, message, n, 5), 0);
        CU_ASSERT_EQUAL(j1939_tp_send(&a, PGN, message, n, 5), BMS_ERR_STATE);
        talk(5);
        CU_ASSERT_EQUAL(j1939_tp_take(&b, &pgn, &data), n);
        CU_ASSERT_EQUAL(pgn, PGN);
        CU_ASSERT_EQUAL(memcmp(data, message, n), 0);
        CU_ASSERT_EQUAL(j1939_tp_take(&b, &pgn, &data), 0);
        CU_ASSERT_FALSE(j1939_tp_is_sending(&a));
    }
    CU_ASSERT_EQUAL(a.counts.sent, J1939_TP_MAX - J1939_TP_MIN + 1);
    CU_ASSERT_EQUAL(b.counts.received, a.counts.sent);
}

/* As a charger and a BMS were recorded. */
static void test_recorded(void)
{
    start(sizeof(b_rx));
    j1939_tp_send(&a, 0x0600, (const uint8_t[]) { 0x9E, 1, 0xB8, 0xB, 0x4E, 0, 0x8E, 0x17, 0x6E, 0xCA, 3, 0x24, 0x13 }, 13, 0);
    CU_ASSERT(says(&a, 0, 0x1CEC56F4, "100D0002FF000600"));
    give(&b, 0xEC, B, A, "100D0002FF000600", 0);
    CU_ASSERT(says(&b, 0, 0x1CECF456, "110201FFFF000600"));
    CU_ASSERT_FALSE(says(&a, 0, 0, ""));
    give(&a, 0xEC, A, B, "110201FFFF000600", 10);
    CU_ASSERT(says(&a, 10, 0x1CEB56F4, "019E01B80B4E008E"));
    CU_ASSERT(says(&a, 10, 0x1CEB56F4, "02176ECA032413FF"));
    give(&b, 0xEB, B, A, "019E01B80B4E008E", 10);
    give(&b, 0xEB, B, A, "02176ECA032413FF", 10);
    CU_ASSERT(says(&b, 10, 0x1CECF456, "130D0002FF000600"));
    give(&a, 0xEC, A, B, "130D0002FF000600", 10);
    CU_ASSERT_FALSE(j1939_tp_is_sending(&a));
}

static void test_blocks_and_holding(void)
{
    start(sizeof(b_rx));
    j1939_tp_send(&a, PGN, message, 49, 0);
    j1939_tp_poll(&a, 0, &out);
    give(&a, 0xEC, A, B, "110201FFFF000200", 0); /* two, from the first */
    j1939_tp_poll(&a, 0, &out);
    CU_ASSERT_EQUAL(out.data[0], 1);
    j1939_tp_poll(&a, 0, &out);
    CU_ASSERT_EQUAL(out.data[0], 2);
    CU_ASSERT_EQUAL(j1939_tp_poll(&a, 0, &out), 0);
    give(&a, 0xEC, A, B, "1100FFFFFF000200", 100); /* wait */
    CU_ASSERT_EQUAL(j1939_tp_poll(&a, 100 + J1939_T4_MS, &out), 0);
    CU_ASSERT(j1939_tp_is_sending(&a));
    give(&a, 0xEC, A, B, "110602FFFF000200", 100 + J1939_T4_MS); /* the second once more, and the rest */
    for (int i = 2; i <= 7; i++) {
        CU_ASSERT_EQUAL(j1939_tp_poll(&a, 1200, &out), 1);
        CU_ASSERT_EQUAL(out.data[0], i);
    }
    give(&a, 0xEC, A, B, "13310007FF000200", 1200);
    CU_ASSERT_FALSE(j1939_tp_is_sending(&a));
    j1939_tp_send(&a, PGN, message, 49, 0); /* held for ever: given up */
    j1939_tp_poll(&a, 0, &out);
    for (uint32_t t = 0; t <= J1939_HOLD_MS + 500; t += 500)
        give(&a, 0xEC, A, B, "1100FFFFFF000200", t);
    CU_ASSERT_FALSE(j1939_tp_is_sending(&a));
    CU_ASSERT(says(&a, 6000, 0x1CEC56F4, "FF03FFFFFF000200"));
    give(&b, 0xEC, B, A, "1031000702000200", 0); /* the peer takes two at a time */
    CU_ASSERT(says(&b, 0, 0x1CECF456, "110201FFFF000200"));
    give(&b, 0xEB, B, A, "0100000000000000", 0);
    CU_ASSERT_EQUAL(j1939_tp_poll(&b, 0, &out), 0);
    give(&b, 0xEB, B, A, "0200000000000000", 0);
    CU_ASSERT(says(&b, 0, 0x1CECF456, "110203FFFF000200"));
}

static void test_sender_waits_end(void)
{
    start(sizeof(b_rx));
    j1939_tp_send(&a, PGN, message, 20, 0);
    j1939_tp_poll(&a, 1000, &out); /* T3 counts from the frame */
    CU_ASSERT_EQUAL(j1939_tp_poll(&a, 1000 + J1939_T3_MS, &out), 0);
    CU_ASSERT(j1939_tp_is_sending(&a));
    CU_ASSERT(says(&a, 1001 + J1939_T3_MS, 0x1CEC56F4, "FF03FFFFFF000200"));
    CU_ASSERT_FALSE(j1939_tp_is_sending(&a));
    j1939_tp_send(&a, PGN, message, 20, 0);
    j1939_tp_poll(&a, 0, &out);
    give(&a, 0xEC, A, B, "1100FFFFFF000200", 0);
    CU_ASSERT_EQUAL(j1939_tp_poll(&a, J1939_T4_MS, &out), 0);
    CU_ASSERT(says(&a, J1939_T4_MS + 1, 0x1CEC56F4, "FF03FFFFFF000200"));
    j1939_tp_send(&a, PGN, message, 20, 0); /* and across the wrap of the clock */
    j1939_tp_poll(&a, 0xFFFFFF00u, &out);
    CU_ASSERT_EQUAL(j1939_tp_poll(&a, 0xFFFFFF00u + J1939_T3_MS, &out), 0);
    CU_ASSERT_EQUAL(j1939_tp_poll(&a, 0xFFFFFF01u + J1939_T3_MS, &out), 1);
    CU_ASSERT_EQUAL(a.counts.timeouts, 3);
}

static void test_receiver_waits_end(void)
{
    start(sizeof(b_rx));
    give(&b, 0xEC, B, A, "10310007FF000200", 0);
    j1939_tp_poll(&b, 10, &out);
    CU_ASSERT_EQUAL(j1939_tp_poll(&b, 10 + J1939_T2_MS, &out), 0);
    CU_ASSERT(says(&b, 11 + J1939_T2_MS, 0x1CECF456, "FF03FFFFFF000200"));
    give(&b, 0xEC, B, A, "10310007FF000200", 0);
    j1939_tp_poll(&b, 0, &out);
    give(&b, 0xEB, B, A, "0100000000000000", 0);
    CU_ASSERT_EQUAL(j1939_tp_poll(&b, J1939_T1_MS, &out), 0);
    CU_ASSERT(says(&b, J1939_T1_MS + 1, 0x1CECF456, "FF03FFFFFF000200"));
    CU_ASSERT_EQUAL(b.counts.timeouts, 2);
}

static void test_lost_and_repeated(void)
{
    start(sizeof(b_rx));
    give(&b, 0xEC, B, A, "10110003FF000200", 0);
    j1939_tp_poll(&b, 0, &out);
    give(&b, 0xEB, B, A, "0100000000000000", 0);
    give(&b, 0xEB, B, A, "0100000000000000", 0); /* repeated: no harm */
    give(&b, 0xEB, B, A, "03000000FFFFFFFF", 0); /* one is lost */
    CU_ASSERT(says(&b, 0, 0x1CECF456, "FF07FFFFFF000200"));
    CU_ASSERT_EQUAL(b.counts.sequence_errors, 1);
    CU_ASSERT_EQUAL(j1939_tp_take(&b, &pgn, &data), 0);
    give(&b, 0xEC, B, A, "10110003FF000200", 0); /* begun anew in the middle: the new one counts */
    give(&b, 0xEB, B, A, "0100000000000000", 0);
    give(&b, 0xEC, B, A, "10090002FF001100", 0);
    give(&b, 0xEB, B, A, "0101020304050607", 0);
    give(&b, 0xEB, B, A, "020809FFFFFFFFFF", 0);
    CU_ASSERT_EQUAL(j1939_tp_take(&b, &pgn, &data), 9);
    CU_ASSERT_EQUAL(pgn, 0x1100);
    CU_ASSERT_EQUAL(data[8], 9);
}

static void test_hostile(void)
{
    static const char *const bad[] = { "10080002FF000200", "10FA06FFFF000200", "1031000600000200", "10310008FF000200", "1031000700000200",
                                       "10310007FF0002",   "10FFFFFFFF000200", "1000000000000000", "12310007FF000200" };

    start(sizeof(b_rx));
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        give(&b, 0xEC, B, A, bad[i], 0);
        if (j1939_tp_poll(&b, 0, &out))
            CU_ASSERT_EQUAL(out.data[0], 0xFF);
        give(&b, 0xEB, B, A, "0101020304050607", 0);
        CU_ASSERT_EQUAL(j1939_tp_poll(&b, 0, &out), 0);
        CU_ASSERT_EQUAL(j1939_tp_take(&b, &pgn, &data), 0);
    }
    CU_ASSERT_EQUAL(b.counts.malformed, 18);
    start(48); /* one byte less than is announced */
    give(&b, 0xEC, B, A, "10310007FF000200", 0);
    CU_ASSERT(says(&b, 0, 0x1CECF456, "FF02FFFFFF000200"));
    j1939_tp_send(&a, PGN, message, 49, 0);
    j1939_tp_poll(&a, 0, &out);
    give(&a, 0xEC, A, B, "110801FFFF000200", 0); /* eight of seven */
    CU_ASSERT(says(&a, 0, 0x1CEC56F4, "FF07FFFFFF000200"));
    j1939_tp_send(&a, PGN, message, 49, 0);
    j1939_tp_poll(&a, 0, &out);
    give(&a, 0xEC, A, B, "110701FFFF001100", 0); /* somebody else's */
    CU_ASSERT_EQUAL(j1939_tp_poll(&a, 0, &out), 0);
    give(&a, 0xEC, A, B, "FF01FFFFFF000200", 0);
    CU_ASSERT_FALSE(j1939_tp_is_sending(&a));
    give(&a, 0xEC, A, 0x57, "10310007FF000200", 0); /* another sender */
    CU_ASSERT_EQUAL(j1939_tp_poll(&a, 0, &out), 0);
}

static void test_broadcast(void)
{
    start(sizeof(b_rx));
    give(&b, 0xEC, 0xFF, A, "20090002FF001100", 0);
    CU_ASSERT_EQUAL(j1939_tp_poll(&b, 0, &out), 0);
    give(&b, 0xEB, 0xFF, A, "0101020304050607", 100);
    give(&b, 0xEB, 0xFF, A, "020809FFFFFFFFFF", 100 + J1939_T1_MS);
    CU_ASSERT_EQUAL(j1939_tp_take(&b, &pgn, &data), 9);
    CU_ASSERT_EQUAL(j1939_tp_poll(&b, 900, &out), 0);
    give(&b, 0xEC, 0xFF, A, "20090002FF001100", 0);
    give(&b, 0xEB, 0xFF, A, "0101020304050607", 100);
    give(&b, 0xEB, 0xFF, A, "020809FFFFFFFFFF", 101 + J1939_T1_MS); /* too late */
    CU_ASSERT_EQUAL(j1939_tp_take(&b, &pgn, &data), 0);
    CU_ASSERT_EQUAL(j1939_tp_poll(&b, 900, &out), 0);
}

int main(void)
{
    CU_TestInfo tests[] = {
        { "every length from 9 to 1,785 bytes arrives whole", test_all_lengths },
        { "the frames are those of a recorded session", test_recorded },
        { "a peer takes blocks, repeats a block, waits, and does not wait for ever", test_blocks_and_holding },
        { "the sender's waits end at T3 and T4, not before", test_sender_waits_end },
        { "the receiver's waits end at T1 and T2, not before", test_receiver_waits_end },
        { "a lost packet ends the transfer, a repeated one does not, a new one replaces it", test_lost_and_repeated },
        { "lengths and numbers that cannot be are refused", test_hostile },
        { "a broadcast is heard in silence", test_broadcast },
        CU_TEST_INFO_NULL,
    };

    return suite_run("j1939_tp", tests);
}
