/* SPDX-License-Identifier: Apache-2.0 */
#include <math.h>
#include <string.h>

#include "tests/unit/sim/accuracy.h"
#include "tests/unit/suite.h"

static struct accuracy rows[ACCURACY_ROWS];

static void test_the_board_keeps_its_budgets(void)
{
    CU_ASSERT_EQUAL(accuracy_measure(board_sheets, 2, rows), 0);
    for (int i = 0; i < ACCURACY_ROWS; i++) {
        CU_ASSERT(rows[i].readings > 100);
        CU_ASSERT(rows[i].worst > 0.1 * rows[i].budget); /* the errors are there */
        CU_ASSERT(rows[i].worst <= rows[i].budget);
    }
}

/* One kind of part three times as bad breaks the row that it serves. */
static void test_a_worse_board_breaks_them(void)
{
    static const struct {
        enum error_kind kind;
        enum accuracy_row row;
        double worse;
    } cases[] = {
        { ERROR_CELL, ACCURACY_CELL, 3 },        { ERROR_PROBE, ACCURACY_TEMP, 5 },           { ERROR_TOTAL, ACCURACY_TOTAL, 3 },
        { ERROR_CSU, ACCURACY_CURRENT, 3 },      { ERROR_HALL, ACCURACY_CURRENT, 3 },         { ERROR_SHUNT, ACCURACY_CURRENT, 5 },
        { ERROR_RAIL, ACCURACY_INSULATION, 20 }, { ERROR_RESISTOR, ACCURACY_INSULATION, 20 },
    };

    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct error_sheet sheets[ERROR_KINDS], *s = &sheets[cases[i].kind];

        memcpy(sheets, board_sheets, sizeof(sheets));
        s->offset *= cases[i].worse;
        s->gain *= cases[i].worse;
        s->offset_per_K *= cases[i].worse;
        s->gain_per_K *= cases[i].worse;
        CU_ASSERT(accuracy_measure(sheets, 1, rows) > 0);
        CU_ASSERT(rows[cases[i].row].violations > 0);
        for (int r = 0; r < ACCURACY_ROWS; r++)
            CU_ASSERT((enum accuracy_row)r == cases[i].row || rows[r].violations == 0);
    }
}

static void test_a_channel_is_what_its_terms_say(void)
{
    struct noise noise = { 1 };
    struct error_channel c = { .offset = 2, .gain = 0.01, .offset_per_K = 0.1, .gain_per_K = 0.001, .lsb = 0 };

    CU_ASSERT_DOUBLE_EQUAL(error_read(&c, 100, 25, &noise), 103, 1e-9);
    CU_ASSERT_DOUBLE_EQUAL(error_read(&c, 100, 35, &noise), 105, 1e-9);
    CU_ASSERT_DOUBLE_EQUAL(error_read(&c, 100, 15, &noise), 101, 1e-9);
    c.lsb = 10;
    CU_ASSERT_DOUBLE_EQUAL(error_read(&c, 100, 25, &noise), 100, 1e-9);
    c.noise = 1;
    c.lsb = 0;
    double sum = 0, squares = 0;

    for (int i = 0; i < 10000; i++) {
        double e = error_read(&c, 100, 25, &noise) - 103;

        sum += e;
        squares += e * e;
    }
    CU_ASSERT(fabs(sum / 10000) < 0.05);
    CU_ASSERT(fabs(sqrt(squares / 10000) - 1) < 0.05);
}

int main(void)
{
    static CU_TestInfo tests[] = {
        { "a board of the worst parts keeps the budgets over temperature [ME-1] [ME-2] [ME-4] [ME-5] [ME-6]",
          test_the_board_keeps_its_budgets },
        { "a worse part breaks the row that it serves, and no other", test_a_worse_board_breaks_them },
        { "a channel is off by what its terms say", test_a_channel_is_what_its_terms_say },
        CU_TEST_INFO_NULL,
    };

    return suite_run("accuracy", tests);
}
