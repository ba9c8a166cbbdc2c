/* SPDX-License-Identifier: Apache-2.0 */
#include "sim/record_file.h"

#include "common/crc.h"
#include "common/err.h"

enum { HEAD = 8 };
static const uint8_t magic[8] = { 'C', 'W', 'B', 'I', 'U', 'L', 'O', 'G' };

static void begin_block(struct record_file *r)
{
    r->w = writer_of(r->block, sizeof(r->block));
}

static void flush_block(struct record_file *r)
{
    size_t n = writer_used(&r->w);
    uint8_t head[HEAD];

    if (n == 0 || r->failed)
        return;
    put_le32(head, (uint32_t)n);
    put_le32(head + 4, crc32c(0, r->block, n));
    r->failed = fwrite(head, sizeof(head), 1, r->file) != 1 || fwrite(r->block, n, 1, r->file) != 1;
    begin_block(r);
}

/* Take back what was begun and did not fit, and put it into a block of its own. */
static bool must_repeat(struct record_file *r, const struct writer *before)
{
    if (!r->w.bad)
        return false;
    r->w = *before;
    flush_block(r);
    return true;
}

static void on_start(void *ctx, const struct biu_config *cfg, uint32_t now_ms)
{
    struct record_file *r = ctx;
    struct writer before = r->w;

    biu_log_put_start(&r->log, &r->w, cfg, now_ms);
    if (must_repeat(r, &before))
        biu_log_put_start(&r->log, &r->w, cfg, now_ms);
}

static void on_wake(void *ctx, uint32_t now_ms)
{
    struct record_file *r = ctx;
    struct writer before = r->w;

    biu_log_put_wake(&r->w, now_ms);
    if (must_repeat(r, &before))
        biu_log_put_wake(&r->w, now_ms);
}

static void on_step(void *ctx, const struct biu_in *in, const struct biu_out *out)
{
    struct record_file *r = ctx;
    struct writer before = r->w;

    biu_log_put_step(&r->log, &r->w, in, out);
    if (must_repeat(r, &before))
        biu_log_put_step(&r->log, &r->w, in, out);
    r->steps++;
}

int record_file_create(struct record_file *r, const char *path, const char *version)
{
    *r = (struct record_file) { .file = fopen(path, "wbe"), .port = { .ctx = r, .start = on_start, .wake = on_wake, .step = on_step } };
    if (!r->file)
        return BMS_ERR_IO;
    r->failed = fwrite(magic, sizeof(magic), 1, r->file) != 1;
    begin_block(r);
    biu_log_put_head(&r->w, version);
    return r->failed ? BMS_ERR_IO : BMS_ERR_OK;
}

int record_file_close(struct record_file *r)
{
    if (!r->file)
        return BMS_ERR_OK;
    struct writer before = r->w;

    biu_log_put_end(&r->w, r->steps);
    if (must_repeat(r, &before))
        biu_log_put_end(&r->w, r->steps);
    flush_block(r);
    if (fclose(r->file) != 0)
        r->failed = true;
    r->file = NULL;
    return r->failed ? BMS_ERR_IO : BMS_ERR_OK;
}

int record_reader_open(struct record_reader *r, const char *path)
{
    uint8_t head[sizeof(magic)];

    *r = (struct record_reader) { .file = fopen(path, "rbe") };
    if (!r->file)
        return BMS_ERR_IO;
    biu_log_reader_init(&r->log);
    r->r = reader_of(r->block, 0);
    if (fread(head, sizeof(head), 1, r->file) == 1 && memcmp(head, magic, sizeof(magic)) == 0)
        return BMS_ERR_OK;
    record_reader_close(r);
    return BMS_ERR_CORRUPT;
}

/* 1 when there is a block, 0 at the end of the file. */
static int next_block(struct record_reader *r)
{
    uint8_t head[HEAD] = { 0 };
    size_t got = fread(head, 1, sizeof(head), r->file);
    uint32_t n = get_le32(head);

    if (got == 0)
        return ferror(r->file) ? BMS_ERR_IO : 0;
    if (got < sizeof(head))
        return BMS_ERR_TRUNCATED;
    if (n == 0 || n > sizeof(r->block))
        return BMS_ERR_CORRUPT;
    if (fread(r->block, n, 1, r->file) != 1)
        return BMS_ERR_TRUNCATED;
    if (crc32c(0, r->block, n) != get_le32(head + 4))
        return BMS_ERR_CORRUPT;
    r->blocks++;
    r->r = reader_of(r->block, n);
    return 1;
}

int record_reader_next(struct record_reader *r)
{
    int got = biu_log_next(&r->log, &r->r);

    if (got != BIU_LOG_NONE)
        return got;
    got = next_block(r);
    return got == 1 ? biu_log_next(&r->log, &r->r) : got;
}

void record_reader_close(struct record_reader *r)
{
    if (r->file)
        fclose(r->file);
    r->file = NULL;
}
