/* SPDX-License-Identifier: Apache-2.0 */
/* test_board_tables.c -- the tables that a board hands out: uploaded block by block, unpacked, and refused when they are not what the hash names. */
#include "local/app/board_tables.h"

#include <stdlib.h>
#include <string.h>
#include <zlib.h>

#include "common/bytes.h"
#include "common/err.h"
#include "local/core/catalogue_upload.h"
#include "proto/catalogue.h"
#include "proto/tables.h"
#include "proto/uds.h"
#include "tests/unit/suite.h"

enum { BLOCK = 1698 };

static uint8_t packed[CATALOGUE_PACKED_MAX];
static struct catalogue_upload u;
static uint8_t request[CATALOGUE_REQUEST_MAX], answer[BLOCK + 2];

/* The answer to DID_CATALOGUE. */
static int tell(uint32_t hash, uint32_t packed_size, uint32_t plain_size)
{
    catalogue_upload_start(&u, packed);
    CU_ASSERT_EQUAL(catalogue_upload_request(&u, request), 3);
    put_be32(answer + 3, hash);
    put_be32(answer + 7, packed_size);
    put_be32(answer + 11, plain_size);
    return catalogue_upload_answer(&u, answer, 15);
}

/* To the first block, of a catalogue of `size` packed bytes. */
static void begin(uint32_t size)
{
    CU_ASSERT_EQUAL_FATAL(tell(1, size, 100), BMS_ERR_OK);
    CU_ASSERT_EQUAL(catalogue_upload_request(&u, request), CATALOGUE_REQUEST_MAX);
    CU_ASSERT_TRUE(get_be32(request + 3) == UDS_MEMORY_CATALOGUE && get_be32(request + 7) == size);
    CU_ASSERT_EQUAL(catalogue_upload_answer(&u, (const uint8_t[]) { 0x75, 0x20, 6, 0xA4 }, 4), BMS_ERR_OK);
}

static void test_upload(void)
{
    const struct catalogue *board = &board_catalogue;
    struct board_tables t;
    unsigned blocks = 0;

    begin(board->packed_size);
    while (u.phase == CATALOGUE_DATA && blocks++ < 1000) {
        uint32_t left = board->packed_size - u.got, n = left < BLOCK ? left : BLOCK;

        CU_ASSERT_EQUAL(catalogue_upload_request(&u, request), 2);
        answer[1] = request[1];
        memcpy(answer + 2, board->packed + u.got, n);
        CU_ASSERT_EQUAL_FATAL(catalogue_upload_answer(&u, answer, n + 2), BMS_ERR_OK);
    }
    CU_ASSERT_EQUAL(blocks, (board->packed_size + BLOCK - 1) / BLOCK);
    CU_ASSERT_EQUAL(catalogue_upload_request(&u, request), 1);
    CU_ASSERT_EQUAL(catalogue_upload_answer(&u, (const uint8_t[]) { 0x77 }, 1), BMS_ERR_OK);
    CU_ASSERT_EQUAL(catalogue_upload_request(&u, request), 0);
    CU_ASSERT_EQUAL_FATAL(board_tables_init(&t, packed, board->packed_size, board->plain_size, tables_hash()), BMS_ERR_OK);
    CU_ASSERT_EQUAL(board_tables_params(&t), PARAMS);
    for (int p = 0; p < PARAMS; p++) {
        struct board_table_row row;

        board_tables_row(&t, (size_t)p, &row);
        CU_ASSERT_TRUE(row.id == param_rows[p].id && row.min == param_rows[p].min && row.max == param_rows[p].max);
        CU_ASSERT_EQUAL(board_tables_find(&t, param_rows[p].name, strlen(param_rows[p].name)), p);
    }
    CU_ASSERT_EQUAL(board_tables_find(&t, "no_such", 7), BMS_ERR_UNKNOWN);
    board_tables_deinit(&t);
}

static void test_bounds_of_sizes(void)
{
    CU_ASSERT_EQUAL(tell(1, CATALOGUE_PACKED_MAX, CATALOGUE_PLAIN_MAX), BMS_ERR_OK);
    CU_ASSERT_EQUAL(tell(1, CATALOGUE_PACKED_MAX + 1, 1), BMS_ERR_CORRUPT);
    CU_ASSERT_EQUAL(tell(1, 1, CATALOGUE_PLAIN_MAX + 1), BMS_ERR_CORRUPT);
    CU_ASSERT_EQUAL(tell(1, 0, 1), BMS_ERR_CORRUPT);
    CU_ASSERT_EQUAL(tell(1, 1, 0), BMS_ERR_CORRUPT);
}

