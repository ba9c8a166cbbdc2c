/* SPDX-License-Identifier: Apache-2.0 */
#include "common/err.h"
#include "firmware/core/biu/biu_log.h"
#include "firmware/core/biu/biu_log_private.h"

enum { NAME_MAX_N = 64, RING_MAX = 100000, KNOWN_KINDS = BIU_LOG_BORROWED + 1 };

static uint64_t unzigzag(uint64_t v)
{
    return v >> 1 ^ (~(v & 1u) + 1u);
}

static int row_by_name(const struct biu_log_row *rows, int count, const uint8_t *name, size_t n)
{
    for (int i = 0; i < count; i++)
        if (strlen(rows[i].name) == n && memcmp(rows[i].name, name, n) == 0)
            return i;
    return -1;
}

struct log_row { /* as HEAD has it */
    const uint8_t *name;
    size_t name_n;
    uint8_t kind, size;
    uint16_t count;
};

static bool read_row(struct reader *r, struct log_row *row)
{
    row->name_n = read_u8(r);
    row->name = read_bytes(r, row->name_n);
    row->kind = read_u8(r);
    row->size = read_u8(r);
    row->count = read_le16(r);
    return !r->bad && row->name_n <= NAME_MAX_N && row->kind < KNOWN_KINDS;
}

static int read_in_rows(struct biu_log_reader *l, struct reader *r)
{
    l->in_count = read_u8(r);
    for (unsigned i = 0; i < l->in_count; i++) {
        struct log_row row;

        if (!read_row(r, &row) || row.kind > BIU_LOG_FRAMES)
            return BMS_ERR_CORRUPT;
        int ours = row_by_name(biu_log_in_rows, BIU_LOG_IN_ROWS, row.name, row.name_n);
        const struct biu_log_row *has = &biu_log_in_rows[ours < 0 ? 0 : ours];

        if (ours >= 0 && (row.kind != has->kind || row.size != has->size || row.count != has->count))
            return BMS_ERR_SCHEMA;
        l->in_row[i].ours = (int16_t)ours;
        l->in_row[i].kind = row.kind;
        l->in_row[i].count = row.count;
    }
    return BMS_ERR_OK;
}

static int read_out_rows(struct biu_log_reader *l, struct reader *r)
{
    l->out_count = read_u8(r);
    for (unsigned i = 0; i < l->out_count; i++) {
        struct log_row row;

        if (!read_row(r, &row))
            return BMS_ERR_CORRUPT;
        int ours = row_by_name(biu_log_out_rows, BIU_LOG_OUT_ROWS, row.name, row.name_n);

        l->out_row[i].ours = (int16_t)ours;
        if (ours >= 0)
            l->has_out[ours] = true;
    }
    return BMS_ERR_OK;
}

static int read_head(struct biu_log_reader *l, struct reader *r)
{
    uint8_t format = read_u8(r), n = read_u8(r);
    const uint8_t *version = read_bytes(r, n);

    if (!version || n > BIU_LOG_VERSION_MAX || l->begun)
        return BMS_ERR_CORRUPT;
    if (format != BIU_LOG_FORMAT && format != BIU_LOG_FORMAT_FIRST)
        return BMS_ERR_SCHEMA;
    l->format = format;
    memcpy(l->version, version, n);
    l->version[n] = 0;
    int err = read_in_rows(l, r);

    if (!err)
        err = read_out_rows(l, r);
    l->begun = !err;
    return err;
}

static int read_params(struct biu_log_reader *l, struct reader *r)
{
    uint64_t n = read_varint(r);
    bool known[PARAMS] = { false };

    for (uint64_t i = 0; i < n && !r->bad; i++) {
        uint64_t id = read_varint(r);
        int32_t value = unzigzag32((uint32_t)read_varint(r));
        int param = id <= UINT16_MAX ? param_by_id((uint16_t)id) : -1;

        if (param < 0)
            continue;
        l->params[param] = value;
        known[param] = true;
    }
    int32_t dflt[PARAMS], chemistry = l->params[PARAM_chemistry];

    params_defaults(known[PARAM_chemistry] && chemistry >= 0 && chemistry < CHEMISTRIES ? (enum chemistry)chemistry : CHEMISTRY_NMC, dflt);
    for (int i = 0; i < PARAMS; i++)
        if (!known[i])
            l->params[i] = dflt[i];
    return r->bad ? BMS_ERR_CORRUPT : BMS_ERR_OK;
}

