/* SPDX-License-Identifier: Apache-2.0 */
/* vehicle_file.c -- see vehicle_file.h. */
#include "server/history/vehicle_file.h"

#include "common/bytes.h"
#include "common/crc.h"
#include "common/err.h"
#include "server/ingest/decode.h"

#include <string.h>

enum { MAGIC = 8, HEAD = MAGIC + 3, BLOCK_HEAD = 5, CRC = 4 };

static const uint8_t magic[MAGIC] = { 'C', 'W', 'V', 'E', 'H', '\r', '\n', 0x1A };

/* Bytes that the checksum counts, and the checksum when `seal`. */
static int put(struct vehicle_writer *w, const void *data, size_t n, bool seal)
{
    uint8_t crc[CRC];
    int err = w->write(w->ctx, data, n);

    w->crc = crc32c(w->crc, data, n);
    put_le32(crc, w->crc);
    return err || !seal ? err : w->write(w->ctx, crc, sizeof crc);
}

int vehicle_file_begin(struct vehicle_writer *w, vehicle_write_fn *write, void *ctx, const char *device)
{
    uint8_t head[HEAD + DEVICE_NAME_MAX];
    size_t n = strlen(device);

    *w = (struct vehicle_writer) { .write = write, .ctx = ctx };
    if (!device_name_is_valid(device, n))
        return BMS_ERR_RANGE;
    memcpy(head, magic, MAGIC);
    put_le16(head + MAGIC, VEHICLE_FILE_VERSION);
    head[MAGIC + 2] = (uint8_t)n;
    memcpy(head + HEAD, device, n);
    return put(w, head, HEAD + n, true);
}

static int put_block(struct vehicle_writer *w, enum vehicle_block kind, const void *data, size_t n)
{
    uint8_t head[BLOCK_HEAD] = { (uint8_t)kind };

    put_le32(head + 1, (uint32_t)n);
    int err = put(w, head, sizeof head, false);

    return err ? err : put(w, data, n, true);
}

int vehicle_file_table(struct vehicle_writer *w, uint8_t table)
{
    return table == 0 || table > VEHICLE_TABLES_MAX ? BMS_ERR_RANGE : put_block(w, VEHICLE_TABLE, &table, 1);
}

int vehicle_file_data(struct vehicle_writer *w, const void *data, size_t n)
{
    const uint8_t *p = data;
    int err = 0;

    w->bytes += n;
    while (!err && n > 0) {
        size_t part = n < VEHICLE_BLOCK_MAX ? n : VEHICLE_BLOCK_MAX;

        err = put_block(w, VEHICLE_DATA, p, part);
        p += part;
        n -= part;
    }
    return err;
}

int vehicle_file_end(struct vehicle_writer *w)
{
    uint8_t bytes[8];

    put_le64(bytes, w->bytes);
    return put_block(w, VEHICLE_END, bytes, sizeof bytes);
}

/* Exactly n bytes into the checksum. */
static int get(struct vehicle_reader *r, void *out, size_t n)
{
    if (r->read(r->ctx, out, n) != n)
        return BMS_ERR_TRUNCATED;
    r->crc = crc32c(r->crc, out, n);
    return BMS_ERR_OK;
}

static int check(struct vehicle_reader *r)
{
    uint8_t crc[CRC];

    if (r->read(r->ctx, crc, sizeof crc) != sizeof crc)
        return BMS_ERR_TRUNCATED;
    return get_le32(crc) == r->crc ? BMS_ERR_OK : BMS_ERR_CORRUPT;
}

int vehicle_file_open(struct vehicle_reader *r, vehicle_read_fn *read, void *ctx)
{
    uint8_t head[HEAD];

    r->read = read;
    r->ctx = ctx;
    r->crc = 0;
    r->bytes = 0;
    r->table = 0;
    r->length = 0;
    memset(r->device, 0, sizeof r->device);
    if (get(r, head, sizeof head) != 0 || memcmp(head, magic, MAGIC) != 0)
        return BMS_ERR_UNKNOWN;
    if (get_le16(head + MAGIC) != VEHICLE_FILE_VERSION)
        return BMS_ERR_SCHEMA;
    if (head[MAGIC + 2] > DEVICE_NAME_MAX)
        return BMS_ERR_CORRUPT;
    int err = get(r, r->device, head[MAGIC + 2]);

    err = err ? err : check(r);
    return err || device_name_is_valid(r->device, strlen(r->device)) ? err : BMS_ERR_CORRUPT;
}

/* What a block of this kind may hold here. */
static bool fits(const struct vehicle_reader *r)
{
    switch (r->kind) {
    case VEHICLE_TABLE:
        return r->length == 1 && r->block[0] > r->table && r->block[0] <= VEHICLE_TABLES_MAX;
    case VEHICLE_DATA:
        return r->length > 0 && r->table > 0;
    case VEHICLE_END:
        return r->length == 8 && get_le64(r->block) == r->bytes;
    default:
        return false;
    }
}

int vehicle_file_next(struct vehicle_reader *r)
{
    uint8_t head[BLOCK_HEAD], more;
    int err = get(r, head, sizeof head);

    if (err)
        return err;
    if (get_le32(head + 1) > VEHICLE_BLOCK_MAX)
        return BMS_ERR_CORRUPT;
    r->kind = (enum vehicle_block)head[0];
    r->length = get_le32(head + 1);
    err = get(r, r->block, r->length);
    err = err ? err : check(r);
    if (err || !fits(r))
        return err ? err : BMS_ERR_CORRUPT;
    if (r->kind == VEHICLE_TABLE)
        r->table = r->block[0];
    if (r->kind == VEHICLE_DATA)
        r->bytes += r->length;
    if (r->kind != VEHICLE_END)
        return 1;
    return r->read(r->ctx, &more, 1) == 0 ? 0 : BMS_ERR_CORRUPT; /* nothing may follow */
}
