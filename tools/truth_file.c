/* SPDX-License-Identifier: Apache-2.0 */
/* truth_file.c -- read whole, index, sort. */
#include "tools/truth_file.h"

#include "common/bytes.h"
#include "common/err.h"
#include "common/units.h"
#include "sim/truth.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static int compare(const struct truth_entry *e, uint32_t boot, uint32_t no)
{
    if (e->boot != boot)
        return e->boot < boot ? -1 : 1;
    return e->no < no ? -1 : e->no > no;
}

static int by_number(const void *left, const void *right)
{
    const struct truth_entry *b = right;

    return compare(left, b->boot, b->no);
}

/* 1 = an entry, 0 = torn or the end, else BMS_ERR_CORRUPT. */
static int next_entry(struct reader *in, struct truth_entry *e)
{
    *e = (struct truth_entry) { .boot = read_le32(in), .no = read_le32(in) };
    read_le64(in);
    e->cells = read_le16(in);
    e->temps = read_le16(in);
    if (in->bad)
        return 0;
    if (e->cells > PACK_CELLS_MAX || e->temps > PACK_TEMPS_MAX)
        return BMS_ERR_CORRUPT;
    e->world_mV = read_bytes(in, 2u * e->cells);
    e->measured_mV = read_bytes(in, 2u * e->cells);
    e->temps_ddegC = read_bytes(in, 2u * e->temps);
    return !in->bad;
}

static void drop_repeated(struct truth_file *t)
{
    size_t n = 0;

    for (size_t i = 0; i < t->count; i++) {
        if (n && compare(&t->entries[n - 1], t->entries[i].boot, t->entries[i].no) == 0)
            t->repeated++;
        else
            t->entries[n++] = t->entries[i];
    }
    t->count = n;
}

int truth_parse(struct truth_file *t)
{
    size_t room = t->size / TRUTH_ENTRY_HEAD + 1;
    struct reader in = reader_of(t->bytes, t->size);
    const uint8_t *magic = read_bytes(&in, TRUTH_HEAD);
    int more = 0;

    if (!magic || memcmp(magic, TRUTH_MAGIC, TRUTH_HEAD) != 0)
        return BMS_ERR_CORRUPT;
    t->entries = malloc(room * sizeof *t->entries);
    if (!t->entries)
        return BMS_ERR_NOSPACE;
    while (t->count < room && (more = next_entry(&in, &t->entries[t->count])) == 1)
        t->count++;
    if (more < 0)
        return more;
    if (t->count)
        qsort(t->entries, t->count, sizeof *t->entries, by_number);
    drop_repeated(t);
    return 0;
}

int truth_load(struct truth_file *t, const char *path)
{
    FILE *f = fopen(path, "rb");
    long size = 0;
    int err = 0;

    *t = (struct truth_file) { .bytes = NULL };
    if (!f)
        return BMS_ERR_IO;
    if (fseek(f, 0, SEEK_END) != 0 || (size = ftell(f)) < 0 || fseek(f, 0, SEEK_SET) != 0)
        err = BMS_ERR_IO;
    t->bytes = err ? NULL : malloc((size_t)size + 1);
    if (!err && !t->bytes)
        err = BMS_ERR_NOSPACE;
    if (!err)
        t->size = fread(t->bytes, 1, (size_t)size, f);
    fclose(f);
    err = err ? err : truth_parse(t);
    if (err)
        truth_free(t);
    return err;
}

void truth_free(struct truth_file *t)
{
    free(t->bytes);
    free(t->entries);
    *t = (struct truth_file) { .bytes = NULL };
}

struct truth_entry *truth_find(const struct truth_file *t, uint32_t boot, uint32_t no)
{
    size_t low = 0, high = t->count;

    while (low < high) {
        size_t mid = low + (high - low) / 2;

        if (compare(&t->entries[mid], boot, no) < 0)
            low = mid + 1;
        else
            high = mid;
    }
    return low < t->count && compare(&t->entries[low], boot, no) == 0 ? &t->entries[low] : NULL;
}
