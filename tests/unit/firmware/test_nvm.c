/* SPDX-License-Identifier: Apache-2.0 */
#include "common/bytes.h"
#include "common/crc.h"
#include "firmware/core/store/params.h"
#include "tests/unit/firmware/fake_nvm.h"
#include "tests/unit/suite.h"

static struct fake_nvm memory;
static struct nvm nvm;
static struct nvm_image image;
static int32_t values[PARAMS];

static void start(void)
{
    fake_nvm_init(&memory);
    params_defaults(CHEMISTRY_LFP, values);
    memset(&image, 0, sizeof(image));
}

static int load(void)
{
    return nvm_load(&nvm, &memory.port, &image);
}

static void test_blank_and_corrupt_and_broken_are_told_apart(void)
{
    start();
    image.params[0] = 12345;
    image.replaced = 3;
    CU_ASSERT_EQUAL(load(), BMS_ERR_UNKNOWN);
    CU_ASSERT_EQUAL(image.params[0], 12345); /* the caller's values stand */
    CU_ASSERT_EQUAL(image.replaced, 0);
    memset(memory.bytes, 0, sizeof(memory.bytes));
    CU_ASSERT_EQUAL(load(), BMS_ERR_UNKNOWN);
    memory.bytes[NVM_SLOT_SIZE + 5] = 1;
    CU_ASSERT_EQUAL(load(), BMS_ERR_CORRUPT);
    memory.broken = true;
    CU_ASSERT_EQUAL(load(), BMS_ERR_IO);
    CU_ASSERT_EQUAL(nvm_store(&nvm, values), BMS_ERR_IO);
}

/* A memory that is programmed by the unit gets whole ones; what the slot does not need of the last one stays as erased. */
static void test_the_last_program_unit_is_filled_with_ff(void)
{
    enum { HEAD = 4 + 4 + 4 + 2, PAIR = 2 + 4, CRC = 4, UNIT = 32, N = HEAD + PARAMS * PAIR + CRC, END = (N + UNIT - 1) / UNIT * UNIT };

    start();
    memory.port.program_size = UNIT;
    memset(memory.bytes, 0x11, sizeof(memory.bytes));
    CU_ASSERT_EQUAL(load(), BMS_ERR_CORRUPT); /* what the buffers on the stack hold now */
    CU_ASSERT_EQUAL(nvm_store(&nvm, values), BMS_ERR_OK);
    const uint8_t *slot = memory.bytes;

    CU_ASSERT_EQUAL(get_le32(slot + N - CRC), crc32c(0, slot, N - CRC));
    for (size_t i = N; i < END; i++)
        CU_ASSERT_EQUAL(slot[i], 0xFF);
    CU_ASSERT_EQUAL(slot[END], 0x11);
    CU_ASSERT(END > N); /* there is something to fill */
}

static void test_newest_wins_and_slots_alternate(void)
{
    start();
    load();
    for (int i = 0; i < 10; i++) {
        values[PARAM_balance_start_mV] = 30 + i;
        nvm.boot = (uint32_t)i;
        unsigned slot = nvm.next_slot;

        CU_ASSERT_EQUAL(nvm_store(&nvm, values), BMS_ERR_OK);
        CU_ASSERT_EQUAL(nvm.next_slot, 1 - slot);
        CU_ASSERT_EQUAL(load(), BMS_ERR_OK);
        CU_ASSERT_EQUAL(image.params[PARAM_balance_start_mV], 30 + i);
        CU_ASSERT_EQUAL(nvm.boot, i);
        CU_ASSERT_EQUAL(nvm.sequence, i + 1);
        CU_ASSERT_EQUAL(nvm.next_slot, 1 - slot);
        CU_ASSERT_EQUAL(memcmp(image.params, values, sizeof(values)), 0);
        CU_ASSERT_EQUAL(image.replaced, 0);
    }
}

static void test_sequence_may_wrap(void)
{
    start();
    load();
    nvm.sequence = UINT32_MAX - 1;
    for (int i = 0; i < 4; i++) {
        values[PARAM_balance_start_mV] = 30 + i;
        nvm_store(&nvm, values);
        CU_ASSERT_EQUAL(load(), BMS_ERR_OK);
        CU_ASSERT_EQUAL(image.params[PARAM_balance_start_mV], 30 + i);
    }
}

