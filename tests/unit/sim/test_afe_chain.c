/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "common/bytes.h"
#include "common/crc.h"
#include "sim/afe_chain.h"
#include "sim/probe.h"
#include "tests/unit/suite.h"

enum { CHIPS = 3 };

static struct afe_chain chain;
static uint8_t got[4096];
static size_t got_n;

static void ask(uint8_t init, const uint8_t *rest, size_t n)
{
    uint8_t frame[16] = { init };

    memcpy(frame + 1, rest, n);
    put_le16(frame + 1 + n, crc16_ibm(0, frame, 1 + n));
    afe_chain_write(&chain, frame, n + 3);
    got_n = afe_chain_read(&chain, got, sizeof(got));
}
#define ASK(init, ...) ask((init), (const uint8_t[]) { __VA_ARGS__ }, sizeof((const uint8_t[]) { __VA_ARGS__ }))

enum { /* init bytes: request and size */
       READ_ONE = 0x81,
       WRITE_ONE_1 = 0x91,
       WRITE_ONE_2 = 0x92,
       READ_ALL = 0xE1,
       WRITE_ALL_1 = 0xF1,
       WRITE_ALL_4 = 0xF4,
};

static void address_all(int n)
{
    ASK(WRITE_ALL_1, AFE_REG_DEV_CTRL, AFE_DEV_CTRL_AUTO_ADDRESS);
    for (int i = 0; i < n; i++)
        ASK(WRITE_ALL_1, AFE_REG_ADDR, (uint8_t)i);
}

/* Three chips with 16, 10 and 6 cells; cell k of chip c is 3000 + 100 c + k mV. */
static void setup(void)
{
    static const uint8_t cells[CHIPS] = { 16, 10, 6 };

    afe_chain_init(&chain, CHIPS, cells, 1);
    for (int c = 0; c < CHIPS; c++) {
        for (int k = 0; k < cells[c]; k++)
            chain.chip[c].sense.cell_mV[k] = 3000 + 100 * c + k;
    }
    address_all(CHIPS);
}

static bool answer_is_good(const uint8_t *p, size_t n)
{
    return n == (size_t)p[0] + 1 + 3 && crc16_ibm(0, p, n) == 0;
}

static int cell_mV(const uint8_t *p)
{
    return (get_be16(p) * 5000 + 32768) / 65536;
}

static void test_the_published_frame_is_understood(void)
{
    static const uint8_t read_channels[] = { 0x81, 0x00, 0x03, 0x03, 0x68, 0xCD }; /* device 0, register 3, 4 bytes */

    setup();
    ASK(WRITE_ALL_4, AFE_REG_CHANNELS, 0xFF, 0xFF, 0x0F, 0x00);
    afe_chain_write(&chain, read_channels, sizeof(read_channels));
    got_n = afe_chain_read(&chain, got, sizeof(got));
    CU_ASSERT_TRUE(answer_is_good(got, got_n));
    CU_ASSERT_EQUAL(memcmp(got, (const uint8_t[]) { 3, 0xFF, 0xFF, 0x0F, 0x00 }, 5), 0);
}

static void test_the_published_answer_is_made(void)
{
    static const uint8_t want[] = { 0x0B, 0x73, 0x19, 0x72, 0xFC, 0x73, 0x0E, 0x73, 0x0D, 0x73, 0x11, 0x72, 0xF1, 0xF6, 0xDF };
    static const uint16_t code[] = { 0x72F1, 0x7311, 0x730D, 0x730E, 0x72FC, 0x7319 };

    setup();
    for (int k = 0; k < 6; k++)
        chain.chip[2].sense.cell_mV[k] = code[k] * 5000.0 / 65536;
    ASK(WRITE_ALL_4, AFE_REG_CHANNELS, 0x00, 0x3F, 0x00, 0x00);
    ASK(READ_ONE, 2, AFE_REG_CMD, AFE_CMD_SAMPLE_REPORT);
    CU_ASSERT_EQUAL(got_n, sizeof(want));
    CU_ASSERT_EQUAL(memcmp(got, want, sizeof(want)), 0);
}

static void test_each_chip_takes_one_address(void)
{
    setup();
    for (uint8_t i = 0; i < CHIPS; i++) {
        CU_ASSERT_TRUE(chain.chip[i].addressed);
        ASK(READ_ONE, i, AFE_REG_ADDR, 0);
        CU_ASSERT_TRUE(answer_is_good(got, got_n));
        CU_ASSERT_EQUAL(got[1], i);
    }
    ASK(READ_ONE, CHIPS, AFE_REG_ADDR, 0);
    CU_ASSERT_EQUAL(got_n, 0);
    CU_ASSERT_FALSE(afe_chain_fault(&chain));
}

