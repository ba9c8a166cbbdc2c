/* SPDX-License-Identifier: Apache-2.0 */
/* rollup.c -- see rollup.h. */
#include "server/history/rollup.h"

#include "common/bits.h"
#include "common/bytes.h"
#include "common/err.h"

#include <string.h>

enum { VERSION = 1 };

int rollup_find(const char *name)
{
    static const char *const names[ROLLUP_QUANTITIES] = {
#define X(name) #name,
        ROLLUP_TABLE(X)
#undef X
    };

    for (int q = 0; q < ROLLUP_QUANTITIES; q++)
        if (strcmp(names[q], name) == 0)
            return q;
    return -1;
}

void rollup_begin(struct rollup *r, int64_t hour_ms)
{
    memset(r, 0, sizeof *r);
    r->hour_ms = hour_ms;
}

static void merge(struct rollup_slot *into, const struct rollup_slot *s)
{
    if (s->count == 0)
        return;
    into->min = into->count == 0 || s->min < into->min ? s->min : into->min;
    into->max = into->count == 0 || s->max > into->max ? s->max : into->max;
    into->sum += s->sum;
    into->count += s->count;
}

static void add(struct rollup *r, enum rollup_quantity q, int minute, int32_t v)
{
    merge(&r->slot[q][minute], &(struct rollup_slot) { .sum = v, .min = v, .max = v, .count = 1 });
}

static void add_scalar(struct rollup *r, enum rollup_quantity q, int minute, int32_t v)
{
    if (scalar_validity(v) == VALIDITY_OK)
        add(r, q, minute, v);
}

static void add_cells(struct rollup *r, int minute, const struct sample *s)
{
    int32_t min = 0, max = 0, sum = 0, n = 0;

    for (int i = 0; i < s->cells; i++) {
        int32_t mV = s->cell_mV[i];

        if (cell_validity(s->cell_mV[i]) != VALIDITY_OK)
            continue;
        min = n == 0 || mV < min ? mV : min;
        max = n == 0 || mV > max ? mV : max;
        sum += mV;
        n++;
    }
    if (n == 0)
        return;
    add(r, ROLLUP_cell_min_mV, minute, min);
    add(r, ROLLUP_cell_max_mV, minute, max);
    add(r, ROLLUP_cell_mean_mV, minute, (sum + n / 2) / n);
}

static void add_temps(struct rollup *r, int minute, const struct sample *s)
{
    int32_t min = INT32_MAX, max = INT32_MIN;

    for (int i = 0; i < s->temps; i++) {
        if (temp_validity(s->temp_ddegC[i]) != VALIDITY_OK)
            continue;
        min = s->temp_ddegC[i] < min ? s->temp_ddegC[i] : min;
        max = s->temp_ddegC[i] > max ? s->temp_ddegC[i] : max;
    }
    if (min > max)
        return;
    add(r, ROLLUP_temp_min_ddegC, minute, min);
    add(r, ROLLUP_temp_max_ddegC, minute, max);
}

void rollup_add(struct rollup *r, const struct sample *s)
{
    int64_t in = (int64_t)s->utc_ms - r->hour_ms;

    if (in < 0 || in >= ROLLUP_HOUR_MS)
        return;
    int minute = (int)(in / ROLLUP_MINUTE_MS);

    r->samples++;
    add_cells(r, minute, s);
    add_temps(r, minute, s);
    add_scalar(r, ROLLUP_pack_voltage_mV, minute, s->scalar[SAMPLE_pack_voltage_mV]);
    add_scalar(r, ROLLUP_pack_current_mA, minute, s->scalar[SAMPLE_pack_current_mA]);
    add_scalar(r, ROLLUP_soc_permyriad, minute, s->scalar[SAMPLE_soc_permyriad]);
    add_scalar(r, ROLLUP_soh_permyriad, minute, s->scalar[SAMPLE_soh_permyriad]);
    add_scalar(r, ROLLUP_insulation_kohm, minute, s->scalar[SAMPLE_insulation_kohm]);
    add_scalar(r, ROLLUP_alarm_level, minute, s->scalar[SAMPLE_alarm_level]);
}

