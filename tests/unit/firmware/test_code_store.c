/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>

#include "common/bytes.h"
#include "common/crc.h"
#include "firmware/app/code_store.h"
#include "tests/unit/firmware/fake_flash.h"
#include "tests/unit/firmware/fake_nvm.h"
#include "tests/unit/suite.h"

enum { PAGE = 32, CODES = 3 };

static struct fake_nvm memory;
static struct fake_flash flash;
static struct code_store store;
static struct dtc_memory d;

static int load(const struct nvm_port *port)
{
    struct nvm_layout layout = nvm_layout_of(port);
    const uint8_t *image;
    size_t n;
    int err = code_store_load(&store, port, &(struct code_geometry) { layout.code_offset, layout.code_unit, PAGE }, &image, &n);

    dtc_init(&d);
    if (err == BMS_ERR_OK && dtc_unpack(&d, image, n) != BMS_ERR_OK)
        return BMS_ERR_CORRUPT;
    return err;
}

/* Number `n` of what is written; every code follows from it, so that a mixture would show. */
static void fill(struct dtc_memory *m, uint32_t n)
{
    dtc_init(m);
    for (int i = 0; i < CODES; i++) {
        struct sample_alarm alarm = { (uint8_t)alarm_rows[i].id, ALARM_WARNING, (uint16_t)(n + (uint32_t)i), (int16_t)(n * 31u) };

        dtc_step(m, &alarm, 1, false, &(struct dtc_snapshot) { .pack_mV = (int32_t)n * 7919, .utc_ms = n });
    }
}

static bool is_number(uint32_t n)
{
    static struct dtc_memory want;
    uint8_t a[DTC_IMAGE_MAX] = { 0 }, b[DTC_IMAGE_MAX] = { 0 };

    fill(&want, n);
    size_t bytes = dtc_pack(&want, a);

    return dtc_pack(&d, b) == bytes && memcmp(a, b, bytes) == 0;
}

static bool write_number(uint32_t n)
{
    static struct dtc_memory m;
    int err = BMS_ERR_OK;

    fill(&m, n);
    code_store_begin(&store, &m);
    for (int step = 0; step < 200 && code_store_is_busy(&store) && err == BMS_ERR_OK; step++)
        err = code_store_step(&store);
    return err == BMS_ERR_OK && !code_store_is_busy(&store);
}

/* After a cut of the write of number `before` + 1. Returns whether something is torn or lost. */
static unsigned judge(const struct nvm_port *port, uint32_t before, bool safe)
{
    int err = load(port);
    unsigned bad = 0;

    if (before || safe)
        bad += err != BMS_ERR_OK || !(is_number(before + 1) || (!safe && is_number(before)));
    else
        bad += err == BMS_ERR_OK && !is_number(1);
    bad += !write_number(50) || load(port) != BMS_ERR_OK || !is_number(50); /* and the store goes on */
    return bad;
}

static void test_power_cut_at_every_byte_of_every_write(void)
{
    unsigned cuts = 0, bad = 0;
    bool safe = false;

    for (uint32_t before = 0; before < 4; before++) {
        safe = false;
        for (long cut = 0; !safe; cut++, cuts++) {
            fake_nvm_init(&memory);
            (void)load(&memory.port);
            for (uint32_t n = 1; n <= before; n++)
                CU_ASSERT(write_number(n));
            memory.bytes_left = cut;
            safe = write_number(before + 1);
            memory.bytes_left = -1;
            bad += judge(&memory.port, before, safe);
        }
    }
    CU_ASSERT_EQUAL(bad, 0);
    CU_ASSERT(cuts > 4 * CODES * DTC_IMAGE_ROW);
    printf("(%u cuts, %u torn or lost) ", cuts, bad);
}