static void test_a_scan_answers_highest_first_cells_then_probes(void)
{
    setup();
    chain.chip[0].sense.aux_code[0] = 0x1234;
    chain.chip[0].sense.aux_code[3] = 0x5678;
    ASK(WRITE_ALL_4, AFE_REG_CHANNELS, 0x00, 0x3F, 0x09, 0x00); /* cells 6 to 1, AUX3 and AUX0 */
    ASK(READ_ALL, AFE_REG_CMD, AFE_CMD_SAMPLE_REPORT | 2);
    CU_ASSERT_EQUAL(got_n, 3 * (1 + 16 + 2));
    for (int i = 0; i < 3; i++) {
        const uint8_t *p = got + 19 * i;

        CU_ASSERT_TRUE(answer_is_good(p, 19));
        CU_ASSERT_EQUAL(cell_mV(p + 1), 3000 + 100 * (2 - i) + 5);  /* cell 6 */
        CU_ASSERT_EQUAL(cell_mV(p + 11), 3000 + 100 * (2 - i) + 0); /* cell 1 */
    }
    CU_ASSERT_EQUAL(get_be16(got + 38 + 13), 0x5678);
    CU_ASSERT_EQUAL(get_be16(got + 38 + 15), 0x1234);
    ASK(READ_ALL, AFE_REG_CMD, AFE_CMD_SAMPLE_REPORT | 0); /* only address 0 */
    CU_ASSERT_EQUAL(got_n, 19);
}

static void test_every_millivolt_is_read_back_exactly(void)
{
    setup();
    ASK(WRITE_ALL_4, AFE_REG_CHANNELS, 0x00, 0x01, 0x00, 0x00);
    for (int mV = 0; mV < 5000; mV++) {
        chain.chip[0].sense.cell_mV[0] = mV;
        ASK(READ_ONE, 0, AFE_REG_CMD, AFE_CMD_SAMPLE_REPORT);
        CU_ASSERT_EQUAL(cell_mV(got + 1), mV);
    }
}

static void test_a_bad_crc_is_counted_and_not_obeyed(void)
{
    static const uint8_t bad[] = { 0xF1, AFE_REG_CBTIME, 9, 0x00, 0x00 };

    setup();
    afe_chain_write(&chain, bad, sizeof(bad));
    CU_ASSERT_EQUAL(chain.chip[1].reg[AFE_REG_CBTIME], 0);
    CU_ASSERT_TRUE(afe_chain_fault(&chain));
    ASK(READ_ONE, 1, AFE_REG_FAULT_COM, 1);
    CU_ASSERT_EQUAL(get_be16(got + 1), 1);
    ASK(WRITE_ONE_2, 1, AFE_REG_FAULT_COM, 0xFF, 0xFF);
    for (uint8_t i = 0; i < CHIPS; i++)
        ASK(WRITE_ONE_2, i, AFE_REG_FAULT_SUM, 0xFF, 0xFF);
    CU_ASSERT_FALSE(afe_chain_fault(&chain));
}

static void test_noise_between_frames_is_skipped(void)
{
    static const uint8_t noise[] = { 0x00, 0x7F, 0x80, 0x87, 0xA1, 0xC1 };

    setup();
    afe_chain_write(&chain, noise, sizeof(noise));
    CU_ASSERT_EQUAL(chain.skipped, sizeof(noise));
    ASK(READ_ONE, 0, AFE_REG_ADDR, 0);
    CU_ASSERT_TRUE(answer_is_good(got, got_n));
}

static void test_a_frame_cut_short_is_forgotten_after_a_silence(void)
{
    static const uint8_t begun[] = { 0xF4, AFE_REG_CHANNELS, 1 };

    setup();
    afe_chain_write(&chain, begun, sizeof(begun));
    afe_chain_step(&chain, 10);
    ASK(READ_ONE, 0, AFE_REG_ADDR, 0);
    CU_ASSERT_TRUE(answer_is_good(got, got_n));
}

static void test_a_broken_link_silences_all_chips_behind_it(void)
{
    for (int link = 0; link < CHIPS; link++) {
        setup();
        ASK(WRITE_ALL_4, AFE_REG_CHANNELS, 0x00, 0x01, 0x00, 0x00);
        chain.broken_link = link;
        CU_ASSERT_TRUE(afe_chain_fault(&chain));
        ASK(READ_ALL, AFE_REG_CMD, AFE_CMD_SAMPLE_REPORT | 2);
        CU_ASSERT_EQUAL(got_n, (size_t)link * 5);
    }
}

static void test_a_reset_chip_is_silent_until_it_is_addressed(void)
{
    setup();
    ASK(WRITE_ALL_4, AFE_REG_CHANNELS, 0x00, 0x01, 0x00, 0x00);
    chip_reset(&chain.chip[1]);
    CU_ASSERT_TRUE(afe_chain_fault(&chain));
    ASK(READ_ALL, AFE_REG_CMD, AFE_CMD_SAMPLE_REPORT | 2);
    CU_ASSERT_EQUAL(got_n, 2 * 5);
    ASK(WRITE_ALL_1, AFE_REG_ADDR, 1); /* not without auto-addressing */
    CU_ASSERT_FALSE(chain.chip[1].addressed);
    address_all(CHIPS);
    ASK(READ_ONE, 1, AFE_REG_STATUS, 0);
    CU_ASSERT_EQUAL(got[1], AFE_STATUS_RESET);
    ASK(WRITE_ONE_1, 1, AFE_REG_STATUS, AFE_STATUS_RESET);
    ASK(READ_ONE, 1, AFE_REG_STATUS, 0);
    CU_ASSERT_EQUAL(got[1], 0);
}

