/* SPDX-License-Identifier: Apache-2.0 */
#include "local/core/upgrade.h"

#include <string.h>

#include "common/bytes.h"
#include "common/crc.h"
#include "common/err.h"
#include "proto/uds.h"

enum { START_ROUTINE = 0x01, ROUTINE_HEAD = 4, PLAIN = 0x00, FOUR_FOUR = 0x44, HARD_RESET = 0x01, BLOCK_HEAD = 2, BLOCK_MIN = 3 };

const char *upgrade_phase_words(enum upgrade_phase phase)
{
    static const char *const words[UPGRADE_PHASES] = {
        [UPGRADE_PROGRESS] = "asking where it stands",
        [UPGRADE_ERASE] = "erasing",
        [UPGRADE_BEGIN] = "beginning",
        [UPGRADE_DATA] = "sending",
        [UPGRADE_EXIT] = "ending the transfer",
        [UPGRADE_CHECK] = "checking",
        [UPGRADE_RESTART] = "restarting",
        [UPGRADE_DONE] = "done",
    };

    return words[phase];
}

void upgrade_start(struct upgrade *u, const uint8_t *image, uint32_t size)
{
    *u = (struct upgrade) { .image = image, .size = size, .crc = crc32c(0, image, size) };
}

static size_t routine(uint8_t *out, uint16_t id)
{
    out[0] = UDS_ROUTINE;
    out[1] = START_ROUTINE;
    put_be16(out + 2, id);
    return ROUTINE_HEAD;
}

static size_t data(struct upgrade *u, uint8_t *out)
{
    uint32_t room = (uint32_t)u->block - BLOCK_HEAD, left = u->size - u->sent;

    u->under_way = left < room ? left : room;
    out[0] = UDS_TRANSFER_DATA;
    out[1] = u->counter;
    memcpy(out + BLOCK_HEAD, u->image + u->sent, u->under_way);
    return BLOCK_HEAD + u->under_way;
}

size_t upgrade_request(struct upgrade *u, uint8_t *out)
{
    switch (u->phase) {
    case UPGRADE_PROGRESS:
        return routine(out, UDS_ROUTINE_PROGRESS);
    case UPGRADE_ERASE:
        return routine(out, UDS_ROUTINE_ERASE);
    case UPGRADE_BEGIN:
        out[0] = UDS_REQUEST_DOWNLOAD;
        out[1] = PLAIN;
        out[2] = FOUR_FOUR;
        put_be32(out + 3, u->sent);
        put_be32(out + 7, u->size - u->sent);
        return 11;
    case UPGRADE_DATA:
        return data(u, out);
    case UPGRADE_EXIT:
        out[0] = UDS_TRANSFER_EXIT;
        return 1;
    case UPGRADE_CHECK:
        put_be32(out + ROUTINE_HEAD, u->crc);
        return routine(out, UDS_ROUTINE_CHECK) + 4;
    case UPGRADE_RESTART:
        out[0] = UDS_ECU_RESET;
        out[1] = HARD_RESET;
        return 2;
    default:
        return 0;
    }
}

/* How far an earlier attempt came: only the very same bytes count. */
static int on_progress(struct upgrade *u, const uint8_t *answer, size_t n)
{
    if (n != ROUTINE_HEAD + 12)
        return BMS_ERR_CORRUPT;
    uint32_t size = get_be32(answer + 4), verified = get_be32(answer + 8), crc = get_be32(answer + 12);
    bool same = size == u->size && verified > 0 && verified < u->size && crc32c(0, u->image, verified) == crc;

    u->sent = u->resumed = same ? verified : 0;
    u->phase = same ? UPGRADE_BEGIN : UPGRADE_ERASE;
    return BMS_ERR_OK;
}

static int on_begin(struct upgrade *u, const uint8_t *answer, size_t n)
{
    if (n < 4 || answer[1] != 0x20)
        return BMS_ERR_CORRUPT;
    uint16_t block = get_be16(answer + 2);

    if (block < BLOCK_MIN)
        return BMS_ERR_CORRUPT;
    u->block = block < UDS_BLOCK_MAX ? block : UDS_BLOCK_MAX;
    u->counter = 1;
    u->phase = UPGRADE_DATA;
    return BMS_ERR_OK;
}

static int on_data(struct upgrade *u, const uint8_t *answer, size_t n)
{
    if (n < 2 || answer[1] != u->counter)
        return BMS_ERR_CORRUPT;
    u->sent += u->under_way;
    u->under_way = 0;
    u->counter++;
    if (u->sent == u->size)
        u->phase = UPGRADE_EXIT;
    return BMS_ERR_OK;
}

int upgrade_answer(struct upgrade *u, const uint8_t *answer, size_t n)
{
    switch (u->phase) {
    case UPGRADE_PROGRESS:
        return on_progress(u, answer, n);
    case UPGRADE_BEGIN:
        return on_begin(u, answer, n);
    case UPGRADE_DATA:
        return on_data(u, answer, n);
    case UPGRADE_DONE:
        return BMS_ERR_OK;
    default:
        u->phase = (enum upgrade_phase)(u->phase + 1);
        return BMS_ERR_OK;
    }
}