/* Cut the power after every byte of the third store: what is loaded is the second or the third, whole, and the next store works. */
static void test_power_cut_after_every_byte(void)
{
    long cut = 0;
    bool whole = false;

    for (; !whole; cut++) {
        start();
        load();
        for (int i = 1; i <= 2; i++) {
            values[PARAM_balance_start_mV] = 100 + i;
            nvm.boot = (uint32_t)i;
            nvm_store(&nvm, values);
        }
        memory.bytes_left = cut;
        values[PARAM_balance_start_mV] = 103;
        nvm.boot = 3;
        whole = nvm_store(&nvm, values) == BMS_ERR_OK;
        memory.bytes_left = -1;
        CU_ASSERT_EQUAL_FATAL(load(), BMS_ERR_OK);
        CU_ASSERT_EQUAL(nvm.boot, (uint32_t)image.params[PARAM_balance_start_mV] - 100);
        CU_ASSERT(nvm.boot == 3 || (nvm.boot == 2 && !whole));
        values[PARAM_balance_start_mV] = 104;
        nvm.boot = 4;
        CU_ASSERT_EQUAL(nvm_store(&nvm, values), BMS_ERR_OK);
        CU_ASSERT_EQUAL(load(), BMS_ERR_OK);
        CU_ASSERT_EQUAL(nvm.boot, 4);
    }
    CU_ASSERT(cut > 6 * PARAMS);
}

static void test_failed_store_is_repeated_in_the_same_slot(void)
{
    start();
    load();
    nvm_store(&nvm, values);
    unsigned slot = nvm.next_slot;

    memory.bytes_left = 100;
    CU_ASSERT_EQUAL(nvm_store(&nvm, values), BMS_ERR_IO);
    CU_ASSERT_EQUAL(nvm.next_slot, slot);
    memory.bytes_left = 10;
    CU_ASSERT_EQUAL(nvm_store(&nvm, values), BMS_ERR_IO);
    memory.bytes_left = -1;
    CU_ASSERT_EQUAL(load(), BMS_ERR_OK);
}

static void test_any_flipped_bit_falls_back_to_the_older(void)
{
    start();
    load();
    nvm.boot = 1;
    nvm_store(&nvm, values);
    nvm.boot = 2;
    nvm_store(&nvm, values); /* in slot 1 */
    for (size_t byte = 0; byte < 14 + 6 * PARAMS + 4; byte++) {
        memory.bytes[NVM_SLOT_SIZE + byte] ^= 0x04;
        CU_ASSERT_EQUAL(load(), BMS_ERR_OK);
        CU_ASSERT_EQUAL(nvm.boot, 1);
        memory.bytes[NVM_SLOT_SIZE + byte] ^= 0x04;
    }
    CU_ASSERT_EQUAL(load(), BMS_ERR_OK);
    CU_ASSERT_EQUAL(nvm.boot, 2);
}

/* A slot as another firmware would write it: some pairs, among them one that nobody knows and one out of its row. */
static void test_image_of_another_firmware(void)
{
    static const struct {
        uint16_t id;
        int32_t value;
    } pairs[] = { { 1, CHEMISTRY_LFP }, { 9999, 5 }, { 80, 77 }, { 104, 99999 } };
    struct writer w;

    start();
    w = writer_of(memory.bytes, NVM_SLOT_SIZE);
    write_le32(&w, 0x314E5743u);
    write_le32(&w, 1);
    write_le32(&w, 55);
    write_le16(&w, 4);
    for (int i = 0; i < 4; i++) {
        write_le16(&w, pairs[i].id);
        write_le32(&w, (uint32_t)pairs[i].value);
    }
    write_le32(&w, crc32c(0, memory.bytes, writer_used(&w)));
    CU_ASSERT_EQUAL(load(), BMS_ERR_OK);
    CU_ASSERT_EQUAL(nvm.boot, 55);
    CU_ASSERT_EQUAL(image.params[PARAM_balance_start_mV], 77);
    CU_ASSERT_EQUAL(image.params[PARAM_cell_over_voltage_limit], 3650); /* LFP's default */
    CU_ASSERT_EQUAL(image.replaced, PARAMS - 2);
}

/* A slot that does not name its chemistry: what is missing is that of NMC. */
static void test_without_a_chemistry_the_defaults_are_those_of_nmc(void)
{
    struct writer w;

    start();
    w = writer_of(memory.bytes, NVM_SLOT_SIZE);
    write_le32(&w, 0x314E5743u);
    write_le32(&w, 1);
    write_le32(&w, 2);
    write_le16(&w, 1);
    write_le16(&w, 80);
    write_le32(&w, 77);
    write_le32(&w, crc32c(0, memory.bytes, writer_used(&w)));
    CU_ASSERT_EQUAL(load(), BMS_ERR_OK);
    CU_ASSERT_EQUAL(image.params[PARAM_balance_start_mV], 77);
    CU_ASSERT_EQUAL(image.params[PARAM_cell_over_voltage_limit], 4250);
    CU_ASSERT_EQUAL(image.replaced, PARAMS - 1);
}

