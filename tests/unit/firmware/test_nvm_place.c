/* SPDX-License-Identifier: Apache-2.0 */
#include "firmware/app/nvm_place.h"

#include <string.h>

#include "common/err.h"
#include "tests/unit/suite.h"

enum { N = 64 };

/* One byte that differs is enough, wherever it is. */
static void test_blank_is_blank_to_the_last_byte(void)
{
    static const uint8_t fills[] = { 0x00, 0xFF };
    uint8_t bytes[N];

    for (int f = 0; f < 2; f++) {
        memset(bytes, fills[f], N);
        CU_ASSERT(nvm_is_blank(bytes, N) && nvm_is_blank(bytes, 1));
        CU_ASSERT(nvm_is_all(bytes, N, fills[f]) && !nvm_is_all(bytes, N, (uint8_t)~fills[f]));
        for (size_t i = 0; i < N; i++) {
            bytes[i] ^= 1;
            CU_ASSERT_FALSE(nvm_is_blank(bytes, N));
            CU_ASSERT(nvm_is_blank(bytes, i) || i == 0); /* what lies behind does not count */
            bytes[i] ^= 1;
        }
    }
    memset(bytes, 0x55, N);
    CU_ASSERT(nvm_is_all(bytes, N, 0x55) && !nvm_is_blank(bytes, N));
}

static void test_of_two_reasons_the_one_that_says_most(void)
{
    static const int ranks[] = { BMS_ERR_UNKNOWN, BMS_ERR_IO, BMS_ERR_CORRUPT };

    for (int a = 0; a < 3; a++)
        for (int b = 0; b < 3; b++)
            CU_ASSERT_EQUAL(nvm_worse(ranks[a], ranks[b]), ranks[a > b ? a : b]);
}

int main(void)
{
    CU_TestInfo tests[] = {
        { "blank is blank to the last byte [AC-7]", test_blank_is_blank_to_the_last_byte },
        { "of two reasons the one that says most is told [AC-7]", test_of_two_reasons_the_one_that_says_most },
        CU_TEST_INFO_NULL,
    };

    return suite_run("nvm_place", tests);
}
