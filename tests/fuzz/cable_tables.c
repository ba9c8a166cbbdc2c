/* SPDX-License-Identifier: Apache-2.0 */
/* What a board says when it is asked for its tables, and what it packs. The first byte chooses: answers (length, data; a positive head is put before
 * each, so that the phases are reached), or text that is packed here and whose hash is the next four bytes. Nothing is taken past its bounds, and every
 * row of tables that are taken can be read. */
#include <stdlib.h>
#include <string.h>
#include <zlib.h>

#include "common/bytes.h"
#include "common/err.h"
#include "local/app/board_tables.h"
#include "local/core/catalogue_upload.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

static uint8_t packed[CATALOGUE_PACKED_MAX];

static void judge(const uint8_t *from, size_t n, size_t plain, uint32_t hash)
{
    struct board_tables t;
    struct board_table_row row;

    if (board_tables_init(&t, from, n, plain, hash) != BMS_ERR_OK)
        return;
    for (size_t i = 0; i < board_tables_params(&t); i++) {
        board_tables_row(&t, i, &row);
        int found = board_tables_find(&t, row.name, strlen(row.name));

        if (row.id > BOARD_TABLES_ID_MAX || found < 0 || (size_t)found > i)
            abort();
    }
    board_tables_deinit(&t);
}

static void upload(const uint8_t *data, size_t n)
{
    struct catalogue_upload u;
    uint8_t request[CATALOGUE_REQUEST_MAX], answer[2 + UINT8_MAX];

    catalogue_upload_start(&u, packed);
    for (size_t at = 0; at < n && catalogue_upload_request(&u, request) > 0;) {
        size_t len = data[at] < n - at - 1 ? data[at] : n - at - 1;

        answer[0] = (uint8_t)(request[0] + 0x40);
        answer[1] = request[1];
        memcpy(answer + 2, data + at + 1, len);
        at += 1 + len;
        if (catalogue_upload_answer(&u, answer, 2 + len) != BMS_ERR_OK)
            return;
        if (u.packed_size > CATALOGUE_PACKED_MAX || u.plain_size > CATALOGUE_PLAIN_MAX || u.got > u.packed_size)
            abort();
    }
    if (u.phase == CATALOGUE_DONE)
        judge(packed, u.packed_size, u.plain_size, u.hash);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    uLongf size = sizeof(packed);

    if (n > 0 && data[0] % 2 == 0)
        upload(data + 1, n - 1);
    else if (n > 5 && compress(packed, &size, data + 5, (uLong)(n - 5)) == Z_OK)
        judge(packed, size, n - 5, get_be32(data + 1));
    return 0;
}
