/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "common/crc.h"
#include "common/err.h"
#include "tests/unit/suite.h"

static const uint8_t digits[] = "123456789";

static void test_published_check_values(void)
{
    CU_ASSERT_EQUAL(crc8_j1850(CRC8_J1850_INIT, digits, 9), 0x4B);
    CU_ASSERT_EQUAL(crc16_ibm(0, digits, 9), 0xBB3D);
    CU_ASSERT_EQUAL(crc32c(0, digits, 9), 0xE3069283u);
}

static void test_afe_vectors(void)
{
    static const uint8_t command[] = { 0x81, 0x00, 0x03, 0x03, 0x68, 0xCD };
    static const uint8_t response[] = { 0x0B, 0x73, 0x19, 0x72, 0xFC, 0x73, 0x0E, 0x73, 0x0D, 0x73, 0x11, 0x72, 0xF1, 0xF6, 0xDF };

    CU_ASSERT_EQUAL(crc16_ibm(0, command, 4), 0xCD68);
    CU_ASSERT_EQUAL(crc16_ibm(0, response, 13), 0xDFF6);
    CU_ASSERT_EQUAL(crc16_ibm(0, command, sizeof(command)), 0);
}

static void test_pieces_give_the_same_as_the_whole(void)
{
    for (size_t cut = 0; cut <= 9; cut++) {
        CU_ASSERT_EQUAL(crc8_j1850(crc8_j1850(CRC8_J1850_INIT, digits, cut), digits + cut, 9 - cut), 0x4B);
        CU_ASSERT_EQUAL(crc16_ibm(crc16_ibm(0, digits, cut), digits + cut, 9 - cut), 0xBB3D);
        CU_ASSERT_EQUAL(crc32c(crc32c(0, digits, cut), digits + cut, 9 - cut), 0xE3069283u);
    }
}

static void test_any_single_bit_error_is_found(void)
{
    uint8_t data[64];

    memset(data, 0x5A, sizeof(data));
    uint32_t good32 = crc32c(0, data, sizeof(data));
    uint16_t good16 = crc16_ibm(0, data, sizeof(data));
    uint8_t good8 = crc8_j1850(CRC8_J1850_INIT, data, 11);

    for (size_t bit = 0; bit < sizeof(data) * 8; bit++) {
        data[bit / 8] ^= (uint8_t)(1u << bit % 8);
        CU_ASSERT_NOT_EQUAL(crc32c(0, data, sizeof(data)), good32);
        CU_ASSERT_NOT_EQUAL(crc16_ibm(0, data, sizeof(data)), good16);
        if (bit < 88)
            CU_ASSERT_NOT_EQUAL(crc8_j1850(CRC8_J1850_INIT, data, 11), good8);
        data[bit / 8] ^= (uint8_t)(1u << bit % 8);
    }
}

static void test_every_error_has_a_text(void)
{
    CU_ASSERT_STRING_EQUAL(bms_err_text(BMS_ERR_OK), "ok");
    CU_ASSERT_STRING_EQUAL(bms_err_text(BMS_ERR_READONLY), "cannot be written");
    CU_ASSERT_STRING_EQUAL(bms_err_text(-99), "unknown error");
    CU_ASSERT_STRING_EQUAL(bms_err_text(1), "unknown error");
}

int main(void)
{
    static CU_TestInfo tests[] = {
        { "published check values", test_published_check_values },
        { "AFE vectors [ME-12]", test_afe_vectors },
        { "pieces give the same as the whole", test_pieces_give_the_same_as_the_whole },
        { "any single bit error is found", test_any_single_bit_error_is_found },
        { "every error has a text", test_every_error_has_a_text },
        CU_TEST_INFO_NULL,
    };
    return suite_run("crc", tests);
}
