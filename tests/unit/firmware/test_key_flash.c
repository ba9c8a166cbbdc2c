/* SPDX-License-Identifier: Apache-2.0 */
/* Key data in a small flash, place by place: where the next save goes, what counts as erased, and what is erased when. A blank memory is begun with
 * its second unit, the first one being the spare. */
#include "firmware/app/key_store.h"
#include "tests/unit/firmware/fake_flash.h"
#include "tests/unit/suite.h"

enum { ERASE = 1024, UNIT = 2 * ERASE, PROGRAM = 8, SAVED = (KEY_STORE_SIZE + PROGRAM - 1) / PROGRAM * PROGRAM, PLACES = UNIT / SAVED };

static const struct flash_geometry small = { "small", ERASE, PROGRAM, 32, 10, 1 };
static const struct flash_geometry halves = { "two bytes at once", ERASE, 2, 32, 10, 1 };

static struct fake_flash flash;
static struct key_store store;
static struct key_data k;

static int load(void)
{
    return key_store_load(&store, &flash.port, &(struct key_geometry) { 0, UNIT, flash.g->page }, &k);
}

static void start(const struct flash_geometry *g)
{
    fake_flash_init(&flash, g);
    CU_ASSERT_EQUAL(load(), BMS_ERR_UNKNOWN);
}

static int save(uint32_t n)
{
    struct key_data d = { .boot = n };

    return key_store_save(&store, &d);
}

static void test_a_blank_memory_needs_no_erase(void)
{
    start(&small);
    CU_ASSERT_FALSE(store.untidy);
    CU_ASSERT_EQUAL(store.next, PLACES);
    CU_ASSERT_EQUAL(key_store_tidy(&store), BMS_ERR_OK);
    CU_ASSERT_EQUAL(flash.erases, 0);
}

static void test_saves_follow_each_other_and_go_on_in_the_other_unit(void)
{
    start(&small);
    for (int n = 0; n < 2 * PLACES; n++) {
        CU_ASSERT_EQUAL(store.next, (PLACES + n) % (2 * PLACES));
        CU_ASSERT_EQUAL(save((uint32_t)n + 1), BMS_ERR_OK);
        CU_ASSERT_EQUAL(store.newest, (PLACES + n) % (2 * PLACES));
        CU_ASSERT_EQUAL(store.untidy, n >= PLACES); /* the one unit holds nothing that counts once the second does */
    }
    CU_ASSERT_EQUAL(store.next, KEY_STORE_NOWHERE);
    CU_ASSERT_EQUAL(flash.erases, 0);
    CU_ASSERT_EQUAL(key_store_tidy(&store), BMS_ERR_OK);
    CU_ASSERT_EQUAL(flash.erases, UNIT / ERASE);
    CU_ASSERT_EQUAL(store.next, PLACES);
    CU_ASSERT_EQUAL(flash.bytes[UNIT], 0xFF);
    CU_ASSERT(flash.bytes[0] != 0xFF); /* the other unit is as it was */
    CU_ASSERT(load() == BMS_ERR_OK && k.boot == 2 * PLACES);
    CU_ASSERT_EQUAL(flash.forbidden, 0);
}

/* A byte that is not erased makes its place useless, wherever it lies: the first, one behind the first look of 64 bytes, the last. */
static void test_a_place_is_erased_or_left_out(void)
{
    const size_t at[] = { 0, 63, 64, SAVED - 1 };

    for (unsigned i = 0; i < sizeof(at) / sizeof(at[0]); i++) {
        start(&small);
        save(1);
        flash.bytes[UNIT + SAVED + at[i]] = 0xFE;
        CU_ASSERT_EQUAL(load(), BMS_ERR_OK);
        CU_ASSERT_EQUAL(store.next, PLACES + 2);
    }
    start(&small);
    save(1);
    flash.bytes[UNIT + 2 * SAVED] = 0xFE; /* the one behind does not matter */
    CU_ASSERT_EQUAL(load(), BMS_ERR_OK);
    CU_ASSERT_EQUAL(store.next, PLACES + 1);
}

