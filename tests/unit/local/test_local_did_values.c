/* SPDX-License-Identifier: Apache-2.0 */
/* test_local_did_values.c -- many values in a request, and answers that are not what was asked for. */
#include "local/core/did_values.h"

#include <string.h>

#include "common/err.h"
#include "tests/unit/suite.h"

static const uint16_t ids[] = { 0x050, 0xFF0 };
static const uint8_t good[] = { 0x62, 0x20, 0x50, 0, 0, 0, 50, 0x2F, 0xF0, 0xFF, 0xFF, 0xFF, 0xFD };
static uint8_t request[DID_VALUES_REQUEST_MAX];
static int32_t value[DID_VALUES_BLOCK];

static void values_come_in_the_order_of_the_request(void)
{
    size_t n = did_values_request(DID_PARAM_RUNNING, ids, 2, request);

    CU_ASSERT(n == 5 && memcmp(request, "\x22\x20\x50\x2F\xF0", 5) == 0);
    CU_ASSERT_EQUAL(did_values_take(request, n, good, sizeof(good), value), BMS_ERR_OK);
    CU_ASSERT(value[0] == 50 && value[1] == -3);
}

static void the_longest_request_fits(void)
{
    uint16_t many[DID_VALUES_BLOCK] = { 0 };

    CU_ASSERT_EQUAL(did_values_request(DID_PARAM_STORED, many, DID_VALUES_BLOCK, request), DID_VALUES_REQUEST_MAX);
}

static void an_answer_to_something_else_is_not_taken(void)
{
    uint8_t other[sizeof(good) + 1];
    size_t n = did_values_request(DID_PARAM_RUNNING, ids, 2, request);

    memcpy(other, good, sizeof(good));
    other[sizeof(good)] = 0;
    CU_ASSERT_EQUAL(did_values_take(request, n, other, sizeof(good) - 1, value), BMS_ERR_CORRUPT);
    CU_ASSERT_EQUAL(did_values_take(request, n, other, sizeof(good) + 1, value), BMS_ERR_CORRUPT);
    CU_ASSERT_EQUAL(did_values_take(request, n, other, 0, value), BMS_ERR_CORRUPT);
    other[8] = 0xF1; /* the second identifier */
    CU_ASSERT_EQUAL(did_values_take(request, n, other, sizeof(good), value), BMS_ERR_CORRUPT);
}

int main(void)
{
    CU_TestInfo tests[] = {
        { "the values of many identifiers come in the order of the request [UC-3]", values_come_in_the_order_of_the_request },
        { "the longest request fits", the_longest_request_fits },
        { "an answer to something else, too short or too long, is not taken", an_answer_to_something_else_is_not_taken },
        CU_TEST_INFO_NULL,
    };

    return suite_run("did_values", tests);
}
