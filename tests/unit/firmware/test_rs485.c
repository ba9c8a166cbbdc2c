/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "common/bytes.h"
#include "common/crc.h"
#include "firmware/core/talk/modbus.h"
#include "firmware/core/talk/rs485.h"
#include "tests/unit/firmware/tester_rig.h"
#include "tests/unit/suite.h"

static struct tester_rig t;
static struct rs485 line;
static uint8_t tx[RS485_TX_MAX];
static size_t n;

static void start(void)
{
    tester_rig_init(&t);
    rs485_init(&line);
}

static void step(const uint8_t *bytes, size_t len)
{
    n = rs485_step(&line, &t.uds, bytes, len, 10, tx);
}

static void quiet(void)
{
    step(NULL, 0);
}

static size_t with_crc(uint8_t *frame, size_t len)
{
    put_le16(frame + len, crc16_ibm(RS485_CRC_INIT, frame, len));
    return len + 2;
}

/* Known answer of the Modbus literature: read 3 input registers at 1000 from slave 1. */
static const uint8_t read_cells[] = { 0x01, 0x04, 0x03, 0xE8, 0x00, 0x03, 0x30, 0x7B };

static void test_frame_ends_with_silence(void)
{
    start();
    step(read_cells, sizeof(read_cells));
    CU_ASSERT_EQUAL(n, 0);
    quiet();
    CU_ASSERT_EQUAL(n, 11);
    CU_ASSERT(tx[0] == 1 && tx[1] == 4 && tx[2] == 6);
    CU_ASSERT_EQUAL(crc16_ibm(RS485_CRC_INIT, tx, n), 0); /* a CRC over data and CRC is 0 */
    quiet();
    CU_ASSERT_EQUAL(n, 0);
    for (size_t i = 0; i < sizeof(read_cells); i++) /* byte by byte, without a pause */
        step(read_cells + i, 1);
    quiet();
    CU_ASSERT_EQUAL(n, 11);
    CU_ASSERT_EQUAL(line.counts.received, 2);
}

static void test_pause_breaks_a_frame(void)
{
    start();
    for (size_t cut = 1; cut < sizeof(read_cells); cut++) {
        step(read_cells, cut);
        quiet();
        CU_ASSERT_EQUAL(n, 0);
        step(read_cells + cut, sizeof(read_cells) - cut);
        quiet();
        CU_ASSERT_EQUAL(n, 0);
    }
    CU_ASSERT_EQUAL(line.counts.received, 0);
    step(read_cells, sizeof(read_cells));
    quiet();
    CU_ASSERT_EQUAL(n, 11);
}

static void test_slow_line(void)
{
    start();
    params_set(&t.params, PARAM_rs485_baud, 1200); /* 3.5 characters are 32 ms */
    step(read_cells, 5);
    quiet();
    quiet();
    quiet();
    step(read_cells + 5, 3);
    quiet();
    quiet();
    quiet();
    CU_ASSERT_EQUAL(n, 0);
    quiet();
    CU_ASSERT_EQUAL(n, 11);
}

static void test_broken_frames_are_not_answered(void)
{
    uint8_t frame[sizeof(read_cells)], long_one[300] = { 1, 4 };

    start();
    for (size_t i = 0; i < 8 * sizeof(frame); i++) {
        memcpy(frame, read_cells, sizeof(frame));
        frame[i / 8] ^= (uint8_t)(1u << i % 8);
        step(frame, sizeof(frame));
        quiet();
        CU_ASSERT_EQUAL(n, 0);
    }
    step(frame, 3);
    quiet();
    CU_ASSERT_EQUAL(n, 0);
    step(long_one, with_crc(long_one, 255)); /* 257 bytes: one more than a frame has */
    quiet();
    CU_ASSERT_EQUAL(n, 0);
    CU_ASSERT_EQUAL(line.counts.broken, 8 * sizeof(frame) + 2);
}

static void test_other_slaves_and_broadcast(void)
{
    uint8_t frame[16] = { 2, 4, 0, 0, 0, 1 };
    unsigned balance = MODBUS_PARAM_16 + param_rows[PARAM_balance_start_mV].id;

    start();
    step(frame, with_crc(frame, 6));
    quiet();
    CU_ASSERT_EQUAL(n, 0);
    params_set(&t.params, PARAM_rs485_address, 2);
    step(frame, with_crc(frame, 6));
    quiet();
    CU_ASSERT_EQUAL(n, 7);
    frame[0] = 0;
    frame[1] = 6;
    put_be16(frame + 2, (uint16_t)balance);
    put_be16(frame + 4, 66);
    step(frame, with_crc(frame, 6));
    quiet();
    CU_ASSERT_EQUAL(n, 0);
    CU_ASSERT_EQUAL(t.params.running[PARAM_balance_start_mV], 66); /* done, not answered */
    frame[1] = 4;
    step(frame, with_crc(frame, 6));
    quiet();
    CU_ASSERT_EQUAL(n, 0);
}

static size_t cable_frame(uint8_t *frame, const uint8_t *uds, size_t len)
{
    frame[0] = RS485_ADDRESS;
    frame[1] = RS485_REQUEST;
    put_be16(frame + 2, (uint16_t)len);
    memcpy(frame + 4, uds, len);
    return with_crc(frame, 4 + len);
}

