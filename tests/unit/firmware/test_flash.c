/* SPDX-License-Identifier: Apache-2.0 */
/* Parameters and key data in flash that must be erased: the power goes at every byte of every write and at every part of every erase, for three
 * geometries. What is found afterwards is always the newest that was whole. */
#include <stdio.h>
#include <stdlib.h>

#include "firmware/app/key_store.h"
#include "firmware/core/store/params.h"
#include "tests/unit/firmware/fake_flash.h"
#include "tests/unit/suite.h"

static struct fake_flash flash, before;
static struct key_store store;
static struct key_data k;
static struct nvm nvm;
static struct nvm_image image;
static int32_t values[PARAMS];

static int load(void)
{
    struct nvm_layout layout = nvm_layout_of(&flash.port);

    return key_store_load(&store, &flash.port, &(struct key_geometry) { layout.key_offset, layout.key_unit, flash.g->page }, &k);
}

static struct key_data data_of(uint32_t n)
{
    struct key_data d = { .boot = n, .soc = { .left_mAms = (int64_t)n * 1000003, .sigma = 0.25f }, .discharged_mAms = (int64_t)n * 7919 };

    for (int i = 0; i < KEY_ALARMS; i++)
        d.alarms[i] = (uint16_t)(n * 31u + (uint32_t)i);
    return d;
}

static bool is_whole(const struct key_data *d)
{
    uint8_t a[KEY_DATA_SIZE], b[KEY_DATA_SIZE];
    struct key_data want = data_of(d->boot);

    key_data_pack(d, a);
    key_data_pack(&want, b);
    return memcmp(a, b, sizeof(a)) == 0;
}

static int save_and_tidy(uint32_t n)
{
    struct key_data d = data_of(n);
    int err = key_store_save(&store, &d);

    return err ? err : key_store_tidy(&store);
}

/* Saves number 1 to n. */
static void fill(const struct flash_geometry *g, uint32_t n)
{
    fake_flash_init(&flash, g);
    load();
    CU_ASSERT_EQUAL_FATAL(key_store_tidy(&store), BMS_ERR_OK);
    for (uint32_t i = 1; i <= n; i++)
        CU_ASSERT_EQUAL_FATAL(save_and_tidy(i), BMS_ERR_OK);
}

static struct figures {
    unsigned cuts, torn, lost;
} figures;

/* The power goes `cut` bytes and erase parts into save number n + 1 (and its tidying); a second time `again` into what the boot then does. */
static bool survives(uint32_t n, long cut, long again)
{
    flash.cut = cut;
    bool done = save_and_tidy(n + 1) == BMS_ERR_OK;

    fake_flash_on(&flash);
    k = data_of(999999);
    int err = load();

    figures.cuts++;
    if (err == BMS_ERR_OK && !is_whole(&k))
        figures.torn++;
    if (n > 0 || done) /* the newest that was said to be safe, or the one under way if all of it has arrived */
        figures.lost += err != BMS_ERR_OK || k.boot < n + done || k.boot > n + 1;
    uint32_t found = err == BMS_ERR_OK ? k.boot : 0;

    flash.cut = again;
    (void)key_store_tidy(&store);
    fake_flash_on(&flash);
    err = load();
    figures.lost += found > 0 && (err != BMS_ERR_OK || k.boot != found);
    CU_ASSERT_EQUAL(save_and_tidy(n + 2), BMS_ERR_OK); /* and the store goes on */
    CU_ASSERT(load() == BMS_ERR_OK && k.boot == n + 2);
    return done;
}