static void test_power_cut_in_flash(void)
{
    unsigned cuts = 0, bad = 0;

    for (int g = 0; g < FLASH_GEOMETRIES; g++)
        for (uint32_t before = 0; before < 3; before++) {
            bool safe = false;

            for (long cut = 0; !safe; cut += g == 1 ? 7 : 1, cuts++) { /* the large sectors are slow to copy */
                fake_flash_init(&flash, &flash_geometries[g]);
                (void)load(&flash.port);
                for (uint32_t n = 1; n <= before; n++)
                    CU_ASSERT(write_number(n));
                flash.cut = cut;
                safe = write_number(before + 1);
                fake_flash_on(&flash);
                bad += judge(&flash.port, before, safe);
                bad += flash.forbidden;
            }
        }
    CU_ASSERT_EQUAL(bad, 0);
    printf("(%u cuts, %u torn or lost) ", cuts, bad);
}

/* Erased ahead: the writes that follow are pages alone, and a cut in the middle of either costs nothing. */
static void test_erasing_ahead(void)
{
    unsigned cuts = 0, bad = 0;

    for (int g = 0; g < FLASH_GEOMETRIES; g++) {
        bool safe = false;

        fake_flash_init(&flash, &flash_geometries[g]);
        (void)load(&flash.port);
        CU_ASSERT_TRUE(code_store_must_erase(&store)); /* it is not known to be blank */
        unsigned erases = flash.erases;

        CU_ASSERT(code_store_tidy(&store) == BMS_ERR_OK && flash.erases == erases); /* it is: nothing to do */
        CU_ASSERT(!code_store_must_erase(&store) && write_number(1) && flash.erases == erases);
        CU_ASSERT(code_store_must_erase(&store) && write_number(2) && write_number(3) && flash.erases > erases);
        CU_ASSERT_EQUAL(code_store_tidy(&store), BMS_ERR_OK);
        erases = flash.erases;
        CU_ASSERT(code_store_tidy(&store) == BMS_ERR_OK && flash.erases == erases);
        CU_ASSERT(write_number(4) && flash.erases == erases);
        CU_ASSERT(load(&flash.port) == BMS_ERR_OK && is_number(4));
        for (long cut = 0; !safe && cut < 2000; cut += g == 1 ? 7 : 1, cuts++) {
            fake_flash_init(&flash, &flash_geometries[g]);
            (void)load(&flash.port);
            for (uint32_t n = 1; n <= 2; n++)
                CU_ASSERT(write_number(n));
            flash.cut = cut;
            safe = code_store_tidy(&store) == BMS_ERR_OK && write_number(3);
            fake_flash_on(&flash);
            bad += judge(&flash.port, 2, safe);
            bad += flash.forbidden;
        }
        CU_ASSERT_TRUE(safe);
    }
    CU_ASSERT_EQUAL(bad, 0);
    printf("(%u cuts, %u torn or lost) ", cuts, bad);
}

static void test_nothing_is_erased_under_a_write(void)
{
    static struct dtc_memory m;

    fake_flash_init(&flash, &flash_geometries[0]);
    (void)load(&flash.port);
    fill(&m, 1);
    code_store_begin(&store, &m);
    unsigned erases = flash.erases;

    CU_ASSERT(code_store_tidy(&store) == BMS_ERR_OK && flash.erases == erases && code_store_is_busy(&store));
    fake_nvm_init(&memory); /* an EEPROM needs none of it */
    (void)load(&memory.port);
    CU_ASSERT(!code_store_must_erase(&store) && code_store_tidy(&store) == BMS_ERR_OK);
}

static void test_any_bit_that_flips_is_seen(void)
{
    for (size_t at = 0; at < 10 + DTC_IMAGE_HEAD + CODES * DTC_IMAGE_ROW + 4; at++)
        for (unsigned bit = 0; bit < 8; bit++) {
            fake_nvm_init(&memory);
            (void)load(&memory.port);
            (void)write_number(1);
            (void)write_number(2);
            memory.bytes[nvm_layout_of(&memory.port).code_offset + NVM_CODE_STRIDE + at] ^= (uint8_t)(1u << bit);
            CU_ASSERT_EQUAL(load(&memory.port), BMS_ERR_OK);
            CU_ASSERT(is_number(1));
        }
}

