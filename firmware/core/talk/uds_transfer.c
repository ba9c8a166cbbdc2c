/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "common/bytes.h"
#include "common/err.h"
#include "firmware/core/talk/uds_service.h"
#include "proto/catalogue.h"

enum { PLAIN = 0x00, ZLIB = 0x10, FOUR_AND_FOUR = 0x44, TWO_BYTES = 0x20, REQUEST_BYTES = 3 + 8, HEAD = 2 };

int uds_may_program(const struct uds *u)
{
    if (u->session != UDS_SESSION_PROGRAMMING)
        return -UDS_NRC_NOT_IN_SESSION;
    if (!u->unlocked)
        return -UDS_NRC_SECURITY;
    return u->board.relays || u->board.feedback ? -UDS_NRC_CONDITIONS : 0;
}

bool uds_holds_contactors(const struct uds *u)
{
    return u->session == UDS_SESSION_PROGRAMMING;
}

static void order(struct uds *u, const struct biu_slot_order *what)
{
    u->order = *what;
    u->slot_works = true;
}

void uds_slot_result(struct uds *u, enum biu_nvm result)
{
    if (result == BIU_NVM_IDLE || !u->slot_works)
        return;
    bool good = result == BIU_NVM_DONE;

    u->slot_works = false;
    u->slot_result = result;
    if (u->program.taken)
        program_written(&u->program, good);
    else if (good)
        program_erased(&u->program);
    if (!good)
        u->transfer = UDS_TRANSFER_NONE;
}

/* --- the routines --- */

/* A routine of another session is out of range (ISO 14229-1 figure 31). */
static int may_run(const struct uds *u)
{
    return u->session == UDS_SESSION_PROGRAMMING ? uds_may_program(u) : -UDS_NRC_RANGE;
}

int uds_erase(struct uds *u, const uint8_t *req, size_t n, uint8_t *out)
{
    int no = may_run(u);

    (void)out;
    if (u->program.slot_size == 0)
        return -UDS_NRC_RANGE;
    if (n != 4)
        return -UDS_NRC_LENGTH;
    if (no)
        return no;
    if (u->slot_works)
        return -UDS_NRC_BUSY;
    u->transfer = UDS_TRANSFER_NONE;
    program_erasing(&u->program);
    order(u, &(struct biu_slot_order) { .what = BIU_SLOT_ERASE });
    return uds_wait(u, UDS_WAIT_SLOT, (const uint8_t[]) { UDS_ROUTINE + UDS_ANSWER, req[1] & (uint8_t)~UDS_SUPPRESS, req[2], req[3] }, 4);
}

int uds_check(struct uds *u, const uint8_t *req, size_t n, uint8_t *out)
{
    int no = may_run(u);

    if (n != 8)
        return -UDS_NRC_LENGTH;
    if (no)
        return no;
    switch (program_check(&u->program, get_be32(req + 4))) {
    case BMS_ERR_OK:
        out[4] = 0;
        return 5;
    case BMS_ERR_STATE:
        return -UDS_NRC_SEQUENCE;
    default:
        return -UDS_NRC_PROGRAMMING;
    }
}

int uds_progress(struct uds *u, const uint8_t *req, size_t n, uint8_t *out)
{
    (void)req;
    if (n != 4)
        return -UDS_NRC_LENGTH;
    put_be32(out + 4, u->program.size);
    put_be32(out + 8, u->program.verified);
    put_be32(out + 12, u->program.crc);
    return 16;
}

/* --- the services --- */

static int begin(struct uds *u, enum uds_transfer what, uint16_t block_max, uint8_t *out)
{
    u->transfer = (uint8_t)what;
    u->block = 0;
    u->blocks = false;
    out[1] = TWO_BYTES;
    put_be16(out + 2, block_max);
    return 4;
}

/* Formats that are right and not ours are out of range (ISO 14229-1 table 442). */
static int check_request(const uint8_t *req, size_t n, uint8_t data_format)
{
    if (n < 3 || (req[2] == FOUR_AND_FOUR && n != REQUEST_BYTES))
        return -UDS_NRC_LENGTH;
    return req[1] == data_format && req[2] == FOUR_AND_FOUR ? 0 : -UDS_NRC_RANGE;
}