struct rollup_slot rollup_whole(const struct rollup *r, enum rollup_quantity q)
{
    struct rollup_slot all = { .count = 0 };

    for (int i = 0; i < ROLLUP_MINUTES; i++)
        merge(&all, &r->slot[q][i]);
    return all;
}

int32_t rollup_mean(const struct rollup_slot *s)
{
    int64_t half = s->count / 2;

    return (int32_t)((s->sum < 0 ? s->sum - half : s->sum + half) / (int64_t)s->count);
}

static void pack_head(struct writer *w, uint8_t slots)
{
    const uint8_t head[] = { VERSION, ROLLUP_QUANTITIES, slots };

    write_bytes(w, head, sizeof head);
}

static void pack_slot(struct writer *w, const struct rollup_slot *s, int32_t *before)
{
    write_varint(w, s->count);
    if (s->count == 0)
        return;
    write_varint(w, zigzag32((int32_t)((uint32_t)s->min - (uint32_t)*before)));
    write_varint(w, (uint32_t)s->max - (uint32_t)s->min);
    write_varint(w, (uint32_t)rollup_mean(s) - (uint32_t)s->min);
    *before = s->min;
}

size_t rollup_pack_minutes(const struct rollup *r, uint8_t *out)
{
    struct writer w = writer_of(out, ROLLUP_BYTES_MAX);

    pack_head(&w, ROLLUP_MINUTES);
    for (int q = 0; q < ROLLUP_QUANTITIES; q++) {
        int32_t before = 0;

        for (int i = 0; i < ROLLUP_MINUTES; i++)
            pack_slot(&w, &r->slot[q][i], &before);
    }
    return writer_used(&w);
}

size_t rollup_pack_hour(const struct rollup *r, uint8_t *out)
{
    struct writer w = writer_of(out, ROLLUP_BYTES_MAX);

    pack_head(&w, 1);
    for (int q = 0; q < ROLLUP_QUANTITIES; q++) {
        struct rollup_slot all = rollup_whole(r, (enum rollup_quantity)q);
        int32_t before = 0;

        pack_slot(&w, &all, &before);
    }
    return writer_used(&w);
}

/* False: the numbers cannot be. */
static bool unpack_slot(struct reader *in, struct rollup_slot *s, int32_t *before)
{
    uint64_t count = read_varint(in);

    *s = (struct rollup_slot) { .count = 0 };
    if (count == 0)
        return true;
    uint64_t step = read_varint(in), span = read_varint(in), mean = read_varint(in);

    if (count > UINT32_MAX || step > UINT32_MAX || span > UINT32_MAX || mean > span)
        return false;
    int64_t min = (int32_t)((uint32_t)*before + (uint32_t)unzigzag32((uint32_t)step));

    if (min + (int64_t)span > INT32_MAX)
        return false;
    *before = (int32_t)min;
    *s = (struct rollup_slot) { .min = (int32_t)min, .max = (int32_t)(min + (int64_t)span), .count = (uint32_t)count };
    s->sum = (min + (int64_t)mean) * (int64_t)count;
    return true;
}

int rollup_unpack(const uint8_t *bytes, size_t size, size_t slots, struct rollup_slot *slot)
{
    struct reader in = reader_of(bytes, size);
    uint8_t version = read_u8(&in), quantities = read_u8(&in), has = read_u8(&in);

    memset(slot, 0, ROLLUP_QUANTITIES * slots * sizeof *slot);
    if (in.bad)
        return BMS_ERR_TRUNCATED;
    if (version != VERSION || has != slots)
        return BMS_ERR_SCHEMA;
    for (size_t q = 0; q < quantities; q++) {
        int32_t before = 0;
        struct rollup_slot unknown;

        for (size_t i = 0; i < slots; i++)
            if (!unpack_slot(&in, q < ROLLUP_QUANTITIES ? &slot[q * slots + i] : &unknown, &before))
                return BMS_ERR_CORRUPT;
    }
    if (in.bad)
        return BMS_ERR_TRUNCATED;
    return reader_left(&in) > 0 ? BMS_ERR_CORRUPT : 0;
}