static void test_key_data_survive_a_cut_at_every_byte_and_erase(void)
{
    figures = (struct figures) { 0 };
    for (int g = 0; g < FLASH_GEOMETRIES; g++) {
        uint32_t room = (uint32_t)(flash_geometries[g].erase_size / ((KEY_STORE_SIZE + 31) / 32 * 32));
        uint32_t at[] = { 0, 1, 2, room - 1, room, room + 1, 2 * room, 2 * room + 3 }; /* the first, within a unit, over the ends of both */

        for (size_t i = 0; i < sizeof(at) / sizeof(at[0]); i++) {
            fill(&flash_geometries[g], at[i]);
            before = flash;
            for (long cut = 0, done = false; !done; cut++) {
                flash = before;
                flash.port.ctx = &flash;
                load();
                done = survives(at[i], cut, cut % FLASH_ERASE_CUTS);
                CU_ASSERT_FATAL(cut < 2000);
            }
            CU_ASSERT_EQUAL(flash.forbidden, 0);
        }
    }
    CU_ASSERT_EQUAL(figures.torn, 0);
    CU_ASSERT_EQUAL(figures.lost, 0);
    printf("(%u cuts, %u torn, %u lost) ", figures.cuts, figures.torn, figures.lost);
}

static int load_params(void)
{
    return nvm_load(&nvm, &flash.port, &image);
}

static int store_params(int32_t n)
{
    values[PARAM_balance_start_mV] = 100 + n;
    nvm.boot = (uint32_t)n;
    return nvm_store(&nvm, values);
}

static void test_parameters_survive_a_cut_at_every_byte_and_erase(void)
{
    unsigned cuts = 0;

    params_defaults(CHEMISTRY_LFP, values);
    for (int g = 0; g < FLASH_GEOMETRIES; g++)
        for (int32_t n = 2; n <= 3; n++) { /* into either slot */
            bool whole = false;

            fake_flash_init(&flash, &flash_geometries[g]);
            load_params();
            for (int32_t i = 1; i <= n; i++)
                CU_ASSERT_EQUAL_FATAL(store_params(i), BMS_ERR_OK);
            before = flash;
            for (long cut = 0; !whole; cut++, cuts++) {
                memcpy(flash.bytes, before.bytes, flash.port.size);
                load_params();
                flash.cut = cut;
                whole = store_params(n + 1) == BMS_ERR_OK;
                fake_flash_on(&flash);
                CU_ASSERT_EQUAL_FATAL(load_params(), BMS_ERR_OK);
                CU_ASSERT_EQUAL(image.params[PARAM_balance_start_mV], 100 + (int32_t)nvm.boot);
                CU_ASSERT((int32_t)nvm.boot == n + 1 || ((int32_t)nvm.boot == n && !whole));
                CU_ASSERT_FATAL(cut < 10000);
            }
            CU_ASSERT_EQUAL(flash.forbidden, 0);
        }
    printf("(%u cuts) ", cuts);
}

/* When the supply falls there is time for a save, not for an erase. */
static void test_a_save_never_waits_for_an_erase(void)
{
    for (int g = 0; g < FLASH_GEOMETRIES; g++) {
        struct key_data d = data_of(1);

        fill(&flash_geometries[g], 0);
        for (int i = 0; i < 1200; i++) {
            unsigned erases = flash.erases, programs = flash.programs;

            CU_ASSERT_EQUAL_FATAL(key_store_save(&store, &d), BMS_ERR_OK);
            CU_ASSERT_EQUAL(flash.erases, erases);
            CU_ASSERT_EQUAL(flash.programs - programs, (KEY_STORE_SIZE + flash.g->program_size - 1) / flash.g->program_size);
            CU_ASSERT_EQUAL(key_store_tidy(&store), BMS_ERR_OK);
        }
        CU_ASSERT(flash.erases > 0);
        double save_ms = (double)((KEY_STORE_SIZE + flash.g->program_size - 1) / flash.g->program_size) * flash.g->program_us / 1000;

        CU_ASSERT(save_ms <= KEY_STORE_HOLD_UP_MS);
        CU_ASSERT_EQUAL(flash.forbidden, 0);
    }
}

