/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>

#include "common/bytes.h"
#include "common/crc.h"
#include "firmware/app/key_store.h"
#include "tests/unit/firmware/fake_nvm.h"
#include "tests/unit/suite.h"

static const struct key_geometry geometries[] = {
    { 0, KEY_STORE_SIZE, 1 },                          /* FRAM: byte by byte, copies end to end */
    { NVM_KEY_OFFSET, NVM_KEY_STRIDE, KEY_DATA_PAGE }, /* EEPROM of the board */
    { 0, NVM_SLOT_SIZE, 256 },                         /* flash: pages of 256 bytes, a block for each copy */
};
enum { GEOMETRIES = sizeof(geometries) / sizeof(geometries[0]) };

static struct fake_nvm memory;
static struct key_store store;
static struct key_data k;

static int load(int g)
{
    return key_store_load(&store, &memory.port, &geometries[g], &k);
}

/* Number `n` of what is saved; every field follows from it, so that a mixture would show. */
static struct key_data data_of(uint32_t n)
{
    struct key_data d = { .boot = n,
                          .soc = { .left_mAms = (int64_t)n * 1000003, .sigma = (float)n / 8.0f },
                          .discharged_mAms = (int64_t)n * 7919 };

    for (int i = 0; i < KEY_ALARMS; i++)
        d.alarms[i] = (uint16_t)(n * 31u + (uint32_t)i);
    for (uint32_t i = 0; i < KEY_RELAYS; i++)
        d.wear[i] = (struct relay_wear) { n * 17u + i, n * 19u + i };
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

static int save(uint32_t n)
{
    struct key_data d = data_of(n);

    return key_store_save(&store, &d);
}

static void test_power_cut_at_every_byte_of_every_write(void)
{
    unsigned cuts = 0, torn = 0, lost = 0;

    for (int g = 0; g < GEOMETRIES; g++)
        for (uint32_t before = 0; before < 5; before++) /* the first writes to a new memory, and those to either copy */
            for (long cut = 0; cut <= KEY_STORE_SIZE; cut++, cuts++) {
                fake_nvm_init(&memory);
                load(g);
                for (uint32_t n = 1; n <= before; n++)
                    save(n);
                memory.bytes_left = cut;
                bool safe = save(before + 1) == BMS_ERR_OK;

                memory.bytes_left = -1;
                CU_ASSERT_EQUAL(safe, cut == KEY_STORE_SIZE);
                k = data_of(999);
                int err = load(g);
                uint32_t want = safe ? before + 1 : before;

                lost += want ? err != BMS_ERR_OK || k.boot != want : err == BMS_ERR_OK;
                torn += err == BMS_ERR_OK && !is_whole(&k);
                CU_ASSERT_EQUAL(save(50), BMS_ERR_OK); /* and the store goes on */
                CU_ASSERT(load(g) == BMS_ERR_OK && k.boot == 50);
            }
    CU_ASSERT_EQUAL(torn, 0);
    CU_ASSERT_EQUAL(lost, 0);
    printf("(%u cuts, %u torn) ", cuts, torn);
}

/* The byte under way when the power goes may become anything. */
static void test_the_byte_under_way_may_become_anything(void)
{
    for (size_t at = 0; at < KEY_STORE_SIZE; at++)
        for (unsigned bit = 0; bit < 8; bit++) {
            fake_nvm_init(&memory);
            load(1);
            save(1);
            save(2); /* in the second copy */
            memory.bytes[NVM_KEY_OFFSET + NVM_KEY_STRIDE + at] ^= (uint8_t)(1u << bit);
            CU_ASSERT_EQUAL(load(1), BMS_ERR_OK);
            CU_ASSERT(k.boot == 1 && is_whole(&k));
        }
}

/* A page that a place does not begin would be written twice. */
static void test_a_save_takes_no_more_pages_than_it_has_to(void)
{
    enum { PAGE_MS = 5, STEP_MS = 10, MARGIN_MS = 10 };
    unsigned pages = (KEY_STORE_SIZE + KEY_DATA_PAGE - 1) / KEY_DATA_PAGE;
    struct nvm_layout layout;

    fake_nvm_init(&memory);
    layout = nvm_layout_of(&memory.port);
    CU_ASSERT(layout.key_offset % KEY_DATA_PAGE == 0 && layout.key_unit % KEY_DATA_PAGE == 0);
    CU_ASSERT(layout.size > 64 * 1024 / 8); /* so no EEPROM with smaller pages can be the memory */
    CU_ASSERT(pages * PAGE_MS + STEP_MS + MARGIN_MS <= KEY_STORE_HOLD_UP_MS);
    load(1);
    memory.writes = 0;
    CU_ASSERT_EQUAL(save(1), BMS_ERR_OK);
    CU_ASSERT_EQUAL(memory.writes, pages);
}

static void test_says_why_there_is_none(void)
{
    fake_nvm_init(&memory);
    k.boot = 77;
    CU_ASSERT_EQUAL(load(1), BMS_ERR_UNKNOWN);
    memset(memory.bytes, 0, sizeof(memory.bytes)); /* some memories come so */
    CU_ASSERT_EQUAL(load(1), BMS_ERR_UNKNOWN);
    memory.bytes[NVM_KEY_OFFSET + 3] = 1;
    CU_ASSERT_EQUAL(load(1), BMS_ERR_CORRUPT);
    memory.broken = true;
    CU_ASSERT_EQUAL(load(1), BMS_ERR_IO);
    CU_ASSERT_EQUAL(save(1), BMS_ERR_IO);
    CU_ASSERT_EQUAL(k.boot, 77); /* not touched */
}

/* In the first place: a save of this length. */
static void put_old(const struct key_data *d, uint16_t n)
{
    uint8_t *p = memory.bytes + geometries[0].offset, packed[KEY_DATA_SIZE];

    fake_nvm_init(&memory);
    key_data_pack(d, packed);
    put_le32(p, 0x314B5743u);
    put_le32(p + 4, 9);
    put_le16(p + 8, n);
    memcpy(p + 10, packed, n);
    put_le32(p + 10 + n, crc32c(0, p, 10 + n));
}

/* A board that is upgraded keeps what it knew: the second format had no wear of RL4 to RL8. */
static void test_the_second_format_is_still_read(void)
{
    struct key_data d = data_of(5);

    put_old(&d, KEY_DATA_SECOND_SIZE);
    k.wear[7] = (struct relay_wear) { 7, 7 };
    CU_ASSERT_EQUAL(load(0), BMS_ERR_OK);
    CU_ASSERT(k.wear[2].closed == d.wear[2].closed && k.wear[2].load_A == d.wear[2].load_A);
    CU_ASSERT(memcmp(&k.soc, &d.soc, sizeof(k.soc)) == 0);
    for (int i = CONTACTOR_RELAYS; i < KEY_RELAYS; i++)
        CU_ASSERT(k.wear[i].closed == 0 && k.wear[i].load_A == 0);
}

/* The first format had no variance of the SOC either. */
static void test_the_first_format_is_still_read(void)
{
    enum { N = KEY_DATA_FIRST_SIZE };
    struct key_data d = data_of(5);
    uint8_t *p = memory.bytes + geometries[0].offset;

    put_old(&d, N);
    CU_ASSERT_EQUAL(load(0), BMS_ERR_OK);
    CU_ASSERT_EQUAL(k.soc.left_mAms, d.soc.left_mAms);
    CU_ASSERT_EQUAL(k.alarms[63], d.alarms[63]);
    CU_ASSERT(k.soc.sigma <= 0.0f);
    put_le16(p + 8, N + 1); /* a length that no format has */
    put_le32(p + 10 + N + 1, crc32c(0, p, 10 + N + 1));
    CU_ASSERT_EQUAL(load(0), BMS_ERR_CORRUPT);
}

static void test_sequence_may_wrap(void)
{
    fake_nvm_init(&memory);
    load(1);
    store.sequence = UINT32_MAX - 1;
    for (uint32_t n = 1; n <= 4; n++) {
        save(n);
        CU_ASSERT(load(1) == BMS_ERR_OK && k.boot == n);
    }
    CU_ASSERT_EQUAL(store.sequence, 2);
}

int main(void)
{
    CU_TestInfo tests[] = {
        { "power cut at every byte of every write, three geometries: the newest is found, none torn [AC-7]",
          test_power_cut_at_every_byte_of_every_write },
        { "the byte under way may become anything [AC-7]", test_the_byte_under_way_may_become_anything },
        { "a save writes whole pages, and leaves a margin of the hold-up [AC-7]", test_a_save_takes_no_more_pages_than_it_has_to },
        { "says why there is none [AC-7]", test_says_why_there_is_none },
        { "the second format is still read [AC-7]", test_the_second_format_is_still_read },
        { "the first format is still read [AC-7]", test_the_first_format_is_still_read },
        { "the sequence may wrap [AC-7]", test_sequence_may_wrap },
        CU_TEST_INFO_NULL,
    };

    return suite_run("key_store", tests);
}