static void test_bounds_of_blocks(void)
{
    begin(10);
    answer[1] = 1;
    CU_ASSERT_EQUAL(catalogue_upload_answer(&u, answer, 2), BMS_ERR_CORRUPT); /* nothing in it */
    CU_ASSERT_EQUAL(catalogue_upload_answer(&u, answer, 13), BMS_ERR_CORRUPT);
    answer[1] = 2;
    CU_ASSERT_EQUAL(catalogue_upload_answer(&u, answer, 12), BMS_ERR_CORRUPT); /* another block */
    answer[1] = 1;
    CU_ASSERT_EQUAL(catalogue_upload_answer(&u, answer, 12), BMS_ERR_OK);
    CU_ASSERT_EQUAL(u.phase, CATALOGUE_EXIT);
}

/* Our own tables with `from` made `to`, packed again: what board_tables_init() says of them. */
static int altered(const char *from, const char *to, uint32_t hash)
{
    const struct catalogue *board = &board_catalogue;
    char *text = malloc(board->plain_size + 1);
    uLongf plain = board->plain_size, n = sizeof(packed);
    struct board_tables t;

    CU_ASSERT_EQUAL_FATAL(uncompress((Bytef *)text, &plain, board->packed, board->packed_size), Z_OK);
    text[plain] = '\0';
    char *at = strstr(text, from);

    CU_ASSERT_PTR_NOT_NULL_FATAL(at);
    CU_ASSERT_EQUAL_FATAL(strlen(from), strlen(to));
    memcpy(at, to, strlen(to));
    CU_ASSERT_EQUAL_FATAL(compress(packed, &n, (const Bytef *)text, plain), Z_OK);
    free(text);
    int err = board_tables_init(&t, packed, n, plain, hash);

    if (err == BMS_ERR_OK)
        board_tables_deinit(&t);
    return err;
}

static void test_damaged(void)
{
    const uint32_t ours = tables_hash();

    CU_ASSERT_EQUAL(altered("balance_start_mV", "balance_start_mV", ours), BMS_ERR_OK);
    CU_ASSERT_EQUAL(altered("balance_start_mV", "balance_stayt_mV", ours), BMS_ERR_CORRUPT);
    CU_ASSERT_EQUAL(altered("\"min\"", "\"mjn\"", ours), BMS_ERR_OK); /* of a signal: no reader acts on it */
    CU_ASSERT_EQUAL(altered("\"params\":", "\"parans\":", ours), BMS_ERR_CORRUPT);
    CU_ASSERT_EQUAL(altered("\"unit\":\"Bd\"", "\"unjt\":\"Bd\"", ours), BMS_ERR_CORRUPT);
    CU_ASSERT_EQUAL(altered("{\"hash\"", "[\"hash\"", ours), BMS_ERR_CORRUPT);
    CU_ASSERT_EQUAL(altered("hash", "hash", ours ^ 1), BMS_ERR_CORRUPT);
}

static void test_packing(void)
{
    const struct catalogue *board = &board_catalogue;
    struct board_tables t;
    uint32_t n = board->packed_size;

    CU_ASSERT_EQUAL(board_tables_init(&t, board->packed, n - 1, board->plain_size, board->hash), BMS_ERR_CORRUPT);
    CU_ASSERT_EQUAL(board_tables_init(&t, board->packed, n, board->plain_size - 1, board->hash), BMS_ERR_CORRUPT);
    CU_ASSERT_EQUAL(board_tables_init(&t, board->packed, n, board->plain_size + 1, board->hash), BMS_ERR_CORRUPT);
}

int main(void)
{
    CU_TestInfo tests[] = {
        { "the board's catalogue is uploaded, unpacked, and holds the rows of its hash [UC-3]", test_upload },
        { "sizes of nothing or over the bounds are refused", test_bounds_of_sizes },
        { "a block of nothing, over the end or with another counter is refused", test_bounds_of_blocks },
        { "tables whose rows do not have the hash are refused [UC-5]", test_damaged },
        { "packed bytes that give another size are refused", test_packing },
        CU_TEST_INFO_NULL,
    };

    return suite_run("board_tables", tests);
}
