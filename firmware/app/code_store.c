/* SPDX-License-Identifier: Apache-2.0 */
#include "firmware/app/code_store.h"

#include <string.h>

#include "common/bytes.h"
#include "common/crc.h"
#include "common/err.h"
#include "firmware/app/nvm_place.h"

enum { BODY = 4 + 4 + 2, CRC_SIZE = 4 };
#define MAGIC 0x31445743u /* "CWD1" */

static size_t place(const struct code_store *s, unsigned unit)
{
    return s->geometry.offset + unit * s->geometry.unit;
}

static int read_unit(struct code_store *s, unsigned unit)
{
    if (s->port->read(s->port->ctx, place(s, unit), s->bytes, CODE_STORE_SIZE) != BMS_ERR_OK)
        return BMS_ERR_IO;
    if (nvm_is_blank(s->bytes, CODE_STORE_SIZE))
        return BMS_ERR_UNKNOWN;
    size_t n = get_le16(s->bytes + 8);

    if (get_le32(s->bytes) != MAGIC || n > DTC_IMAGE_MAX || get_le32(s->bytes + BODY + n) != crc32c(0, s->bytes, BODY + n))
        return BMS_ERR_CORRUPT;
    return BMS_ERR_OK;
}

int code_store_load(struct code_store *s, const struct nvm_port *port, const struct code_geometry *g, const uint8_t **image, size_t *n)
{
    int why = BMS_ERR_UNKNOWN;
    bool found = false;

    *s = (struct code_store) { .port = port, .geometry = *g };
    *image = NULL;
    *n = 0;
    for (unsigned unit = 0; unit < CODE_STORE_UNITS; unit++) {
        int err = read_unit(s, unit);
        uint32_t sequence = get_le32(s->bytes + 4);

        if (err != BMS_ERR_OK)
            why = nvm_worse(why, err);
        if (err != BMS_ERR_OK || (found && (int32_t)(sequence - s->sequence) <= 0)) /* sequences may wrap */
            continue;
        found = true;
        s->sequence = sequence;
        s->next = 1 - unit;
    }
    if (!found)
        return why;
    int err = read_unit(s, 1 - s->next); /* again: one buffer for both */

    if (err != BMS_ERR_OK)
        return err;
    *image = s->bytes + BODY;
    *n = get_le16(s->bytes + 8);
    return BMS_ERR_OK;
}

bool code_store_must_erase(const struct code_store *s)
{
    return s->port->erase_size > 0 && !s->blank;
}

static bool is_erased(const struct code_store *s, size_t offset)
{
    uint8_t bytes[64];

    for (size_t at = 0; at < s->geometry.unit; at += sizeof(bytes)) {
        size_t left = s->geometry.unit - at, now = left < sizeof(bytes) ? left : sizeof(bytes);

        if (s->port->read(s->port->ctx, offset + at, bytes, now) != BMS_ERR_OK || bytes[0] != 0xFF || !nvm_is_blank(bytes, now))
            return false;
    }
    return true;
}

int code_store_tidy(struct code_store *s)
{
    if (s->writing || !code_store_must_erase(s))
        return BMS_ERR_OK;
    bool erased = is_erased(s, place(s, s->next));

    for (size_t done = 0; !erased && done < s->geometry.unit; done += s->port->erase_size)
        if (s->port->erase(s->port->ctx, place(s, s->next) + done) != BMS_ERR_OK)
            return BMS_ERR_IO;
    s->blank = true;
    return BMS_ERR_OK;
}

void code_store_begin(struct code_store *s, const struct dtc_memory *d)
{
    size_t n = dtc_pack(d, s->bytes + BODY), end = BODY + n + CRC_SIZE;
    size_t program = s->port->program_size > 1 ? s->port->program_size : 1;

    put_le32(s->bytes, MAGIC);
    put_le32(s->bytes + 4, s->sequence + 1);
    put_le16(s->bytes + 8, (uint16_t)n);
    put_le32(s->bytes + BODY + n, crc32c(0, s->bytes, BODY + n));
    memset(s->bytes + end, 0xFF, sizeof(s->bytes) - end);
    s->size = (end + program - 1) / program * program;
    s->at = 0;
    s->erasing = code_store_must_erase(s);
    s->blank = false;
    s->writing = true;
}

bool code_store_is_busy(const struct code_store *s)
{
    return s->writing;
}

static int erase_one(struct code_store *s)
{
    int err = s->port->erase(s->port->ctx, place(s, s->next) + s->at);

    s->at += s->port->erase_size;
    if (s->at >= s->geometry.unit) {
        s->erasing = false;
        s->at = 0;
    }
    return err;
}

static int write_one(struct code_store *s)
{
    size_t left = s->size - s->at, now = left < s->geometry.page ? left : s->geometry.page;
    int err = s->port->write(s->port->ctx, place(s, s->next) + s->at, s->bytes + s->at, now);

    s->at += now;
    if (err != BMS_ERR_OK || s->at < s->size)
        return err;
    s->writing = false;
    s->sequence++;
    s->next = 1 - s->next;
    return BMS_ERR_OK;
}

int code_store_step(struct code_store *s)
{
    if (!s->writing)
        return BMS_ERR_OK;
    int err = s->erasing ? erase_one(s) : write_one(s);

    if (err == BMS_ERR_OK)
        return BMS_ERR_OK;
    s->writing = s->erasing = false;
    return BMS_ERR_IO;
}
