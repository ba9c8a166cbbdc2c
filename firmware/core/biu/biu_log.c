/* SPDX-License-Identifier: Apache-2.0 */
#include "firmware/core/biu/biu_log.h"

#include "common/crc.h"
#include "firmware/core/biu/biu_log_private.h"

#define KIND_OF(type, name) _Generic(((type *)0)->name, bool : BIU_LOG_FLAG, default : BIU_LOG_VALUE)
#define SIZE_OF(type, name) sizeof(((type *)0)->name)

#define VALUE_ROW(type, field)                                                                                                             \
    { .name = #field, .kind = KIND_OF(type, field), .size = SIZE_OF(type, field), .count = 1, .at = offsetof(type, field) },
#define ARRAY_ROW(type, field)                                                                                                             \
    { .name = #field,                                                                                                                      \
      .kind = KIND_OF(type, field[0]),                                                                                                     \
      .size = SIZE_OF(type, field[0]),                                                                                                     \
      .count = SIZE_OF(type, field) / SIZE_OF(type, field[0]),                                                                             \
      .at = offsetof(type, field) },
#define LIST_ROW(type, field, what, n, most)                                                                                               \
    { .name = #field, .kind = (what), .at = offsetof(type, field), .count_at = offsetof(type, n), .max = (most) },

const struct biu_log_row biu_log_in_rows[BIU_LOG_IN_ROWS] = {
#define IN_VALUE(name)              VALUE_ROW(struct biu_in, name)
#define IN_ARRAY(name)              ARRAY_ROW(struct biu_in, name)
#define IN_BYTES(name, count, max)  LIST_ROW(struct biu_in, name, BIU_LOG_BYTES, count, max)
#define IN_FRAMES(name, count, max) LIST_ROW(struct biu_in, name, BIU_LOG_FRAMES, count, max)
#include "firmware/core/biu/biu_io.def"
};

const struct biu_log_row biu_log_out_rows[BIU_LOG_OUT_ROWS] = {
#define OUT_VALUE(name)           VALUE_ROW(struct biu_out, name)
#define OUT_ARRAY(name)           ARRAY_ROW(struct biu_out, name)
#define OUT_BYTES(name, count)    LIST_ROW(struct biu_out, name, BIU_LOG_BYTES, count, 0)
#define OUT_FRAMES(name, count)   LIST_ROW(struct biu_out, name, BIU_LOG_FRAMES, count, 0)
#define OUT_BORROWED(name, count) LIST_ROW(struct biu_out, name, BIU_LOG_BORROWED, count, 0)
#define OUT_PARAMS(name)          LIST_ROW(struct biu_out, name, BIU_LOG_PARAMS, name, 0)
#define OUT_SAMPLE(name)          LIST_ROW(struct biu_out, name, BIU_LOG_SAMPLE, name, 0)
#include "firmware/core/biu/biu_io.def"
};

_Static_assert((int)BIU_LOG_IN_ROWS <= (int)BIU_LOG_ROWS_MAX && (int)BIU_LOG_OUT_ROWS <= (int)BIU_LOG_ROWS_MAX,
               "rows are counted in a byte");

/* --- numbers in a struct --- */

static const void *at(const void *base, size_t offset)
{
    return (const uint8_t *)base + offset;
}

/* From `was` to `is`, both of `size` bytes; a value that counts down is a small number too. */
static uint64_t difference(uint64_t is, uint64_t was, unsigned size)
{
    unsigned unused = 64 - 8 * size;
    uint64_t d = (is - was) << unused;
    bool falls = d >> 63;

    d >>= unused;
    if (!falls)
        return d << 1;
    return ~((d | (unused ? UINT64_MAX << (64 - unused) : 0)) << 1);
}

/* --- outputs --- */

static uint32_t crc_of_frames(const struct can_frame *f, size_t n)
{
    uint32_t crc = 0;

    for (size_t i = 0; i < n; i++) {
        uint8_t head[6];

        put_le32(head, f[i].id);
        head[4] = f[i].ext;
        head[5] = f[i].len;
        crc = crc32c(crc, head, sizeof(head));
        crc = crc32c(crc, f[i].data, sizeof(f[i].data));
    }
    return crc;
}

static uint32_t crc_of_numbers(const void *p, uint8_t size, size_t n)
{
    uint32_t crc = 0;

    for (size_t i = 0; i < n; i++) {
        uint8_t le[8];

        put_le64(le, load_number(at(p, i * size), size));
        crc = crc32c(crc, le, sizeof(le));
    }
    return crc;
}

static uint32_t crc_of_sample(const struct sample *s)
{
    uint8_t head[8 + 4 + 4 + 3];
    uint32_t crc;

    put_le64(head, s->utc_ms);
    put_le32(head + 8, s->boot);
    put_le32(head + 12, s->no);
    head[16] = s->cells;
    head[17] = s->temps;
    head[18] = s->alarms;
    crc = crc32c(0, head, sizeof(head)) ^ crc_of_numbers(s->scalar, sizeof(s->scalar[0]), SAMPLE_SCALARS);
    crc = crc * 31 + crc_of_numbers(s->cell_mV, sizeof(s->cell_mV[0]), s->cells);
    crc = crc * 31 + crc_of_numbers(s->temp_ddegC, sizeof(s->temp_ddegC[0]), s->temps);
    crc = crc * 31 + crc_of_numbers(s->balancing, sizeof(s->balancing[0]), PACK_CELLS_MAX / 16);
    for (unsigned i = 0; i < s->alarms; i++) {
        uint8_t alarm[8];

        put_le64(alarm, sample_alarm_pack(&s->alarm[i]));
        crc = crc32c(crc, alarm, sizeof(alarm));
    }
    return crc;
}

/* Count and CRC in one number; nothing is 0. */
static uint64_t fact_of_list(const struct biu_log_row *row, const struct biu_out *out)
{
    const void *field = at(out, row->at);
    size_t n;

    if (row->kind == BIU_LOG_BORROWED)
        memcpy(&field, at(out, row->at), sizeof(const void *));
    memcpy(&n, at(out, row->count_at), sizeof(n));
    if (n == 0)
        return 0;
    return (uint64_t)n << 32 | (row->kind == BIU_LOG_FRAMES ? crc_of_frames(field, n) : crc32c(0, field, n));
}

static uint64_t fact_of(const struct biu_log_row *row, const struct biu_out *out)
{
    const void *field = at(out, row->at), *pointer;

    switch (row->kind) {
    case BIU_LOG_BYTES:
    case BIU_LOG_FRAMES:
    case BIU_LOG_BORROWED:
        return fact_of_list(row, out);
    case BIU_LOG_PARAMS:
        memcpy(&pointer, field, sizeof(pointer));
        return pointer ? (uint64_t)PARAMS << 32 | crc_of_numbers(pointer, sizeof(int32_t), PARAMS) : 0;
    case BIU_LOG_SAMPLE:
        memcpy(&pointer, field, sizeof(pointer));
        return pointer ? (uint64_t)1 << 32 | crc_of_sample(pointer) : 0;
    default:
        return row->count == 1 ? load_number(field, row->size) : (uint64_t)row->count << 32 | crc_of_numbers(field, row->size, row->count);
    }
}

void biu_log_facts_of(const struct biu_out *out, struct biu_log_facts *facts)
{
    for (int i = 0; i < BIU_LOG_OUT_ROWS; i++)
        facts->row[i] = fact_of(&biu_log_out_rows[i], out);
}

/* --- writing --- */

static void put_rows(struct writer *w, const struct biu_log_row *rows, uint8_t count)
{
    write_u8(w, count);
    for (unsigned i = 0; i < count; i++) {
        size_t n = strlen(rows[i].name);

        write_u8(w, (uint8_t)n);
        write_bytes(w, rows[i].name, n);
        write_u8(w, (uint8_t)rows[i].kind);
        write_u8(w, rows[i].size);
        write_le16(w, rows[i].count);
    }
}

void biu_log_put_head(struct writer *w, const char *version)
{
    size_t n = strlen(version);

    n = n < BIU_LOG_VERSION_MAX ? n : BIU_LOG_VERSION_MAX;
    write_u8(w, BIU_LOG_HEAD);
    write_u8(w, BIU_LOG_FORMAT);
    write_u8(w, (uint8_t)n);
    write_bytes(w, version, n);
    put_rows(w, biu_log_in_rows, BIU_LOG_IN_ROWS);
    put_rows(w, biu_log_out_rows, BIU_LOG_OUT_ROWS);
}

void biu_log_put_start(struct biu_log_writer *l, struct writer *w, const struct biu_config *cfg, uint32_t now_ms)
{
    uint8_t key[KEY_DATA_SIZE];

    *l = (struct biu_log_writer) { 0 };
    write_u8(w, BIU_LOG_START);
    write_varint(w, now_ms);
#define CONFIG_VALUE(name) write_varint(w, (uint64_t)cfg->name);
#include "firmware/core/biu/biu_io.def"
    write_varint(w, PARAMS);
    for (int i = 0; i < PARAMS; i++) {
        write_varint(w, param_rows[i].id);
        write_varint(w, zigzag32(cfg->params[i]));
    }
    write_varint(w, cfg->key ? KEY_DATA_SIZE : 0);
    if (cfg->key) {
        key_data_pack(cfg->key, key);
        write_bytes(w, key, sizeof(key));
    }
    write_varint(w, cfg->codes ? cfg->codes_n : 0);
    if (cfg->codes)
        write_bytes(w, cfg->codes, cfg->codes_n);
}

void biu_log_put_wake(struct writer *w, uint32_t now_ms)
{
    write_u8(w, BIU_LOG_WAKE);
    write_varint(w, now_ms);
}

static bool is_list(enum biu_log_kind kind)
{
    return kind == BIU_LOG_BYTES || kind == BIU_LOG_FRAMES;
}

static size_t list_of(const struct biu_log_row *row, const struct biu_in *in, const void **list)
{
    size_t n;

    memcpy(&n, at(in, row->count_at), sizeof(n));
    memcpy(list, at(in, row->at), sizeof(*list));
    return n;
}

static bool has_news(const struct biu_log_row *row, const struct biu_in *in, const struct biu_in *was)
{
    const void *list;

    if (is_list(row->kind))
        return list_of(row, in, &list) > 0;
    return memcmp(at(in, row->at), at(was, row->at), (size_t)row->size * row->count) != 0;
}

static void put_list(struct writer *w, const struct biu_log_row *row, const struct biu_in *in)
{
    const void *list;
    size_t n = list_of(row, in, &list);

    write_varint(w, n);
    if (row->kind == BIU_LOG_BYTES) {
        write_bytes(w, list, n);
        return;
    }
    for (const struct can_frame *f = list; n > 0; n--, f++) {
        write_le32(w, f->id);
        write_u8(w, (uint8_t)(f->ext << 7 | f->len));
        write_bytes(w, f->data, sizeof(f->data));
    }
}

static void put_values(struct writer *w, const struct biu_log_row *row, const struct biu_in *in, const struct biu_in *was)
{
    for (unsigned i = 0; i < row->count; i++) {
        size_t offset = row->at + (size_t)i * row->size;

        write_varint(w, difference(load_number(at(in, offset), row->size), load_number(at(was, offset), row->size), row->size));
    }
}

static void put_in(struct writer *w, const struct biu_in *in, const struct biu_in *was)
{
    uint8_t news[(BIU_LOG_IN_ROWS + 7) / 8] = { 0 };

    for (unsigned i = 0; i < BIU_LOG_IN_ROWS; i++)
        if (has_news(&biu_log_in_rows[i], in, was))
            news[i / 8] = (uint8_t)(news[i / 8] | 1u << i % 8);
    write_bytes(w, news, sizeof(news));
    for (unsigned i = 0; i < BIU_LOG_IN_ROWS; i++) {
        const struct biu_log_row *row = &biu_log_in_rows[i];

        if (!((unsigned)news[i / 8] >> i % 8 & 1u))
            continue;
        if (is_list(row->kind))
            put_list(w, row, in);
        else
            put_values(w, row, in, was);
    }
}

static void put_out(struct writer *w, const struct biu_log_facts *is, const struct biu_log_facts *was)
{
    uint8_t news[(BIU_LOG_OUT_ROWS + 7) / 8] = { 0 };

    for (unsigned i = 0; i < BIU_LOG_OUT_ROWS; i++)
        if (is->row[i] != was->row[i])
            news[i / 8] = (uint8_t)(news[i / 8] | 1u << i % 8);
    write_bytes(w, news, sizeof(news));
    for (unsigned i = 0; i < BIU_LOG_OUT_ROWS; i++)
        if ((unsigned)news[i / 8] >> i % 8 & 1u)
            write_varint(w, difference(is->row[i], was->row[i], sizeof(is->row[i])));
}

void biu_log_put_step(struct biu_log_writer *l, struct writer *w, const struct biu_in *in, const struct biu_out *out)
{
    struct biu_log_facts facts;

    biu_log_facts_of(out, &facts);
    write_u8(w, BIU_LOG_STEP);
    put_in(w, in, &l->in);
    put_out(w, &facts, &l->out);
    if (w->bad)
        return;
    l->in = *in;
    l->out = facts;
}

void biu_log_put_end(struct writer *w, uint64_t steps)
{
    write_u8(w, BIU_LOG_END);
    write_varint(w, steps);
}