/* What a newer firmware with more parameters may have written: as many pairs as fit into a slot, and one more than that. */
static void test_a_slot_that_is_full_to_the_last_pair(void)
{
    enum { MOST = (NVM_SLOT_SIZE - 14 - 4) / 6 };

    for (unsigned pairs = MOST; pairs <= MOST + 1; pairs++) {
        struct writer w;

        start();
        w = writer_of(memory.bytes, 2 * NVM_SLOT_SIZE);
        write_le32(&w, 0x314E5743u);
        write_le32(&w, 1);
        write_le32(&w, 33);
        write_le16(&w, (uint16_t)pairs);
        for (unsigned i = 0; i < pairs; i++) {
            write_le16(&w, i == pairs - 1 ? 80 : 9999);
            write_le32(&w, 77);
        }
        write_le32(&w, crc32c(0, memory.bytes, writer_used(&w)));
        CU_ASSERT_EQUAL(load(), pairs == MOST ? BMS_ERR_OK : BMS_ERR_CORRUPT);
        CU_ASSERT_EQUAL(image.params[PARAM_balance_start_mV], pairs == MOST ? 77 : 0);
    }
}

/* Two slots with one number cannot come from this code; should they, the first one counts and the second is written next. */
static void test_of_equal_sequences_the_first_slot_counts(void)
{
    start();
    load();
    nvm.boot = 1;
    nvm_store(&nvm, values);
    nvm.sequence = 0;
    nvm.boot = 2;
    nvm_store(&nvm, values);
    CU_ASSERT_EQUAL(load(), BMS_ERR_OK);
    CU_ASSERT(nvm.boot == 1 && nvm.sequence == 1 && nvm.next_slot == 1);
}

static void test_the_layout_of_each_kind_of_memory(void)
{
    static const struct {
        size_t erase;
        struct nvm_layout wanted;
    } rows[] = {
        { 0, { 4096, 8192, NVM_KEY_STRIDE, 8192 + 2 * NVM_KEY_STRIDE, 2048, NVM_SIZE } },
        { 1, { 4096, 8192, 1, 8194, 2048, 12290 } },
        { 2048, { 4096, 8192, 2048, 12288, 2048, 16384 } },
        { 4096, { 4096, 8192, 4096, 16384, 4096, 24576 } },
        { 3000, { 6000, 12000, 3000, 18000, 3000, 24000 } }, /* what does not divide a slot: whole units all the same */
        { 131072, { 131072, 262144, 131072, 524288, 131072, 786432 } },
    };

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct nvm_layout layout = nvm_layout_of(&(struct nvm_port) { .erase_size = rows[i].erase });

        CU_ASSERT_EQUAL(memcmp(&layout, &rows[i].wanted, sizeof(layout)), 0);
    }
}

static int refuse(void *ctx, size_t offset)
{
    (void)ctx;
    (void)offset;
    return BMS_ERR_IO;
}

static void test_a_slot_that_cannot_be_erased_is_not_written(void)
{
    start();
    load();
    nvm_store(&nvm, values);
    memory.port.erase_size = NVM_SLOT_SIZE;
    memory.port.erase = refuse;
    uint8_t before = memory.bytes[NVM_SLOT_SIZE];

    CU_ASSERT_EQUAL(nvm_store(&nvm, values), BMS_ERR_IO);
    CU_ASSERT_EQUAL(memory.bytes[NVM_SLOT_SIZE], before);
    CU_ASSERT_EQUAL(nvm.next_slot, 1);
}

int main(void)
{
    CU_TestInfo tests[] = {
        { "blank, corrupt and broken memory are told apart", test_blank_and_corrupt_and_broken_are_told_apart },
        { "the last program unit is filled as erased", test_the_last_program_unit_is_filled_with_ff },
        { "the newest slot wins and slots alternate [UC-5]", test_newest_wins_and_slots_alternate },
        { "the sequence may wrap", test_sequence_may_wrap },
        { "a power cut after every byte leaves the old or the new set whole [AC-7]", test_power_cut_after_every_byte },
        { "a failed store is repeated in the same slot", test_failed_store_is_repeated_in_the_same_slot },
        { "any flipped bit falls back to the older slot", test_any_flipped_bit_falls_back_to_the_older },
        { "an image of another firmware gives what is known, defaults for the rest [PK-4]", test_image_of_another_firmware },
        { "without a chemistry the defaults are those of NMC", test_without_a_chemistry_the_defaults_are_those_of_nmc },
        { "a slot may be full to the last pair, and no more", test_a_slot_that_is_full_to_the_last_pair },
        { "of equal sequences the first slot counts [AC-7]", test_of_equal_sequences_the_first_slot_counts },
        { "the layout of each kind of memory [AC-7]", test_the_layout_of_each_kind_of_memory },
        { "a slot that cannot be erased is not written [AC-7]", test_a_slot_that_cannot_be_erased_is_not_written },
        CU_TEST_INFO_NULL,
    };

    return suite_run("nvm", tests);
}
