/* SPDX-License-Identifier: Apache-2.0 */
/* The two readers of rows, with and without vector instructions, against the writer and against each other: on a processor without AVX2 they are the same one. */
#include "proto/body_matrix.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "proto/matrix_model.h"
#include "proto/rice_steps.h"
#include "tests/unit/suite.h"

enum { ROWS = 60, SPACE = 64 * 1024, STRIDE = MATRIX_COLUMNS_MAX };

static int32_t rows[ROWS][MATRIX_COLUMNS_MAX];
static uint16_t wide[ROWS][STRIDE], plain[ROWS][STRIDE];
static uint8_t stream[SPACE + 8];

static size_t write_rows(size_t n, size_t columns)
{
    struct writer w = writer_of(stream, SPACE);
    struct bit_writer b = { .out = &w };
    struct matrix m;

    matrix_begin(&m, columns);
    for (size_t i = 0; i < n; i++)
        put_row(&b, &m, rows[i]);
    bits_flush(&b);
    return writer_used(&w);
}

/* True when both readers end in the same place, well or not, and agree on every value that a good end stands for. */
static bool agree(size_t bytes, size_t n, size_t columns, bool *well)
{
    const struct matrix_rows to_wide = { wide[0], n, columns, STRIDE }, to_plain = { plain[0], n, columns, STRIDE };
    struct bit_reader a = bits_of(stream, bytes), b = bits_of(stream, bytes);

    memset(wide, 0xA5, sizeof wide);
    memset(plain, 0xA5, sizeof plain);
    get_rows(&a, &to_wide);
    get_rows_plainly(&b, &to_plain);
    *well = !b.bad;
    return a.bad == b.bad && (b.bad || (a.p == b.p && a.held == b.held && memcmp(wide, plain, sizeof wide) == 0));
}

static bool survives(size_t n, size_t columns)
{
    bool well, same = agree(write_rows(n, columns), n, columns, &well);

    for (size_t i = 0; i < n; i++)
        for (size_t c = 0; c < columns; c++)
            same = same && plain[i][c] == (uint16_t)rows[i][c];
    return same && well;
}

static void fill(size_t n, int32_t base, int32_t span, unsigned seed)
{
    srand(seed);
    for (size_t i = 0; i < n; i++)
        for (size_t c = 0; c < MATRIX_COLUMNS_MAX; c++)
            rows[i][c] = base + (int32_t)(c % 7) + rand() % span;
}

static void test_rows_of_every_width_survive_both_readers(void)
{
    for (size_t columns = 1; columns <= MATRIX_COLUMNS_MAX; columns++) {
        fill(ROWS, 3700, 1 + (int32_t)(columns % 9), (unsigned)columns);
        CU_ASSERT_TRUE(survives(ROWS, columns));
    }
}

static void test_noise_of_every_size_survives_both_readers(void)
{
    for (int32_t span = 1; span < 60000; span = span * 3 / 2 + 1) {
        fill(ROWS, 100, span, (unsigned)span);
        CU_ASSERT_TRUE(survives(ROWS, 48));
    }
}

/* A residual of more than a byte in any place: the row is read the long way. */
static void test_one_value_far_off_in_any_column_survives(void)
{
    static const int32_t off[] = { 126, 127, 128, 129, -127, -128, -129, -130, 3000, 61000 };

    for (size_t k = 0; k < sizeof off / sizeof off[0]; k++) {
        for (size_t c = 0; c < 48; c++) {
            fill(5, 3700, 3, (unsigned)c);
            rows[3][c] = 3700 + off[k];
            CU_ASSERT_TRUE(survives(5, 48));
        }
    }
}

static void test_rows_that_stay_and_rows_that_jump_survive(void)
{
    fill(ROWS, 3700, 2, 1);
    for (size_t i = 1; i < ROWS; i++)
        for (size_t c = 0; c < MATRIX_COLUMNS_MAX; c++)
            rows[i][c] = i % 3 == 1 ? rows[i - 1][c] : i % 7 == 0 ? 65535 - rows[i][c] : rows[i][c];
    CU_ASSERT_TRUE(survives(ROWS, 160));
}

/* What no writer wrote: both say so, or both read the same. */
static void test_random_bits_mean_the_same_to_both_readers(void)
{
    unsigned good = 0;
    bool well;

    for (unsigned seed = 1; seed <= 4000; seed++) {
        size_t bytes = 1 + seed % 400;

        srand(seed);
        for (size_t i = 0; i < bytes; i++)
            stream[i] = (uint8_t)rand();
        CU_ASSERT_TRUE(agree(bytes, 1 + seed % 5, 1 + seed % MATRIX_COLUMNS_MAX, &well));
        good += well;
    }
    CU_ASSERT_TRUE(good > 0 && good < 4000);
}

static void test_every_truncation_is_seen_by_both_readers(void)
{
    bool well;

    fill(10, 3700, 9, 3);
    size_t bytes = write_rows(10, 48);

    for (size_t n = 0; n + 1 < bytes; n++) {
        CU_ASSERT_TRUE(agree(n, 10, 48, &well));
        CU_ASSERT_FALSE(well);
    }
}

/* Each entry of the table against the codes one by one. */
static void test_the_table_says_what_the_codes_say(void)
{
    for (unsigned k = 0; k <= RICE_K_MAX; k++) {
        for (unsigned pattern = 0; pattern < RICE_STEPS; pattern++) {
            const struct rice_step *s = &rice_steps[k][pattern];
            uint8_t bytes[16] = { (uint8_t)pattern, (uint8_t)(pattern >> 8) };
            struct bit_reader b = bits_of(bytes, sizeof bytes);
            size_t before = sizeof bytes * 8;

            for (int i = 0; i < s->at[RICE_STEP_COUNT]; i++)
                CU_ASSERT_EQUAL(unzigzag32(get_rice(&b, k)), s->at[i]);
            size_t after = (size_t)(b.end - b.p) * 8 + b.held;

            CU_ASSERT_EQUAL(before - after, (size_t)s->at[RICE_STEP_TAKEN]);
            CU_ASSERT_TRUE(s->at[RICE_STEP_TAKEN] <= RICE_STEP_BITS && s->at[RICE_STEP_COUNT] <= RICE_STEP_VALUES);
        }
    }
}

int main(void)
{
    CU_TestInfo tests[] = {
        { "rows of every width survive both readers [PK-2] [FL-1]", test_rows_of_every_width_survive_both_readers },
        { "noise of every size survives both readers [FL-1]", test_noise_of_every_size_survives_both_readers },
        { "one value far off, in any column, survives", test_one_value_far_off_in_any_column_survives },
        { "rows that stay and rows that jump survive", test_rows_that_stay_and_rows_that_jump_survive },
        { "random bits mean the same to both readers", test_random_bits_mean_the_same_to_both_readers },
        { "every truncation is seen by both readers", test_every_truncation_is_seen_by_both_readers },
        { "the table says what the codes say", test_the_table_says_what_the_codes_say },
        CU_TEST_INFO_NULL,
    };

    return suite_run("body_matrix", tests);
}
