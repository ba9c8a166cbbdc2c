/* SPDX-License-Identifier: Apache-2.0 */
/* body_read.c -- see body.h. What a server needs; body_write.c is the other half. */
#include "proto/body.h"

#include <string.h>

#include "common/bits.h"
#include "common/err.h"
#include "proto/body_column.h"
#include "proto/body_layout.h"
#include "proto/body_matrix.h"

static void get_times(struct bit_reader *b, struct columns *c, uint64_t first_ms)
{
    int32_t step[RECORD_SAMPLES_MAX] = { 0 };

    if (c->count > 1)
        get_column(b, step, c->count - 1, 0);
    c->utc_ms[0] = first_ms;
    for (uint32_t i = 1; i < c->count; i++)
        c->utc_ms[i] = c->utc_ms[i - 1] + (uint64_t)(int64_t)step[i - 1];
}

/* A body of an older writer has fewer columns (the rest was never received), one of a newer writer has more (read and dropped). */
static void get_scalars(struct bit_reader *b, struct columns *c, unsigned columns)
{
    int32_t dropped[RECORD_SAMPLES_MAX] = { 0 }, guess = 0;

    for (unsigned k = 0; k < columns && !b->bad; k++) {
        int32_t *v = k < SAMPLE_SCALARS ? c->scalar[k] : dropped;

        get_column(b, v, c->count, guess);
        guess = v[0];
    }
    for (unsigned k = columns; k < SAMPLE_SCALARS; k++)
        for (uint32_t i = 0; i < c->count; i++)
            c->scalar[k][i] = scalar_invalid(VALIDITY_NEVER);
}

static void get_cells(struct bit_reader *b, struct columns *c)
{
    const struct matrix_rows to = { c->cell_mV[0], c->count, c->cells, PACK_CELLS_MAX };

    get_rows(b, &to);
}

/* A signed type and its unsigned one may share memory (C11 6.5p7). */
static void get_temps(struct bit_reader *b, struct columns *c)
{
    const struct matrix_rows to = { (uint16_t *)c->temp_ddegC[0], c->count, c->temps, PACK_TEMPS_MAX };

    get_rows(b, &to);
}

static void get_balancing(struct bit_reader *b, struct columns *c)
{
    for (unsigned w = 0; w < (c->cells + 15u) / 16u && !b->bad; w++)
        get_column(b, c->balancing[w], c->count, 0);
}

static void get_alarm_list(struct bit_reader *b, uint8_t *count, struct sample_alarm *out)
{
    uint32_t n = get_bits(b, ALARM_COUNT_BITS);

    if (n > SAMPLE_ALARMS_MAX) {
        bits_end(b);
        n = 0;
    }
    *count = (uint8_t)n;
    for (uint32_t a = 0; a < n; a++) {
        uint64_t low = get_bits(b, ALARM_HALF_BITS);

        out[a] = sample_alarm_unpack(low | (uint64_t)get_bits(b, ALARM_HALF_BITS) << ALARM_HALF_BITS);
    }
}

static void get_alarms(struct bit_reader *b, struct columns *c)
{
    for (uint32_t i = 0; i < c->count && !b->bad; i++) {
        if (!get_bits(b, 1)) {
            get_alarm_list(b, &c->alarms[i], c->alarm[i]);
            continue;
        }
        c->alarms[i] = i > 0 ? c->alarms[i - 1] : 0;
        if (c->alarms[i] > 0)
            memcpy(c->alarm[i], c->alarm[i - 1], c->alarms[i] * sizeof(c->alarm[0][0]));
    }
}

static bool begins_well(const struct record *r, int *err)
{
    *err = r->body_len < BODY_HEAD ? BMS_ERR_TRUNCATED : r->body[0] != BODY_LAYOUT ? BMS_ERR_SCHEMA : BMS_ERR_OK;
    return *err == BMS_ERR_OK;
}

static void get_head(struct bit_reader *b, const struct record *r, struct columns *c)
{
    c->count = r->count;
    c->boot = r->boot;
    c->first_no = r->first_no;
    c->cells = (uint8_t)r->cells;
    c->temps = (uint8_t)r->temps;
    get_times(b, c, r->first_utc_ms);
}

static bool ends_well(const struct record *r, const struct columns *c)
{
    return c->utc_ms[r->count - 1] == r->last_utc_ms;
}

int body_columns(const struct record *r, struct columns *c)
{
    int err;

    if (!begins_well(r, &err))
        return err;
    struct bit_reader b = bits_of(r->body + BODY_HEAD, r->body_len - BODY_HEAD);

    get_head(&b, r, c);
    get_scalars(&b, c, r->body[1]);
    get_cells(&b, c);
    get_temps(&b, c);
    get_balancing(&b, c);
    get_alarms(&b, c);
    return bits_at_end(&b) && ends_well(r, c) ? BMS_ERR_OK : BMS_ERR_CORRUPT;
}

int body_columns_until(const struct record *r, enum body_part last, struct columns *c)
{
    int err;

    if (!begins_well(r, &err))
        return err;
    struct bit_reader b = bits_of(r->body + BODY_HEAD, r->body_len - BODY_HEAD);

    get_head(&b, r, c);
    get_scalars(&b, c, r->body[1]);
    if (last >= BODY_CELLS)
        get_cells(&b, c);
    if (last >= BODY_TEMPS)
        get_temps(&b, c);
    return !b.bad && ends_well(r, c) ? BMS_ERR_OK : BMS_ERR_CORRUPT;
}

void columns_sample(const struct columns *c, uint32_t i, struct sample *out)
{
    memset(out, 0, sizeof(*out));
    out->utc_ms = c->utc_ms[i];
    out->boot = c->boot;
    out->no = c->first_no + i;
    out->cells = c->cells;
    out->temps = c->temps;
    out->alarms = c->alarms[i];
    for (unsigned k = 0; k < SAMPLE_SCALARS; k++)
        out->scalar[k] = c->scalar[k][i];
    memcpy(out->cell_mV, c->cell_mV[i], c->cells * sizeof(out->cell_mV[0]));
    memcpy(out->temp_ddegC, c->temp_ddegC[i], c->temps * sizeof(out->temp_ddegC[0]));
    for (unsigned w = 0; w < (c->cells + 15u) / 16u; w++)
        out->balancing[w] = (uint16_t)c->balancing[w][i];
    memcpy(out->alarm, c->alarm[i], c->alarms[i] * sizeof(out->alarm[0]));
}

int body_decode(const struct record *r, struct sample *out)
{
    struct columns c;
    int err = body_columns(r, &c);

    for (uint32_t i = 0; i < r->count && !err; i++)
        columns_sample(&c, i, &out[i]);
    return err;
}
