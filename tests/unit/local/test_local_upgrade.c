/* SPDX-License-Identifier: Apache-2.0 */
/* test_upgrade.c -- a program into the board, request by request. */
#include "local/core/upgrade.h"

#include <string.h>

#include "common/bytes.h"
#include "common/crc.h"
#include "common/err.h"
#include "proto/uds.h"
#include "tests/unit/suite.h"

enum { SIZE = 2000, BLOCK = 102 }; /* 100 bytes in a block */

static uint8_t image[SIZE], request[UDS_BLOCK_MAX];
static struct upgrade u;

static void begin(void)
{
    for (unsigned i = 0; i < SIZE; i++)
        image[i] = (uint8_t)(i * 7 + i / 256);
    upgrade_start(&u, image, SIZE);
}

static int answer_progress(uint32_t size, uint32_t verified, uint32_t crc)
{
    uint8_t a[16] = { 0x71, 0x01, 0x02, 0x08 };

    put_be32(a + 4, size);
    put_be32(a + 8, verified);
    put_be32(a + 12, crc);
    return upgrade_answer(&u, a, sizeof(a));
}

static int answer_begin(uint16_t block)
{
    uint8_t a[4] = { 0x74, 0x20 };

    put_be16(a + 2, block);
    return upgrade_answer(&u, a, sizeof(a));
}

/* All blocks into got[SIZE]; returns how many there were. */
static unsigned transfer(uint8_t *got, uint32_t at)
{
    unsigned blocks = 0;

    for (; u.phase == UPGRADE_DATA; blocks++) {
        size_t n = upgrade_request(&u, request);
        uint8_t a[2] = { 0x76, request[1] };

        CU_ASSERT(request[0] == 0x36 && request[1] == (uint8_t)(blocks + 1) && n <= BLOCK);
        memcpy(got + at, request + 2, n - 2);
        at += (uint32_t)n - 2;
        CU_ASSERT_EQUAL(upgrade_answer(&u, a, 2), 0);
    }
    return blocks;
}

static void test_from_the_start(void)
{
    static uint8_t got[SIZE];
    static const uint8_t exit_answer[] = { 0x77 }, check_answer[] = { 0x71, 0x01, 0xFF, 0x01, 0x00 }, reset_answer[] = { 0x51, 0x01 };
    static const uint8_t erase_answer[] = { 0x71, 0x01, 0xFF, 0x00 };

    begin();
    CU_ASSERT_EQUAL(upgrade_request(&u, request), 4);
    CU_ASSERT_EQUAL(answer_progress(0, 0, 0), 0);
    CU_ASSERT_EQUAL(u.phase, UPGRADE_ERASE);
    CU_ASSERT(upgrade_request(&u, request) == 4 && get_be16(request + 2) == 0xFF00);
    upgrade_answer(&u, erase_answer, sizeof(erase_answer));
    CU_ASSERT(upgrade_request(&u, request) == 11 && get_be32(request + 3) == 0 && get_be32(request + 7) == SIZE);
    CU_ASSERT_EQUAL(answer_begin(BLOCK), 0);
    CU_ASSERT_EQUAL(transfer(got, 0), 20);
    CU_ASSERT(memcmp(got, image, SIZE) == 0 && u.sent == SIZE && u.resumed == 0);
    CU_ASSERT(upgrade_request(&u, request) == 1 && request[0] == 0x37);
    upgrade_answer(&u, exit_answer, sizeof(exit_answer));
    CU_ASSERT(upgrade_request(&u, request) == 8 && get_be16(request + 2) == 0xFF01 && get_be32(request + 4) == crc32c(0, image, SIZE));
    upgrade_answer(&u, check_answer, sizeof(check_answer));
    CU_ASSERT(upgrade_request(&u, request) == 2 && request[0] == 0x11);
    upgrade_answer(&u, reset_answer, sizeof(reset_answer));
    CU_ASSERT(u.phase == UPGRADE_DONE && upgrade_request(&u, request) == 0);
}

static void test_goes_on(void)
{
    static uint8_t got[SIZE];

    begin();
    answer_progress(SIZE, 700, crc32c(0, image, 700));
    CU_ASSERT(u.phase == UPGRADE_BEGIN && u.resumed == 700);
    CU_ASSERT(upgrade_request(&u, request) == 11 && get_be32(request + 3) == 700 && get_be32(request + 7) == SIZE - 700);
    answer_begin(BLOCK);
    CU_ASSERT_EQUAL(transfer(got, 700), 13);
    CU_ASSERT_EQUAL(memcmp(got + 700, image + 700, SIZE - 700), 0);
}

static void test_another_program_is_erased(void)
{
    begin();
    answer_progress(SIZE, 700, crc32c(0, image, 700) ^ 1);
    CU_ASSERT(u.phase == UPGRADE_ERASE && u.sent == 0);
    begin();
    answer_progress(SIZE + 1, 700, crc32c(0, image, 700));
    CU_ASSERT_EQUAL(u.phase, UPGRADE_ERASE);
    begin();
    answer_progress(SIZE, SIZE, crc32c(0, image, SIZE));
    CU_ASSERT_EQUAL(u.phase, UPGRADE_ERASE);
}

static void test_an_unanswered_block_is_the_same_again(void)
{
    static uint8_t first[UDS_BLOCK_MAX];

    begin();
    answer_progress(SIZE, 100, crc32c(0, image, 100));
    answer_begin(BLOCK);
    size_t n = upgrade_request(&u, first);

    CU_ASSERT(upgrade_request(&u, request) == n && memcmp(first, request, n) == 0);
    CU_ASSERT_EQUAL(upgrade_answer(&u, (const uint8_t[]) { 0x76, 2 }, 2), BMS_ERR_CORRUPT); /* of another block */
    CU_ASSERT(upgrade_request(&u, request) == n && memcmp(first, request, n) == 0);
}

static void test_nonsense(void)
{
    begin();
    CU_ASSERT_EQUAL(upgrade_answer(&u, (const uint8_t[]) { 0x71, 1, 2, 8 }, 4), BMS_ERR_CORRUPT);
    answer_progress(0, 0, 0);
    upgrade_answer(&u, (const uint8_t[]) { 0x71, 1, 0xFF, 0 }, 4);
    CU_ASSERT_EQUAL(answer_begin(2), BMS_ERR_CORRUPT); /* no room for a byte */
    CU_ASSERT_EQUAL(upgrade_answer(&u, (const uint8_t[]) { 0x74, 0x10, 0xFF }, 3), BMS_ERR_CORRUPT);
    CU_ASSERT_EQUAL(answer_begin(3), 0);
    CU_ASSERT_EQUAL(upgrade_request(&u, request), 3);
    begin();
    answer_progress(0, 0, 0);
    upgrade_answer(&u, (const uint8_t[]) { 0x71, 1, 0xFF, 0 }, 4);
    answer_begin(UINT16_MAX); /* more than we have room for */
    CU_ASSERT(upgrade_request(&u, request) <= UDS_BLOCK_MAX);
}

int main(void)
{
    CU_TestInfo tests[] = {
        { "erase, announce, send every byte once and in order, check by CRC, restart [UC-7]", test_from_the_start },
        { "an interrupted download of the same program goes on where the board has verified it [UC-7]", test_goes_on },
        { "what another program left is erased, not continued [UC-7]", test_another_program_is_erased },
        { "a block without an answer is sent again as it was", test_an_unanswered_block_is_the_same_again },
        { "an answer that makes no sense ends it", test_nonsense },
        CU_TEST_INFO_NULL,
    };

    return suite_run("upgrade", tests);
}