/* The spare unit is erased when any byte of it is written, to the last one, also behind its last place; once. */
static void test_the_spare_unit_is_erased_whole(void)
{
    const size_t at[] = { 0, 64, ERASE, UNIT - 1 };

    for (unsigned i = 0; i < sizeof(at) / sizeof(at[0]); i++) {
        start(&small);
        save(1);
        flash.bytes[at[i]] = 0;
        CU_ASSERT_EQUAL(load(), BMS_ERR_OK);
        CU_ASSERT(store.untidy);
        CU_ASSERT_EQUAL(key_store_tidy(&store), BMS_ERR_OK);
        CU_ASSERT_EQUAL(key_store_tidy(&store), BMS_ERR_OK);
        CU_ASSERT_EQUAL(flash.erases, UNIT / ERASE);
        CU_ASSERT_EQUAL(flash.bytes[at[i]], 0xFF);
        CU_ASSERT_EQUAL(store.next, PLACES + 1);
        CU_ASSERT(load() == BMS_ERR_OK && k.boot == 1 && !store.untidy);
    }
    start(&small);
    save(1);
    flash.bytes[2 * UNIT] = 0; /* not ours */
    CU_ASSERT(load() == BMS_ERR_OK && !store.untidy);
}

static void test_an_erase_that_fails_is_told_and_done_again(void)
{
    start(&small);
    save(1);
    flash.bytes[0] = 0;
    CU_ASSERT_EQUAL(load(), BMS_ERR_OK);
    flash.cut = FLASH_ERASE_CUTS + 1; /* into the second erase */
    CU_ASSERT_EQUAL(key_store_tidy(&store), BMS_ERR_IO);
    CU_ASSERT(store.untidy);
    fake_flash_on(&flash);
    CU_ASSERT_EQUAL(key_store_tidy(&store), BMS_ERR_OK);
    CU_ASSERT_FALSE(store.untidy);
}

/* Nothing valid anywhere: the first unit is the spare one, and is erased before it is written. */
static void test_rubbish_everywhere_is_erased_before_a_save(void)
{
    start(&small);
    memset(flash.bytes, 0x5A, 2 * UNIT);
    CU_ASSERT_EQUAL(load(), BMS_ERR_CORRUPT);
    CU_ASSERT(store.untidy && store.next == KEY_STORE_NOWHERE);
    CU_ASSERT_EQUAL(save(1), BMS_ERR_OK);
    CU_ASSERT_EQUAL(flash.erases, UNIT / ERASE);
    CU_ASSERT_EQUAL(store.newest, 0);
    CU_ASSERT(load() == BMS_ERR_OK && k.boot == 1 && store.untidy); /* the other unit is to be erased as well */
    CU_ASSERT_EQUAL(flash.forbidden, 0);
}

/* What a save does not need of its last program unit stays as erased. */
static void test_a_save_ends_with_a_whole_program_unit(void)
{
    const struct flash_geometry *geometries[] = { &small, &halves };

    for (unsigned i = 0; i < 2; i++) {
        size_t unit = geometries[i]->program_size, saved = (KEY_STORE_SIZE + unit - 1) / unit * unit;

        start(geometries[i]);
        save(1);
        save(2);
        CU_ASSERT_EQUAL(flash.programs, 2 * saved / unit);
        for (size_t at = KEY_STORE_SIZE; at < saved; at++)
            CU_ASSERT_EQUAL(flash.bytes[UNIT + at], 0xFF);
        CU_ASSERT(memcmp(flash.bytes + UNIT + saved, "CWK1", 4) == 0); /* the next one begins there */
        CU_ASSERT_EQUAL(flash.forbidden, 0);
    }
}

/* Two saves of one sequence cannot be told apart by age: the first one found stays. */
static void test_of_equal_sequences_the_first_counts(void)
{
    start(&small);
    save(1);
    memcpy(flash.bytes, flash.bytes + UNIT, SAVED);
    CU_ASSERT_EQUAL(load(), BMS_ERR_OK);
    CU_ASSERT_EQUAL(store.newest, 0);
}

int main(void)
{
    CU_TestInfo tests[] = {
        { "a blank memory needs no erase [AC-7]", test_a_blank_memory_needs_no_erase },
        { "saves follow each other and go on in the other unit [AC-7]", test_saves_follow_each_other_and_go_on_in_the_other_unit },
        { "a place is erased, or left out [AC-7]", test_a_place_is_erased_or_left_out },
        { "the spare unit is erased whole, once [AC-7]", test_the_spare_unit_is_erased_whole },
        { "an erase that fails is told, and done again [AC-7]", test_an_erase_that_fails_is_told_and_done_again },
        { "rubbish everywhere is erased before a save [AC-7]", test_rubbish_everywhere_is_erased_before_a_save },
        { "a save ends with a whole program unit [AC-7]", test_a_save_ends_with_a_whole_program_unit },
        { "of equal sequences the first counts [AC-7]", test_of_equal_sequences_the_first_counts },
        CU_TEST_INFO_NULL,
    };

    return suite_run("key_flash", tests);
}