static void test_one_page_a_step(void)
{
    static struct dtc_memory all;

    fake_nvm_init(&memory);
    (void)load(&memory.port);
    dtc_init(&all);
    for (int i = 0; i < ALARMS; i++)
        dtc_step(&all, &(struct sample_alarm) { .alarm = (uint8_t)alarm_rows[i].id, .level = ALARM_WARNING }, 1, false,
                 &(struct dtc_snapshot) { .utc_ms = 1 });
    code_store_begin(&store, &all);
    unsigned steps = 0;

    for (; code_store_is_busy(&store) && steps < 1000; steps++) {
        memory.bytes_left = PAGE;
        CU_ASSERT_EQUAL(code_store_step(&store), BMS_ERR_OK);
    }
    CU_ASSERT_EQUAL(steps, (10 + DTC_IMAGE_HEAD + (unsigned)ALARMS * DTC_IMAGE_ROW + 4 + PAGE - 1) / PAGE);
    memory.bytes_left = 0;
    CU_ASSERT_EQUAL(code_store_step(&store), BMS_ERR_OK); /* nothing to do */
}

static void test_says_why_there_is_none(void)
{
    fake_nvm_init(&memory);
    CU_ASSERT_EQUAL(load(&memory.port), BMS_ERR_UNKNOWN);
    memset(memory.bytes, 0, sizeof(memory.bytes));
    CU_ASSERT_EQUAL(load(&memory.port), BMS_ERR_UNKNOWN);
    memory.bytes[nvm_layout_of(&memory.port).code_offset + 3] = 1;
    CU_ASSERT_EQUAL(load(&memory.port), BMS_ERR_CORRUPT);
    memory.broken = true;
    CU_ASSERT_EQUAL(load(&memory.port), BMS_ERR_IO);
    CU_ASSERT_FALSE(write_number(1));
    CU_ASSERT_FALSE(code_store_is_busy(&store)); /* given up */
}

static void test_a_length_beyond_the_unit_is_corrupt(void)
{
    fake_nvm_init(&memory);
    uint8_t *p = memory.bytes + nvm_layout_of(&memory.port).code_offset;

    (void)load(&memory.port);
    CU_ASSERT(write_number(1));
    put_le16(p + 8, DTC_IMAGE_MAX + 1);
    CU_ASSERT_EQUAL(load(&memory.port), BMS_ERR_CORRUPT);
}

static void test_sequence_may_wrap(void)
{
    fake_nvm_init(&memory);
    (void)load(&memory.port);
    store.sequence = UINT32_MAX - 1;
    for (uint32_t n = 1; n <= 4; n++) {
        CU_ASSERT(write_number(n));
        CU_ASSERT(load(&memory.port) == BMS_ERR_OK && is_number(n));
    }
    CU_ASSERT_EQUAL(store.sequence, 2);
}

int main(void)
{
    CU_TestInfo tests[] = {
        { "power cut at every byte of every write: the codes before or after it, none torn [AC-7]",
          test_power_cut_at_every_byte_of_every_write },
        { "the same in three kinds of flash, erases too [AC-7]", test_power_cut_in_flash },
        { "erased ahead: no erase in the write that follows, none torn by a cut in either [AC-7]", test_erasing_ahead },
        { "nothing is erased under a write, and in an EEPROM nothing at all", test_nothing_is_erased_under_a_write },
        { "any bit that flips is seen [AC-7]", test_any_bit_that_flips_is_seen },
        { "a step writes one page at most", test_one_page_a_step },
        { "says why there is none", test_says_why_there_is_none },
        { "a length beyond the unit is corrupt", test_a_length_beyond_the_unit_is_corrupt },
        { "the sequence may wrap", test_sequence_may_wrap },
        CU_TEST_INFO_NULL,
    };

    return suite_run("code_store", tests);
}