/* A store that was never tidied erases when it must, and says so when it cannot. */
static void test_without_tidying_a_save_erases_when_it_must(void)
{
    const struct flash_geometry *g = &flash_geometries[2];
    struct key_data d = data_of(7);

    fill(g, 0);
    memset(flash.bytes, 0xA5, flash.port.size); /* all written over */
    CU_ASSERT_EQUAL(load(), BMS_ERR_CORRUPT);
    CU_ASSERT_EQUAL(store.next, KEY_STORE_NOWHERE);
    flash.cut = 3; /* during the erase */
    CU_ASSERT_EQUAL(key_store_save(&store, &d), BMS_ERR_IO);
    fake_flash_on(&flash);
    CU_ASSERT_EQUAL(key_store_save(&store, &d), BMS_ERR_OK);
    CU_ASSERT(load() == BMS_ERR_OK && k.boot == 7);
    CU_ASSERT_EQUAL(flash.forbidden, 0);
}

/* A write that fails, without a restart: the spoiled place is left out. */
static void test_a_spoiled_place_is_left_out(void)
{
    for (int g = 0; g < FLASH_GEOMETRIES; g++) {
        struct key_data d = data_of(5);

        fill(&flash_geometries[g], 2);
        flash.cut = 100;
        CU_ASSERT_EQUAL(key_store_save(&store, &d), BMS_ERR_IO);
        fake_flash_on(&flash);
        int spoiled = store.newest + 1;

        (void)load();
        CU_ASSERT_EQUAL(key_store_save(&store, &d), BMS_ERR_OK);
        CU_ASSERT(store.newest > spoiled);
        CU_ASSERT(load() == BMS_ERR_OK && k.boot == 5);
        CU_ASSERT_EQUAL(flash.forbidden, 0);
    }
}

static void test_memory_without_erase_units_lies_as_before(void)
{
    struct nvm_port port = { 0 };
    struct nvm_layout layout = nvm_layout_of(&port);

    CU_ASSERT(layout.slot == NVM_SLOT_SIZE && layout.key_offset == NVM_KEY_OFFSET && layout.key_unit == NVM_KEY_STRIDE &&
              layout.size == NVM_SIZE);
    for (int g = 0; g < FLASH_GEOMETRIES; g++) { /* nothing shares an erase unit */
        fake_flash_init(&flash, &flash_geometries[g]);
        layout = nvm_layout_of(&flash.port);
        CU_ASSERT(layout.slot % flash.g->erase_size == 0 && layout.slot >= NVM_SLOT_SIZE);
        CU_ASSERT(layout.key_offset % flash.g->erase_size == 0 && layout.key_unit % flash.g->erase_size == 0 &&
                  layout.key_unit >= KEY_STORE_SIZE);
        CU_ASSERT(layout.code_offset % flash.g->erase_size == 0 && layout.code_unit % flash.g->erase_size == 0);
        CU_ASSERT(layout.code_offset >= layout.key_offset + 2 * layout.key_unit && layout.code_unit >= NVM_CODE_STRIDE);
    }
}

int main(void)
{
    CU_TestInfo tests[] = {
        { "key data: the power goes at every byte and every part of an erase, three flash geometries: the newest is found, none torn "
          "[AC-7]",
          test_key_data_survive_a_cut_at_every_byte_and_erase },
        { "parameters: the same, old or new, whole [AC-7]", test_parameters_survive_a_cut_at_every_byte_and_erase },
        { "a save never waits for an erase [AC-7]", test_a_save_never_waits_for_an_erase },
        { "without tidying a save erases when it must [AC-7]", test_without_tidying_a_save_erases_when_it_must },
        { "a place that was spoiled is left out [AC-7]", test_a_spoiled_place_is_left_out },
        { "memory without erase units lies as before; in flash nothing shares an erase unit [AC-7]",
          test_memory_without_erase_units_lies_as_before },
        CU_TEST_INFO_NULL,
    };

    return suite_run("flash", tests);
}