static int read_key(struct biu_log_reader *l, struct reader *r)
{
    uint64_t n = read_varint(r);
    const uint8_t *key = read_bytes(r, n < BIU_LOG_BLOCK_MAX ? (size_t)n : BIU_LOG_BLOCK_MAX);

    if (!key)
        return BMS_ERR_CORRUPT;
    if (n == 0)
        return BMS_ERR_OK;
    if (n != KEY_DATA_SIZE && n != KEY_DATA_FIRST_SIZE)
        return BMS_ERR_SCHEMA;
    key_data_unpack(&l->key, key, (size_t)n);
    l->config.key = &l->key;
    return BMS_ERR_OK;
}

static int read_codes(struct biu_log_reader *l, struct reader *r)
{
    uint64_t n = l->format == BIU_LOG_FORMAT_FIRST ? 0 : read_varint(r);
    const uint8_t *codes = read_bytes(r, n < BIU_LOG_BLOCK_MAX ? (size_t)n : BIU_LOG_BLOCK_MAX);

    if (!codes)
        return BMS_ERR_CORRUPT;
    if (n > sizeof(l->codes))
        return BMS_ERR_SCHEMA;
    memcpy(l->codes, codes, (size_t)n);
    l->config.codes = n ? l->codes : NULL;
    l->config.codes_n = (size_t)n;
    return BMS_ERR_OK;
}

static int read_start(struct biu_log_reader *l, struct reader *r)
{
    l->in = (struct biu_in) { 0 };
    l->out = (struct biu_log_facts) { { 0 } };
    l->now_ms = (uint32_t)read_varint(r);
    l->config = (struct biu_config) { .params = l->params };
#define CONFIG_VALUE(name) l->config.name = (__typeof__(l->config.name))read_varint(r);
#include "firmware/core/biu/biu_io.def"
    if (read_params(l, r) != BMS_ERR_OK || l->config.ring_size > RING_MAX)
        return BMS_ERR_CORRUPT;
    int err = read_key(l, r);

    if (!err)
        err = read_codes(l, r);
    return err ? err : BIU_LOG_START;
}

static void *into(struct biu_in *in, size_t offset)
{
    return (uint8_t *)in + offset;
}

static void set_list(struct biu_in *in, const struct biu_log_row *row, const void *list, size_t n)
{
    memcpy(into(in, row->at), &list, sizeof(list));
    memcpy(into(in, row->count_at), &n, sizeof(n));
}

static bool read_byte_list(struct biu_log_reader *l, struct reader *r, const struct biu_log_row *row)
{
    uint64_t n = read_varint(r);
    const uint8_t *bytes = read_bytes(r, n < BIU_LOG_BLOCK_MAX ? (size_t)n : BIU_LOG_BLOCK_MAX);

    if (!bytes || !row)
        return bytes != NULL;
    if (n > row->max || n > BIU_LOG_BYTES_MAX - l->bytes_used)
        return false;
    memcpy(l->bytes + l->bytes_used, bytes, n);
    set_list(&l->in, row, l->bytes + l->bytes_used, n);
    l->bytes_used += n;
    return true;
}

static bool read_frame_list(struct biu_log_reader *l, struct reader *r, const struct biu_log_row *row)
{
    uint64_t n = read_varint(r);

    if (r->bad || n > (row ? row->max : BIU_LOG_BLOCK_MAX) || (row && n > BIU_LOG_FRAMES_MAX - l->frames_used))
        return false;
    struct can_frame *first = l->frames + l->frames_used;

    for (uint64_t i = 0; i < n && !r->bad; i++) {
        uint32_t id = read_le32(r);
        uint8_t len = read_u8(r);
        const uint8_t *data = read_bytes(r, sizeof(first->data));

        if (!data || (len & 0x7Fu) > sizeof(first->data))
            return false;
        if (!row)
            continue;
        first[i] = (struct can_frame) { .id = id, .ext = len >> 7, .len = len & 0x7Fu };
        memcpy(first[i].data, data, sizeof(first[i].data));
    }
    if (!row)
        return true;
    set_list(&l->in, row, first, n);
    l->frames_used += n;
    return true;
}

