/* SPDX-License-Identifier: Apache-2.0 */
#include "firmware/app/key_store.h"

#include "common/bytes.h"
#include "common/crc.h"
#include "common/err.h"

enum { BODY = 4 + 4 + 2, CRC_AT = BODY + KEY_DATA_SIZE };
#define MAGIC 0x314B5743u /* "CWK1" */

static size_t place(const struct key_store *s, unsigned copy)
{
    return s->geometry.offset + copy * s->geometry.stride;
}

static bool is_blank(const uint8_t *p, size_t n)
{
    for (size_t i = 1; i < n; i++)
        if (p[i] != p[0])
            return false;
    return p[0] == 0x00 || p[0] == 0xFF;
}

static int read_copy(const struct key_store *s, unsigned copy, uint8_t *bytes)
{
    if (s->port->read(s->port->ctx, place(s, copy), bytes, KEY_STORE_SIZE) != BMS_ERR_OK)
        return BMS_ERR_IO;
    if (is_blank(bytes, KEY_STORE_SIZE))
        return BMS_ERR_UNKNOWN;
    size_t n = get_le16(bytes + 8), crc_at = BODY + n;

    if (get_le32(bytes) != MAGIC || (n != KEY_DATA_SIZE && n != KEY_DATA_FIRST_SIZE) ||
        get_le32(bytes + crc_at) != crc32c(0, bytes, crc_at))
        return BMS_ERR_CORRUPT;
    return BMS_ERR_OK;
}

/* The error that says most: something was there > cannot be read > never written. */
static int worse(int a, int b)
{
    if (a == BMS_ERR_CORRUPT || b == BMS_ERR_CORRUPT)
        return BMS_ERR_CORRUPT;
    return a == BMS_ERR_IO || b == BMS_ERR_IO ? BMS_ERR_IO : BMS_ERR_UNKNOWN;
}

int key_store_load(struct key_store *s, const struct nvm_port *port, const struct key_geometry *g, struct key_data *k)
{
    uint8_t bytes[KEY_STORE_SIZE];
    int why = BMS_ERR_UNKNOWN;
    bool found = false;

    *s = (struct key_store) { .port = port, .geometry = *g };
    for (unsigned i = 0; i < KEY_STORE_COPIES; i++) {
        int err = read_copy(s, i, bytes);

        if (err != BMS_ERR_OK) {
            why = worse(why, err);
            continue;
        }
        uint32_t sequence = get_le32(bytes + 4);

        if (found && (int32_t)(sequence - s->sequence) <= 0) /* sequences may wrap */
            continue;
        found = true;
        s->sequence = sequence;
        s->next = (i + 1) % KEY_STORE_COPIES;
        key_data_unpack(k, bytes + BODY, get_le16(bytes + 8));
    }
    return found ? BMS_ERR_OK : why;
}

int key_store_save(struct key_store *s, const struct key_data *k)
{
    uint8_t bytes[KEY_STORE_SIZE];

    put_le32(bytes, MAGIC);
    put_le32(bytes + 4, s->sequence + 1);
    put_le16(bytes + 8, KEY_DATA_SIZE);
    key_data_pack(k, bytes + BODY);
    put_le32(bytes + CRC_AT, crc32c(0, bytes, CRC_AT));
    for (size_t at = 0; at < sizeof(bytes); at += s->geometry.page) {
        size_t left = sizeof(bytes) - at, n = left < s->geometry.page ? left : s->geometry.page;

        if (s->port->write(s->port->ctx, place(s, s->next) + at, bytes + at, n) != BMS_ERR_OK)
            return BMS_ERR_IO; /* the copy is spoiled, and is the one to be written again */
    }
    s->sequence++;
    s->next = (s->next + 1) % KEY_STORE_COPIES;
    return BMS_ERR_OK;
}