static void test_cable_tool(void)
{
    uint8_t frame[RS485_FRAME_MAX + 2], block[UDS_BLOCK_MAX + 1] = { 0x36, 1 };
    const uint8_t *request;
    size_t len;

    start();
    len = cable_frame(frame, (const uint8_t[]) { 0x3E, 0x00 }, 2);
    step(frame, len - 1);
    CU_ASSERT_EQUAL(rs485_take(&line, &request), 0);
    step(frame + len - 1, 1); /* no silence is waited for */
    CU_ASSERT_EQUAL(rs485_take(&line, &request), 2);
    CU_ASSERT(request[0] == 0x3E && request[1] == 0x00);
    CU_ASSERT_EQUAL(rs485_take(&line, &request), 0);
    CU_ASSERT_EQUAL(rs485_frame((const uint8_t[]) { 0x7E, 0x00 }, 2, tx), 8);
    CU_ASSERT_EQUAL(memcmp(tx, (const uint8_t[]) { 0xF8, 0x42, 0x00, 0x02, 0x7E, 0x00 }, 6), 0);
    CU_ASSERT_EQUAL(crc16_ibm(RS485_CRC_INIT, tx, 8), 0);
    len = cable_frame(frame, block, UDS_BLOCK_MAX);
    for (size_t at = 0; at < len; at += 115)
        step(frame + at, len - at < 115 ? len - at : 115);
    CU_ASSERT_EQUAL(rs485_take(&line, &request), UDS_BLOCK_MAX);
    len = cable_frame(frame, block, UDS_BLOCK_MAX + 1); /* longer than there is room */
    step(frame, len);
    CU_ASSERT_EQUAL(rs485_take(&line, &request), 0);
    quiet();
    len = cable_frame(frame, block, 0);
    step(frame, len);
    quiet();
    CU_ASSERT_EQUAL(rs485_take(&line, &request), 0);
    len = cable_frame(frame, block, 10);
    frame[6] ^= 1;
    step(frame, len);
    CU_ASSERT_EQUAL(rs485_take(&line, &request), 0);
    quiet();
    frame[6] ^= 1;
    step(frame, len);
    CU_ASSERT_EQUAL(rs485_take(&line, &request), 10);
}

static void test_half_a_cable_frame_is_forgotten(void)
{
    uint8_t frame[32];
    const uint8_t *request;
    size_t len;

    start();
    len = cable_frame(frame, (const uint8_t[]) { 0x3E, 0x00 }, 2);
    step(frame, 5);
    for (int ms = 10; ms < RS485_SILENT_MS; ms += 10)
        quiet();
    step(frame + 5, len - 5);
    CU_ASSERT_EQUAL(rs485_take(&line, &request), 2); /* a tool may stop for a moment */
    step(frame, 5);
    for (int ms = 0; ms < RS485_SILENT_MS; ms += 10)
        quiet();
    step(frame + 5, len - 5);
    CU_ASSERT_EQUAL(rs485_take(&line, &request), 0);
    quiet();
    step(frame, len);
    CU_ASSERT_EQUAL(rs485_take(&line, &request), 2);
}

static void test_display_waits_for_the_cable_tool(void)
{
    uint8_t frame[32];
    const uint8_t *request;

    start();
    step(frame, cable_frame(frame, (const uint8_t[]) { 0x3E, 0x00 }, 2));
    CU_ASSERT_EQUAL(rs485_take(&line, &request), 2);
    step(read_cells, sizeof(read_cells));
    quiet();
    CU_ASSERT(n == 5 && tx[1] == 0x84 && tx[2] == MODBUS_BUSY);
    CU_ASSERT_EQUAL(line.counts.busy, 1);
    for (int ms = 20; ms < RS485_CABLE_MS; ms += 10)
        quiet();
    step(read_cells, sizeof(read_cells));
    quiet();
    CU_ASSERT_EQUAL(n, 11);
}

static void test_any_bytes(void)
{
    uint8_t bytes[256];
    unsigned seed = 5;
    const uint8_t *request;

    start();
    for (int i = 0; i < 100000; i++) {
        size_t len;

        for (size_t k = 0; k < sizeof(bytes); k++) {
            seed = seed * 1103515245u + 12345u;
            bytes[k] = (uint8_t)(seed >> 16);
        }
        len = (seed >> 20) % 4 ? seed % 8 : seed % sizeof(bytes);
        if ((seed >> 9) % 3 == 0 && len > 1)
            memcpy(bytes, (const uint8_t[]) { RS485_ADDRESS, RS485_REQUEST, 0, 4 }, len < 4 ? len : 4);
        step(bytes, len);
        CU_ASSERT(n <= sizeof(tx));
        CU_ASSERT(rs485_take(&line, &request) <= UDS_REQUEST_MAX);
    }
}

int main(void)
{
    CU_TestInfo tests[] = {
        { "a frame ends with silence and is answered with its CRC [TA-4]", test_frame_ends_with_silence },
        { "a pause of a step inside a frame breaks it", test_pause_breaks_a_frame },
        { "on a slow line the silence is longer", test_slow_line },
        { "a frame with any wrong bit, too short or too long, is not answered", test_broken_frames_are_not_answered },
        { "other slaves' frames are left alone, a broadcast is done and not answered", test_other_slaves_and_broadcast },
        { "a cable tool's request is taken by its length and answered in its frame [TA-4]", test_cable_tool },
        { "half a frame of a cable tool is forgotten after 50 ms", test_half_a_cable_frame_is_forgotten },
        { "a display waits while a cable tool has the line [TA-4]", test_display_waits_for_the_cable_tool },
        { "any bytes are taken within bounds", test_any_bytes },
        CU_TEST_INFO_NULL,
    };

    return suite_run("rs485", tests);
}
