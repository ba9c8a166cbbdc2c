/* SPDX-License-Identifier: Apache-2.0 */
/* test_uds_words.c -- trouble codes and refusals as people read them. */
#include "local/core/uds_words.h"

#include <string.h>

#include "common/err.h"
#include "local/core/dtc_list.h"
#include "proto/tables.h"
#include "proto/uds.h"
#include "tests/unit/suite.h"

static void test_refusals(void)
{
    CU_ASSERT_PTR_NOT_NULL(strstr(uds_nrc_words(UDS_NRC_CONDITIONS), "contactors must be open"));
    for (unsigned nrc = 0; nrc <= 0xFF; nrc++)
        CU_ASSERT(strlen(uds_nrc_words((uint8_t)nrc)) > 0);
}

static void test_status(void)
{
    char words[160], little[8];

    uds_status_words(0x09, words, sizeof(words));
    CU_ASSERT_STRING_EQUAL(words, "failed now, confirmed");
    uds_status_words(0, words, sizeof(words));
    CU_ASSERT_STRING_EQUAL(words, "no result");
    uds_status_words(0xFF, words, sizeof(words));
    CU_ASSERT_PTR_NOT_NULL(strstr(words, "warning lamp"));
    uds_status_words(0xFF, little, sizeof(little));
    CU_ASSERT(strlen(little) < sizeof(little));
}

static void test_list(void)
{
    static struct dtc_row rows[DTC_LIST_MAX];
    const uint32_t code = alarm_rows[3].dtc;
    const uint8_t answer[] = { 0x59, 0x02, 0xFF, (uint8_t)(code >> 16), (uint8_t)(code >> 8), (uint8_t)code, 0x09, 0xAB, 0xCD, 0xEF, 0x08 };

    CU_ASSERT_EQUAL(dtc_list_parse(answer, sizeof(answer), rows), 2);
    CU_ASSERT(rows[0].alarm == 3 && rows[0].status == 0x09 && rows[1].alarm == -1 && rows[1].code == 0xABCDEF);
    CU_ASSERT_EQUAL(dtc_list_parse(answer, 3, rows), 0);
    for (size_t n = 0; n < sizeof(answer); n++)
        if (n != 3 && n != 7)
            CU_ASSERT_EQUAL(dtc_list_parse(answer, n, rows), BMS_ERR_CORRUPT);
}

static void test_list_that_is_too_long(void)
{
    static struct dtc_row rows[DTC_LIST_MAX];
    static uint8_t answer[3 + 4 * (DTC_LIST_MAX + 1)] = { 0x59, 0x02, 0xFF };

    CU_ASSERT_EQUAL(dtc_list_parse(answer, 3 + 4 * DTC_LIST_MAX, rows), DTC_LIST_MAX);
    CU_ASSERT_EQUAL(dtc_list_parse(answer, sizeof(answer), rows), BMS_ERR_CORRUPT);
}

int main(void)
{
    CU_TestInfo tests[] = {
        { "every refusal has words, and conditions not correct say what to do", test_refusals },
        { "the status of a trouble code is said bit by bit, cut to the room there is", test_status },
        { "the answer to 19 02 becomes rows; a code of another table keeps its number; any other length is refused", test_list },
        { "a list of the longest length is taken, one row more is refused", test_list_that_is_too_long },
        CU_TEST_INFO_NULL,
    };

    return suite_run("uds_words", tests);
}
