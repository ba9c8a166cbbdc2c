/* SPDX-License-Identifier: Apache-2.0 */
#include "local/core/catalogue_upload.h"

#include <string.h>

#include "common/bytes.h"
#include "common/err.h"
#include "proto/uds.h"

enum { ZLIB = 0x10, FOUR_FOUR = 0x44, ASK_ANSWER = 3 + 12, BEGIN_ANSWER = 4, BLOCK_HEAD = 2 };

void catalogue_upload_start(struct catalogue_upload *u, uint8_t *packed)
{
    *u = (struct catalogue_upload) { .phase = CATALOGUE_ASK, .packed = packed };
}

size_t catalogue_upload_request(const struct catalogue_upload *u, uint8_t *out)
{
    switch (u->phase) {
    case CATALOGUE_ASK:
        out[0] = UDS_READ_DATA;
        put_be16(out + 1, DID_CATALOGUE);
        return 3;
    case CATALOGUE_BEGIN:
        out[0] = UDS_REQUEST_UPLOAD;
        out[1] = ZLIB;
        out[2] = FOUR_FOUR;
        put_be32(out + 3, UDS_MEMORY_CATALOGUE);
        put_be32(out + 7, u->packed_size);
        return CATALOGUE_REQUEST_MAX;
    case CATALOGUE_DATA:
        out[0] = UDS_TRANSFER_DATA;
        out[1] = u->counter;
        return BLOCK_HEAD;
    case CATALOGUE_EXIT:
        out[0] = UDS_TRANSFER_EXIT;
        return 1;
    default:
        return 0;
    }
}

static int on_ask(struct catalogue_upload *u, const uint8_t *answer, size_t n)
{
    if (n != ASK_ANSWER)
        return BMS_ERR_CORRUPT;
    u->hash = get_be32(answer + 3);
    u->packed_size = get_be32(answer + 7);
    u->plain_size = get_be32(answer + 11);
    if (u->packed_size == 0 || u->packed_size > CATALOGUE_PACKED_MAX || u->plain_size == 0 || u->plain_size > CATALOGUE_PLAIN_MAX)
        return BMS_ERR_CORRUPT;
    u->phase = CATALOGUE_BEGIN;
    return BMS_ERR_OK;
}

static int on_data(struct catalogue_upload *u, const uint8_t *answer, size_t n)
{
    if (n <= BLOCK_HEAD || answer[1] != u->counter || n - BLOCK_HEAD > u->packed_size - u->got)
        return BMS_ERR_CORRUPT;
    memcpy(u->packed + u->got, answer + BLOCK_HEAD, n - BLOCK_HEAD);
    u->got += (uint32_t)(n - BLOCK_HEAD);
    u->counter++;
    if (u->got == u->packed_size)
        u->phase = CATALOGUE_EXIT;
    return BMS_ERR_OK;
}

int catalogue_upload_answer(struct catalogue_upload *u, const uint8_t *answer, size_t n)
{
    switch (u->phase) {
    case CATALOGUE_ASK:
        return on_ask(u, answer, n);
    case CATALOGUE_BEGIN:
        if (n < BEGIN_ANSWER)
            return BMS_ERR_CORRUPT;
        u->got = 0;
        u->counter = 1;
        u->phase = CATALOGUE_DATA;
        return BMS_ERR_OK;
    case CATALOGUE_DATA:
        return on_data(u, answer, n);
    default:
        u->phase = CATALOGUE_DONE;
        return BMS_ERR_OK;
    }
}
