/* SPDX-License-Identifier: Apache-2.0 */
#include "sim/fleet/flash_blank.h"

#include "common/err.h"
#include "dtu/core/journal.h"
#include "sim/fleet/pages.h"
#include "tests/unit/suite.h"

#include <string.h>

enum { SECTOR = 16384, SECTORS = 4, RECORD = 1000 };

static struct flash_blank f;

static uint8_t byte_at(uint32_t address)
{
    uint8_t v = 0;

    CU_ASSERT_EQUAL(f.port.read(f.port.ctx, address, &v, 1), 0);
    return v;
}

static void test_program_clears_bits_and_erase_sets_them(void)
{
    static const uint8_t first[] = { 0xF0, 0x12, 0xFF, 0x00 }, second[] = { 0x3C, 0xFF, 0xFF, 0xFF };

    CU_ASSERT_EQUAL_FATAL(flash_blank_init(&f, SECTOR, SECTORS), 0);
    CU_ASSERT_EQUAL(byte_at(0), 0xFF);
    CU_ASSERT_EQUAL(byte_at(SECTOR * SECTORS - 1), 0xFF);
    CU_ASSERT_EQUAL(f.port.program(f.port.ctx, SECTOR, first, sizeof first), 0);
    CU_ASSERT_EQUAL(f.port.program(f.port.ctx, SECTOR, second, sizeof second), 0);
    CU_ASSERT_EQUAL(byte_at(SECTOR), 0x30);
    CU_ASSERT_EQUAL(byte_at(SECTOR + 1), 0x12);
    CU_ASSERT_EQUAL(byte_at(SECTOR + 3), 0x00);
    CU_ASSERT_EQUAL(f.port.erase(f.port.ctx, 1), 0);
    CU_ASSERT_EQUAL(byte_at(SECTOR), 0xFF);
    CU_ASSERT_EQUAL(byte_at(SECTOR + 3), 0xFF);
    flash_blank_free(&f);
}

static void test_what_is_outside_is_refused(void)
{
    uint8_t four[4] = { 0 };

    CU_ASSERT_EQUAL(flash_blank_init(&f, SECTOR, 0), BMS_ERR_RANGE);
    CU_ASSERT_EQUAL(flash_blank_init(&f, SECTOR, FLASH_BLANK_SECTORS_MAX + 1), BMS_ERR_RANGE);
    CU_ASSERT_EQUAL(flash_blank_init(&f, (uint32_t)pages_size() - 1, SECTORS), BMS_ERR_RANGE);
    CU_ASSERT_EQUAL_FATAL(flash_blank_init(&f, SECTOR, FLASH_BLANK_SECTORS_MAX), 0);
    CU_ASSERT_EQUAL(f.port.program(f.port.ctx, FLASH_BLANK_SECTORS_MAX * SECTOR - 4, four, 4), 0);
    CU_ASSERT_EQUAL(f.port.program(f.port.ctx, FLASH_BLANK_SECTORS_MAX * SECTOR - 3, four, 4), BMS_ERR_RANGE);
    CU_ASSERT_EQUAL(f.port.read(f.port.ctx, FLASH_BLANK_SECTORS_MAX * SECTOR, four, 1), BMS_ERR_RANGE);
    CU_ASSERT_EQUAL(f.port.erase(f.port.ctx, FLASH_BLANK_SECTORS_MAX), BMS_ERR_RANGE);
    flash_blank_free(&f);
}

/* Many times round: what is acknowledged is forgotten but for the sector that is being filled, and every other record is still there. */
static void test_journal_goes_on_over_sectors_that_were_forgotten(void)
{
    struct journal_note note = { .boot = 1, .no = 1 };
    struct journal_sector index[SECTORS];
    uint8_t record[RECORD], got[RECORD];
    struct journal j;

    CU_ASSERT_EQUAL_FATAL(flash_blank_init(&f, SECTOR, SECTORS), 0);
    CU_ASSERT_EQUAL_FATAL(journal_format(&j, &f.port, index, SECTORS, 7), 0);
    for (uint64_t seq = 1; seq <= 10 * SECTORS * SECTOR / RECORD; seq++) {
        memset(record, (int)seq, sizeof record);
        CU_ASSERT_EQUAL_FATAL(journal_append(&j, record, sizeof record, &note), 0);
        CU_ASSERT_EQUAL_FATAL(journal_read(&j, seq, got, sizeof got), RECORD);
        CU_ASSERT_EQUAL(memcmp(got, record, sizeof got), 0);
        if (seq > 5)
            CU_ASSERT_EQUAL(journal_ack(&j, seq - 5, seq - 5), 1);
        for (uint32_t s = 0; s < SECTORS; s++)
            if (s != j.head && index[s].unacked == 0)
                flash_blank_forget(&f, s);
        CU_ASSERT_TRUE(__builtin_popcountll(f.written) <= 2);
    }
    CU_ASSERT_EQUAL(j.dropped, 0);
    CU_ASSERT_EQUAL(j.unacked, 5);
    flash_blank_free(&f);
}

int main(void)
{
    static CU_TestInfo tests[] = {
        { "programming clears bits and erasing sets them", test_program_clears_bits_and_erase_sets_them },
        { "what is outside is refused", test_what_is_outside_is_refused },
        { "a journal goes on over sectors that were forgotten", test_journal_goes_on_over_sectors_that_were_forgotten },
        CU_TEST_INFO_NULL,
    };
    return suite_run("flash_blank", tests);
}
