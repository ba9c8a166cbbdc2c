/* SPDX-License-Identifier: Apache-2.0 */
#include "firmware/core/diagnosis/self_test.h"

#include <string.h>

#include "common/crc.h"
#include "common/err.h"
#include "tests/unit/suite.h"

enum { WORDS = 40, BYTES = 1000 };

static struct { /* memory with a fault */
    uint32_t word[WORDS];
    size_t bad;
    uint32_t stuck_0, stuck_1; /* bits of word `bad` */
    bool alias;                /* the bad word is the same cell as word 0 */
    bool coupled;              /* writing the bad word flips a bit of its lower neighbour */
    int inside, entered;
} m;

static uint32_t ram_read(void *ctx, size_t w)
{
    (void)ctx;
    CU_ASSERT_EQUAL(m.inside, 1);
    if (w == m.bad && m.alias)
        return m.word[0];
    return w == m.bad ? (m.word[w] & ~m.stuck_0) | m.stuck_1 : m.word[w];
}

static void ram_write(void *ctx, size_t w, uint32_t v)
{
    (void)ctx;
    CU_ASSERT_FATAL(w < WORDS);
    if (w == m.bad && m.coupled && w > 0)
        m.word[w - 1] ^= 4;
    m.word[w == m.bad && m.alias ? 0 : w] = v;
}

static void ram_enter(void *ctx)
{
    (void)ctx;
    m.inside++;
    m.entered++;
}

static void ram_leave(void *ctx)
{
    (void)ctx;
    m.inside--;
}

static const struct self_ram ram = { .words = WORDS, .read = ram_read, .write = ram_write, .enter = ram_enter, .leave = ram_leave };

static void fill(void)
{
    memset(&m, 0, sizeof(m));
    for (size_t i = 0; i < WORDS; i++)
        m.word[i] = (uint32_t)i * 12345;
    m.bad = WORDS;
}

static bool all_blocks(void)
{
    bool ok = true;

    for (size_t w = 0; w < WORDS; w += SELF_RAM_BLOCK)
        ok = self_ram_block(&ram, w) && ok;
    return ok;
}

static void test_good_memory_keeps_what_it_held(void)
{
    fill();
    CU_ASSERT(all_blocks());
    for (size_t i = 0; i < WORDS; i++)
        CU_ASSERT_EQUAL(m.word[i], i * 12345);
    CU_ASSERT_EQUAL(m.entered, 3);
    CU_ASSERT_EQUAL(m.inside, 0);
}

static void test_every_bit_that_does_not_move_is_found(void)
{
    for (size_t w = 0; w < WORDS; w++)
        for (unsigned bit = 0; bit < 32; bit++) {
            fill();
            m.bad = w;
            m.stuck_0 = 1u << bit;
            CU_ASSERT_FALSE(all_blocks());
            m.stuck_0 = 0;
            m.stuck_1 = 1u << bit;
            CU_ASSERT_FALSE(all_blocks());
        }
}

static void test_words_that_disturb_each_other_are_found(void)
{
    for (size_t w = 1; w < SELF_RAM_BLOCK; w++) {
        fill();
        m.bad = w;
        m.alias = true;
        CU_ASSERT_FALSE(self_ram_block(&ram, 0));
        fill();
        m.bad = w;
        m.coupled = true;
        CU_ASSERT_FALSE(self_ram_block(&ram, 0));
    }
}

static void test_beyond_the_end_is_nothing(void)
{
    fill();
    CU_ASSERT(self_ram_block(&ram, WORDS));
    CU_ASSERT(self_ram_block(&ram, WORDS + 1));
}

static uint8_t program[BYTES];
static bool flash_dead;

static int flash_read(void *ctx, size_t offset, uint8_t *buf, size_t n)
{
    (void)ctx;
    CU_ASSERT_FATAL(offset + n <= BYTES);
    memcpy(buf, program + offset, n);
    return flash_dead ? BMS_ERR_IO : BMS_ERR_OK;
}

static struct self_flash flash = { .size = BYTES, .read = flash_read };

static int pass(struct self_flash_pass *p, unsigned *slices)
{
    int got = 0;

    for (*slices = 0; got == 0 && *slices < 100; ++*slices)
        got = self_flash_slice(p, &flash);
    return got;
}

static void test_a_program_is_checked_in_slices(void)
{
    struct self_flash_pass p = { 0 };
    unsigned slices;

    for (size_t i = 0; i < BYTES; i++)
        program[i] = (uint8_t)(i * 7);
    flash.crc = crc32c(0, program, BYTES);
    CU_ASSERT_EQUAL(pass(&p, &slices), 1);
    CU_ASSERT_EQUAL(slices, 4);
    CU_ASSERT_EQUAL(pass(&p, &slices), 1); /* and again */
}

static void test_every_changed_byte_is_found(void)
{
    struct self_flash_pass p = { 0 };
    unsigned slices;

    for (size_t i = 0; i < BYTES; i++) {
        program[i] ^= 0x10;
        CU_ASSERT_EQUAL(pass(&p, &slices), BMS_ERR_CORRUPT);
        program[i] ^= 0x10;
    }
    CU_ASSERT_EQUAL(pass(&p, &slices), 1);
    flash_dead = true;
    CU_ASSERT_EQUAL(pass(&p, &slices), BMS_ERR_IO);
    flash_dead = false;
    CU_ASSERT_EQUAL(pass(&p, &slices), 1);
}

int main(void)
{
    CU_TestInfo tests[] = {
        { "good RAM passes, and keeps what it held [ME-13]", test_good_memory_keeps_what_it_held },
        { "every bit that does not move is found [ME-13]", test_every_bit_that_does_not_move_is_found },
        { "words that share a cell or disturb a neighbour are found [ME-13]", test_words_that_disturb_each_other_are_found },
        { "nothing is touched beyond the end [ME-13]", test_beyond_the_end_is_nothing },
        { "a program in flash is checked slice by slice [ME-13]", test_a_program_is_checked_in_slices },
        { "every byte that has changed is found [ME-13]", test_every_changed_byte_is_found },
        CU_TEST_INFO_NULL,
    };

    return suite_run("self_test", tests);
}