int uds_34_request_download(struct uds *u, const uint8_t *req, size_t n, uint8_t *out)
{
    int no = u->session == UDS_SESSION_PROGRAMMING ? check_request(req, n, PLAIN) : -UDS_NRC_NOT_IN_SESSION;

    if (!no)
        no = uds_may_program(u);
    if (no)
        return no;
    if (u->transfer == UDS_TRANSFER_DOWNLOAD)
        return -UDS_NRC_CONDITIONS;
    switch (program_begin(&u->program, get_be32(req + 3), get_be32(req + 7))) {
    case BMS_ERR_OK:
        return begin(u, UDS_TRANSFER_DOWNLOAD, UDS_BLOCK_MAX, out);
    case BMS_ERR_STATE:
        return -UDS_NRC_NOT_ACCEPTED; /* erase first */
    default:
        return -UDS_NRC_RANGE;
    }
}

int uds_35_request_upload(struct uds *u, const uint8_t *req, size_t n, uint8_t *out)
{
    int no = check_request(req, n, ZLIB);

    if (no)
        return no;
    uint32_t at = get_be32(req + 3) - UDS_MEMORY_CATALOGUE, size = get_be32(req + 7);

    if (size == 0 || at > board_catalogue.packed_size || size > board_catalogue.packed_size - at)
        return -UDS_NRC_RANGE;
    if (u->transfer == UDS_TRANSFER_DOWNLOAD)
        return -UDS_NRC_CONDITIONS;
    u->upload_at = u->upload_last = at;
    u->upload_end = at + size;
    return begin(u, UDS_TRANSFER_UPLOAD, UDS_RESPONSE_MAX, out);
}

static int take_block(struct uds *u, const uint8_t *req, size_t n, uint8_t *out)
{
    const uint8_t reply[HEAD] = { UDS_TRANSFER_DATA + UDS_ANSWER, req[1] };
    int no = uds_may_program(u);

    if (no)
        return no;
    if (u->blocks && req[1] == u->block && n > HEAD) { /* the answer was lost; the bytes are there */
        out[1] = req[1];
        return HEAD;
    }
    if (req[1] != (uint8_t)(u->block + 1))
        return -UDS_NRC_BLOCK_COUNTER;
    if (n <= HEAD || n > UDS_BLOCK_MAX)
        return -UDS_NRC_LENGTH;
    uint32_t at = u->program.verified;

    switch (program_take(&u->program, req + HEAD, n - HEAD)) {
    case BMS_ERR_OK:
        break;
    case BMS_ERR_NOSPACE:
        return -UDS_NRC_SUSPENDED;
    default:
        u->transfer = UDS_TRANSFER_NONE;
        return -UDS_NRC_RANGE;
    }
    u->block = req[1];
    u->blocks = true;
    order(u, &(struct biu_slot_order) { .what = BIU_SLOT_WRITE, .offset = at, .data = req + HEAD, .n = n - HEAD });
    return uds_wait(u, UDS_WAIT_SLOT, reply, sizeof(reply));
}

static int give_block(struct uds *u, const uint8_t *req, size_t n, uint8_t *out)
{
    bool again = u->blocks && req[1] == u->block;

    if (n != HEAD)
        return -UDS_NRC_LENGTH;
    if (!again && req[1] != (uint8_t)(u->block + 1))
        return -UDS_NRC_BLOCK_COUNTER;
    if (!again && u->upload_at == u->upload_end)
        return -UDS_NRC_SEQUENCE;
    if (!again)
        u->upload_last = u->upload_at;
    uint32_t left = u->upload_end - u->upload_last, size = left < UDS_RESPONSE_MAX - HEAD ? left : UDS_RESPONSE_MAX - HEAD;

    u->block = req[1];
    u->blocks = true;
    u->upload_at = u->upload_last + size;
    out[1] = req[1];
    memcpy(out + HEAD, board_catalogue.packed + u->upload_last, size);
    return (int)(HEAD + size);
}

int uds_36_transfer_data(struct uds *u, const uint8_t *req, size_t n, uint8_t *out)
{
    if (n < HEAD)
        return -UDS_NRC_LENGTH;
    switch (u->transfer) {
    case UDS_TRANSFER_DOWNLOAD:
        return take_block(u, req, n, out);
    case UDS_TRANSFER_UPLOAD:
        return give_block(u, req, n, out);
    default:
        return -UDS_NRC_SEQUENCE;
    }
}

int uds_37_request_transfer_exit(struct uds *u, const uint8_t *req, size_t n, uint8_t *out)
{
    (void)req;
    (void)out;
    if (n != 1)
        return -UDS_NRC_LENGTH;
    if (u->transfer == UDS_TRANSFER_NONE || (u->transfer == UDS_TRANSFER_DOWNLOAD && !program_is_complete(&u->program)))
        return -UDS_NRC_SEQUENCE;
    u->transfer = UDS_TRANSFER_NONE;
    return 1;
}