static void test_injected_faults_look_like_the_real_ones(void)
{
    setup();
    ASK(WRITE_ALL_4, AFE_REG_CHANNELS, 0x03, 0xFF, 0x00, 0x00); /* cells 10 to 1 */
    chain.chip[1].faults.open_taps = 1u << 4;                   /* between cell 4 and cell 5 */
    ASK(READ_ONE, 1, AFE_REG_CMD, AFE_CMD_SAMPLE_REPORT);
    CU_ASSERT_EQUAL(cell_mV(got + 1 + 2 * (10 - 5)), 0);       /* cell 5 */
    CU_ASSERT_EQUAL(get_be16(got + 1 + 2 * (10 - 4)), 0xFFFF); /* cell 4 seems to hold both, beyond the scale */
    CU_ASSERT_EQUAL(cell_mV(got + 1 + 2 * (10 - 3)), 3102);

    chain.chip[1].faults.open_taps = 0;
    chain.chip[1].faults.stuck_cells = 1u << 2; /* cell 3 */
    chain.chip[1].sense.cell_mV[2] = 4000;
    ASK(READ_ONE, 1, AFE_REG_CMD, AFE_CMD_SAMPLE_REPORT);
    CU_ASSERT_EQUAL(cell_mV(got + 1 + 2 * (10 - 3)), 3102);

    chain.chip[1].faults.bad_crc = true;
    ASK(READ_ONE, 1, AFE_REG_ADDR, 0);
    CU_ASSERT_FALSE(answer_is_good(got, got_n));
    ASK(READ_ONE, 1, AFE_REG_ADDR, 0);
    CU_ASSERT_TRUE(answer_is_good(got, got_n));

    chain.bad_crc_permille = 1000;
    ASK(READ_ONE, 1, AFE_REG_ADDR, 0);
    CU_ASSERT_FALSE(answer_is_good(got, got_n));
}

static void test_balancing_runs_out_when_nobody_renews_it(void)
{
    uint16_t bits[PACK_CELLS_MAX / 16];

    setup();
    ASK(WRITE_ALL_1, AFE_REG_CBTIME, 2);
    ASK(WRITE_ONE_2, 1, AFE_REG_CBENBL, 0x02, 0x01); /* cells 1 and 10 of chip 1: 17 and 26 of the pack */
    afe_chain_bypass(&chain, bits);
    CU_ASSERT_EQUAL(bits[1], 0x0201);
    CU_ASSERT_EQUAL(bits[0], 0);
    afe_chain_step(&chain, 1990);
    afe_chain_bypass(&chain, bits);
    CU_ASSERT_EQUAL(bits[1], 0x0201);
    afe_chain_step(&chain, 10);
    afe_chain_bypass(&chain, bits);
    CU_ASSERT_EQUAL(bits[1], 0);
}

static void test_any_bytes_leave_the_chain_sound(void)
{
    struct noise noise = { 99 };

    setup();
    for (int i = 0; i < 300000; i++) {
        uint8_t byte = (uint8_t)noise_u64(&noise);

        afe_chain_write(&chain, &byte, 1);
        CU_ASSERT_TRUE(chain.in_len < sizeof(chain.in));
        if (i % 1000 == 0)
            afe_chain_read(&chain, got, sizeof(got));
    }
}

int main(void)
{
    static CU_TestInfo tests[] = {
        { "the published frame is understood", test_the_published_frame_is_understood },
        { "the published answer is made", test_the_published_answer_is_made },
        { "each chip takes one address", test_each_chip_takes_one_address },
        { "a scan answers highest first, cells then probes", test_a_scan_answers_highest_first_cells_then_probes },
        { "every millivolt is read back exactly [ME-1]", test_every_millivolt_is_read_back_exactly },
        { "a bad CRC is counted and not obeyed", test_a_bad_crc_is_counted_and_not_obeyed },
        { "noise between frames is skipped", test_noise_between_frames_is_skipped },
        { "a frame cut short is forgotten after a silence", test_a_frame_cut_short_is_forgotten_after_a_silence },
        { "a broken link silences all chips behind it", test_a_broken_link_silences_all_chips_behind_it },
        { "a reset chip is silent until it is addressed", test_a_reset_chip_is_silent_until_it_is_addressed },
        { "injected faults look like the real ones", test_injected_faults_look_like_the_real_ones },
        { "balancing runs out when nobody renews it", test_balancing_runs_out_when_nobody_renews_it },
        { "any bytes leave the chain sound", test_any_bytes_leave_the_chain_sound },
        CU_TEST_INFO_NULL,
    };
    return suite_run("afe_chain", tests);
}