static bool read_values(struct biu_log_reader *l, struct reader *r, unsigned count, const struct biu_log_row *row)
{
    for (unsigned i = 0; i < count && !r->bad; i++) {
        uint64_t change = unzigzag(read_varint(r));

        if (!row)
            continue;
        uint8_t *p = into(&l->in, row->at + (size_t)i * row->size);
        uint64_t value = load_number(p, row->size) + change;

        keep_number(p, row->size, row->kind == BIU_LOG_FLAG ? value & 1u : value);
    }
    return !r->bad;
}

static int read_in(struct biu_log_reader *l, struct reader *r)
{
    const uint8_t *news = read_bytes(r, (size_t)(l->in_count + 7) / 8);

    if (!news)
        return BMS_ERR_CORRUPT;
    l->bytes_used = l->frames_used = 0;
    for (int i = 0; i < BIU_LOG_IN_ROWS; i++)
        if (biu_log_in_rows[i].kind == BIU_LOG_BYTES || biu_log_in_rows[i].kind == BIU_LOG_FRAMES)
            set_list(&l->in, &biu_log_in_rows[i], NULL, 0);
    for (unsigned i = 0; i < l->in_count; i++) {
        const struct biu_log_row *row = l->in_row[i].ours < 0 ? NULL : &biu_log_in_rows[l->in_row[i].ours];
        bool good = true;

        if (!((unsigned)news[i / 8] >> i % 8 & 1u))
            continue;
        if (l->in_row[i].kind == BIU_LOG_BYTES)
            good = read_byte_list(l, r, row);
        else if (l->in_row[i].kind == BIU_LOG_FRAMES)
            good = read_frame_list(l, r, row);
        else
            good = read_values(l, r, l->in_row[i].count, row);
        if (!good)
            return BMS_ERR_CORRUPT;
    }
    return BMS_ERR_OK;
}

static int read_step(struct biu_log_reader *l, struct reader *r)
{
    if (read_in(l, r) != BMS_ERR_OK)
        return BMS_ERR_CORRUPT;
    const uint8_t *news = read_bytes(r, (size_t)(l->out_count + 7) / 8);

    if (!news)
        return BMS_ERR_CORRUPT;
    for (unsigned i = 0; i < l->out_count; i++) {
        if (!((unsigned)news[i / 8] >> i % 8 & 1u))
            continue;
        uint64_t change = unzigzag(read_varint(r));

        if (l->out_row[i].ours >= 0)
            l->out.row[l->out_row[i].ours] += change;
    }
    return r->bad ? BMS_ERR_CORRUPT : BIU_LOG_STEP;
}

void biu_log_reader_init(struct biu_log_reader *l)
{
    *l = (struct biu_log_reader) { 0 };
}

int biu_log_next(struct biu_log_reader *l, struct reader *r)
{
    if (reader_left(r) == 0)
        return BIU_LOG_NONE;
    uint8_t kind = read_u8(r);
    int err;

    if (!l->begun && kind != BIU_LOG_HEAD)
        return BMS_ERR_CORRUPT;
    switch (kind) {
    case BIU_LOG_HEAD:
        err = read_head(l, r);
        return err ? err : BIU_LOG_HEAD;
    case BIU_LOG_START:
        return read_start(l, r);
    case BIU_LOG_WAKE:
        l->now_ms = (uint32_t)read_varint(r);
        return r->bad ? BMS_ERR_CORRUPT : BIU_LOG_WAKE;
    case BIU_LOG_STEP:
        return l->config.params ? read_step(l, r) : BMS_ERR_CORRUPT;
    case BIU_LOG_END:
        l->steps = read_varint(r);
        return r->bad ? BMS_ERR_CORRUPT : BIU_LOG_END;
    default:
        return BMS_ERR_CORRUPT;
    }
}
