/* SPDX-License-Identifier: Apache-2.0 */
#include "firmware/app/key_store.h"

#include "common/bytes.h"
#include "common/crc.h"
#include "common/err.h"
#include "firmware/app/nvm_place.h"

enum { BODY = 4 + 4 + 2, CRC_AT = BODY + KEY_DATA_SIZE };
#define MAGIC 0x314B5743u /* "CWK1" */

/* Of a save with what fills its last program unit. */
static size_t saved_size(const struct key_store *s)
{
    size_t unit = s->port->program_size > 1 ? s->port->program_size : 1;

    return KEY_STORE_SIZE + (unit - KEY_STORE_SIZE % unit) % unit % NVM_PROGRAM_MAX; /* no unit is larger */
}

static int places(const struct key_store *s) /* in each unit */
{
    return s->port->erase_size ? 1 + (int)((s->geometry.unit - saved_size(s)) / saved_size(s)) : 1; /* there is room for one */
}

static size_t place(const struct key_store *s, int i)
{
    return s->geometry.offset + (size_t)(i / places(s)) * s->geometry.unit + (size_t)(i % places(s)) * saved_size(s);
}

static bool is_a_format(size_t n)
{
    return n == KEY_DATA_SIZE || n == KEY_DATA_SECOND_SIZE || n == KEY_DATA_FIRST_SIZE;
}

static int read_place(const struct key_store *s, int i, uint8_t *bytes)
{
    if (s->port->read(s->port->ctx, place(s, i), bytes, KEY_STORE_SIZE) != BMS_ERR_OK)
        return BMS_ERR_IO;
    if (nvm_is_blank(bytes, KEY_STORE_SIZE))
        return BMS_ERR_UNKNOWN;
    size_t n = get_le16(bytes + 8), crc_at = BODY + n;

    if (get_le32(bytes) != MAGIC || !is_a_format(n) || get_le32(bytes + crc_at) != crc32c(0, bytes, crc_at))
        return BMS_ERR_CORRUPT;
    return BMS_ERR_OK;
}

/* --- where the next one goes --- */

static bool is_erased(const struct key_store *s, size_t offset, size_t n)
{
    uint8_t bytes[64];

    for (size_t at = 0; at < n; at += sizeof(bytes)) {
        size_t left = n - at, now = left < sizeof(bytes) ? left : sizeof(bytes);

        if (s->port->read(s->port->ctx, offset + at, bytes, now) != BMS_ERR_OK || !nvm_is_all(bytes, now, 0xFF))
            return false;
    }
    return true;
}

static int first_erased(const struct key_store *s, int from, int end)
{
    for (int i = from; i < end; i++)
        if (is_erased(s, place(s, i), saved_size(s)))
            return i;
    return KEY_STORE_NOWHERE;
}

/* The unit that holds nothing that counts. */
static int spare(const struct key_store *s)
{
    return s->newest == KEY_STORE_NOWHERE ? 0 : 1 - s->newest / places(s);
}

static void choose_next(struct key_store *s)
{
    int n = places(s), unit = 1 - spare(s);

    if (s->port->erase_size == 0) {
        s->next = s->newest == KEY_STORE_NOWHERE ? 0 : 1 - s->newest;
        return;
    }
    s->next = first_erased(s, s->newest == KEY_STORE_NOWHERE ? unit * n : s->newest + 1, (unit + 1) * n);
    if (s->next == KEY_STORE_NOWHERE && !s->untidy)
        s->next = spare(s) * n;
}

int key_store_tidy(struct key_store *s)
{
    size_t unit = s->geometry.offset + (size_t)spare(s) * s->geometry.unit;

    for (size_t done = 0; s->untidy && done < s->geometry.unit; done += s->port->erase_size)
        if (s->port->erase(s->port->ctx, unit + done) != BMS_ERR_OK)
            return BMS_ERR_IO;
    s->untidy = false;
    if (s->next == KEY_STORE_NOWHERE)
        choose_next(s);
    return BMS_ERR_OK;
}

/* --- load, save --- */

int key_store_load(struct key_store *s, const struct nvm_port *port, const struct key_geometry *g, struct key_data *k)
{
    uint8_t bytes[KEY_STORE_SIZE];
    int why = BMS_ERR_UNKNOWN;

    *s = (struct key_store) { .port = port, .geometry = *g, .newest = KEY_STORE_NOWHERE };
    for (int i = 0; i < KEY_STORE_UNITS * places(s); i++) {
        int err = read_place(s, i, bytes);

        if (err != BMS_ERR_OK) {
            why = nvm_worse(why, err);
            continue;
        }
        uint32_t sequence = get_le32(bytes + 4);

        if (s->newest != KEY_STORE_NOWHERE && (int32_t)(sequence - s->sequence) <= 0) /* sequences may wrap */
            continue;
        s->newest = i;
        s->sequence = sequence;
        key_data_unpack(k, bytes + BODY, get_le16(bytes + 8));
    }
    s->untidy = port->erase_size && !is_erased(s, g->offset + (size_t)spare(s) * g->unit, g->unit);
    choose_next(s);
    return s->newest != KEY_STORE_NOWHERE ? BMS_ERR_OK : why;
}

static int write_pages(const struct key_store *s, int i, const uint8_t *bytes, size_t n)
{
    for (size_t at = 0; at < n; at += s->geometry.page) {
        size_t left = n - at, now = left < s->geometry.page ? left : s->geometry.page;

        if (s->port->write(s->port->ctx, place(s, i) + at, bytes + at, now) != BMS_ERR_OK)
            return BMS_ERR_IO;
    }
    return BMS_ERR_OK;
}

int key_store_save(struct key_store *s, const struct key_data *k)
{
    uint8_t bytes[KEY_STORE_SIZE + NVM_PROGRAM_MAX];

    if (s->next == KEY_STORE_NOWHERE && key_store_tidy(s) != BMS_ERR_OK)
        return BMS_ERR_IO;
    memset(bytes, 0xFF, sizeof(bytes));
    put_le32(bytes, MAGIC);
    put_le32(bytes + 4, s->sequence + 1);
    put_le16(bytes + 8, KEY_DATA_SIZE);
    key_data_pack(k, bytes + BODY);
    put_le32(bytes + CRC_AT, crc32c(0, bytes, CRC_AT));
    int err = write_pages(s, s->next, bytes, saved_size(s));

    if (err == BMS_ERR_OK) {
        s->untidy = s->untidy || (s->port->erase_size && spare(s) == s->next / places(s)); /* the unit before is the spare one now */
        s->newest = s->next;
        s->sequence++;
    }
    choose_next(s); /* a place that was spoiled is left out, or written over */
    return err;
}
